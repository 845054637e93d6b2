// Winograd convolution: blocks of tiles go through transform, 36 matrix products and back while they are in
// the cache.
#include "ops/kernels/winograd.hpp"

#include <vector>

#include "core/lazy.hpp"
#include "core/threads.hpp"
#include "ops/kernels/room.hpp"
#include "ops/kernels/tile.hpp"
#include "ops/kernels/winograd_tiles.hpp"

namespace xgrad::kernels::winograd {
namespace {

/// out[p / 16][tile][16] = sum over q of v[q / 16][tile][q % 16] u[p / 16][q][p % 16], for some of a block's
/// `rows` tiles. As many more as make a multiple of 4 are read and computed, and outputs up to one of 16.
void multiply_tiles(long tiles, long rows, long outputs, long inputs, const float* v, const float* u,
                    float* out) {
  const long u_panel = round_up(inputs, lanes) * lanes, packs = panels(outputs);
  const TileStrides strides{.a_row = lanes,
                            .a_k = 1,
                            .a_every = lanes,
                            .a_jump = rows * lanes,
                            .b_k = lanes,
                            .b_pack = u_panel,
                            .c_row = lanes,
                            .c_pack = rows * lanes};
  for (long p = 0; p < packs; p += tile_packs)
    for (long t = 0; t < tiles; t += tile_rows)
      multiply_tile(tiles - t, packs - p, inputs, v + t * lanes, u + p * u_panel,
                    out + (p * rows + t) * lanes, strides, false);
}
/// du[p / 16][q][16] (+)= sum over tiles of v[q / 16][tile][q % 16] g[p / 16][tile][p % 16], for some of a
/// block's `rows` tiles.
void multiply_weights(long tiles, long rows, long outputs, long inputs, const float* v, const float* g,
                      float* du, bool accumulate) {
  const long panel = rows * lanes, du_panel = round_up(inputs, lanes) * lanes;
  const long packs = panels(outputs);
  const TileStrides strides{
      .a_row = 1, .a_k = lanes, .b_k = lanes, .b_pack = panel, .c_row = lanes, .c_pack = du_panel};
  for (long p = 0; p < packs; p += tile_packs)
    for (long q = 0; q < inputs; q += tile_rows)
      multiply_tile(tile_rows, packs - p, tiles, v + q / lanes * panel + q % lanes, g + p * panel,
                    du + p * du_panel + q * lanes, strides, accumulate);
}

/// Rows that have room for so many tiles and for what is computed beyond.
long padded_rows(long tiles) { return round_up(tiles + 3, 4); }

/// A convolution from `in` to `out` channels, cut into blocks of whole images or of bands of tile rows.
struct Plan {
  long images, in, out, in_padded, out_padded;
  long height, width, result_height, result_width, padding;
  long tile_rows, tile_columns, band_rows,
      bands;                            // tiles of an image; tile rows in a band; bands of an image
  long groups, blocks, most_tiles;      // groups of images, each `bands` blocks; most tiles of one
  long v_step, m_step;                  // floats from one of the 36 matrices to the next
  std::vector<Layout> inputs, results;  // one a band

  Plan(const ConvShape& s, bool backwards) {
    images = s.n, in = backwards ? s.o : s.c, out = backwards ? s.c : s.o;
    height = backwards ? s.oh : s.h, width = backwards ? s.ow : s.w;
    result_height = backwards ? s.h : s.oh, result_width = backwards ? s.w : s.ow;
    padding = backwards ? 2 - s.ph : s.ph;
    in_padded = round_up(in, lanes), out_padded = round_up(out, lanes);
    tile_rows = (result_height + 3) / 4, tile_columns = (result_width + 3) / 4;
    band_rows = std::clamp(96 / tile_columns, 1l, tile_rows);
    bands = (tile_rows + band_rows - 1) / band_rows;
    // Tiles of a block: their matrices take 3 MB, the weights are read once for all of them. Half and twice
    // as many are slower on S4's layers.
    const long wanted = 10240 / std::max(in_padded, out_padded);
    const long most = std::clamp(wanted / (tile_rows * tile_columns), 1l, images);
    // Whole images come in equal groups, by fours and not too few: threads end together, also where one core
    // is slower than another.
    constexpr long least_groups = 16;
    groups = bands > 1 ? images
                       : std::min(images, std::max(least_groups, round_up((images + most - 1) / most, 4)));
    blocks = groups * bands;
    const long block_images = (images + groups - 1) / groups;  // at most
    most_tiles = block_images * band_rows * tile_columns;
    v_step = in_padded * padded_rows(most_tiles) + 80;  // apart: the matrices fall on different cache sets
    m_step = out_padded * padded_rows(most_tiles) + 80;
    for (long band = 0; band < bands; ++band) {
      const long lines = result_rows(band), rows = (lines + 3) / 4, start = first_input_row(band);
      const long top = start - (4 * band * band_rows - padding);
      const long stop = std::min(height, 4 * (band * band_rows + rows) + 2 - padding);
      inputs.emplace_back(std::max(0l, stop - start), width, height * width, 4 * rows + 2,
                          4 * tile_columns + 2, top, padding);
      results.emplace_back(lines, result_width, result_height * result_width, 4 * rows, 4 * tile_columns);
    }
  }
  long first_input_row(long band) const { return std::max(0l, 4 * band * band_rows - padding); }
  long result_rows(long band) const { return std::min(4 * band_rows, result_height - 4 * band * band_rows); }
  long weights_step() const { return in_padded * out_padded; }
};

/// The part of the images that a block covers.
struct Block {
  long band, first, count;
  // The tiles of all images lie one size after the other in the matrices, such that those that have a point
  // lie together: low and full width, full, full height and narrow, low and narrow.
  TileRange sizes[4];
  long start[5];  // the first tile of each size, and the number of all

  Block(const Plan& p, long block) : band(block % p.bands) {
    const long group = block / p.bands;
    first = p.images * group / p.groups;
    count = p.images * (group + 1) / p.groups - first;
    const long height = p.result_rows(band);
    const long bottom = height / 4 * 4, right = p.result_width / 4 * 4;  // of full tiles
    const long last_bottom = round_up(height, 4), last_right = 4 * p.tile_columns;
    sizes[0] = {bottom, last_bottom, 0, right};
    sizes[1] = {0, bottom, 0, right};
    sizes[2] = {0, bottom, right, last_right};
    sizes[3] = {bottom, last_bottom, right, last_right};
    start[0] = 0;
    for (int i = 0; i < 4; ++i) start[i + 1] = start[i] + count * sizes[i].count();
  }
  long rows() const { return padded_rows(start[4]); }
  /// The tiles that have one of the 36 points: only full height or width has what belongs to -2.
  std::pair<long, long> tiles(long k) const {
    const bool high = k / 6 == 4, wide = k % 6 == 4;
    return {start[high ? 1 : 0], start[wide ? 2 : high ? 3 : 4]};
  }
  /// Calls f<low, narrow>(tiles of one size in image n, where their first one lies).
  template <class F>
  void each_size(long n, F f) const {
    auto at = [&](int i) { return (start[i] + n * sizes[i].count()) * lanes; };
    f.template operator()<true, false>(sizes[0], at(0));
    f.template operator()<false, false>(sizes[1], at(1));
    f.template operator()<false, true>(sizes[2], at(2));
    f.template operator()<true, true>(sizes[3], at(3));
  }
};

/// One of two constants.
template <bool second, const auto& A, const auto& B>
constexpr const auto& either() {
  if constexpr (second)
    return B;
  else
    return A;
}

/// Transforms all channels of a block's images: M d M' of each tile, edge_M at the edges, into 36 matrices
/// [channel / 16][tile][16].
template <const auto& M, const auto& edge_M>
void transform(const Block& b, const Layout& layout, const float* images, long channels,
               long first_row_offset, float* plane, float* matrices, long step) {
  std::memset(plane, 0, std::size_t(layout.plane_size()) * sizeof(float));
  for (long n = 0; n < b.count; ++n)
    for (long c = 0; c < channels; c += lanes) {
      load(images + ((b.first + n) * channels + c) * layout.channel_step + first_row_offset, channels - c,
           layout, plane);
      b.each_size(n, [&]<bool low, bool narrow>(const TileRange& tiles, long start) {
        gather<either<low, M, edge_M>(), either<narrow, M, edge_M>()>(plane, layout, tiles,
                                                                      matrices + c * b.rows() + start, step);
      });
    }
}

/// G w G' as u[point][p / 16][q][16], p being the result's channel. `backwards` exchanges the channels and
/// turns the kernels around: the convolution that carries gradients back.
void transform_weights(const float* weight, long outputs, long inputs, bool backwards, float* u) {
  const long p_padded = round_up(outputs, lanes), q_padded = round_up(inputs, lanes);
  const long step = p_padded * q_padded, q_blocks = panels(inputs);
  threads::for_each(panels(outputs) * q_blocks, [=](long block) {
    const long p0 = block / q_blocks * lanes, q0 = block % q_blocks * lanes;
    Pack taps[9 * lanes];
    Pack result[points][lanes];
    for (int l = 0; l < lanes; ++l) {  // one row of weights: sixteen inputs of nine taps
      const long p = p0 + l, count = std::clamp(inputs - q0, 0l, lanes) * 9;
      alignas(64) float row[9 * lanes] = {};
      if (p < outputs) std::memcpy(row, weight + (p * inputs + q0) * 9, std::size_t(count) * sizeof(float));
      for (int e = 0; e < 9; ++e) taps[e * lanes + l] = *reinterpret_cast<const Pack*>(row + e * lanes);
    }
    for (int e = 0; e < 9; ++e) transpose(taps + e * lanes);
    for (int q = 0; q < lanes; ++q) {
      Pack kernel[9], transformed[points];
      for (int e = 0; e < 9; ++e) kernel[e] = taps[q * 9 + (backwards ? 8 - e : e)];
      sandwich<G, G>(kernel, transformed);
      for (int k = 0; k < points; ++k) result[k][q] = transformed[k];
    }
    for (int k = 0; k < points; ++k) {
      if (backwards) transpose(result[k]);
      float* to = u + k * step + (backwards ? q0 * p_padded + p0 * lanes : p0 * q_padded + q0 * lanes);
      for (int i = 0; i < lanes; ++i) *reinterpret_cast<Pack*>(to + i * lanes) = result[k][i];
    }
  });
}

/// The sum of the parts of du, G' du G -> dw.
void transform_weight_gradient(const float* du, long parts, long outputs, long inputs, float* gw) {
  const long p_padded = round_up(outputs, lanes), q_padded = round_up(inputs, lanes);
  const long step = p_padded * q_padded, q_blocks = panels(inputs);
  threads::for_each(panels(outputs) * q_blocks, [=](long block) {
    const long p0 = block / q_blocks * lanes, q0 = block % q_blocks * lanes;
    Pack taps[9 * lanes];
    for (int q = 0; q < lanes; ++q) {
      const float* from = du + p0 * q_padded + (q0 + q) * lanes;
      Pack sum[points];
      for (int k = 0; k < points; ++k) {
        sum[k] = *reinterpret_cast<const Pack*>(from + k * step);
        for (long part = 1; part < parts; ++part)
          sum[k] += *reinterpret_cast<const Pack*>(from + (part * points + k) * step);
      }
      sandwich<GT, GT>(sum, taps + q * 9);
    }
    for (int e = 0; e < 9; ++e) transpose(taps + e * lanes);
    const long count = std::min(inputs - q0, lanes) * 9;
    for (int l = 0; l < lanes && p0 + l < outputs; ++l) {
      alignas(64) float row[9 * lanes];
      for (int e = 0; e < 9; ++e) *reinterpret_cast<Pack*>(row + e * lanes) = taps[e * lanes + l];
      std::memcpy(gw + ((p0 + l) * inputs + q0) * 9, row, std::size_t(count) * sizeof(float));
    }
  });
}

void convolve(const Plan& plan, const float* x, const float* u, float* y) {
  const long plane_size = std::max(plan.inputs[0].plane_size(), plan.results[0].plane_size());
  threads::for_each(plan.blocks, [&](long index) {
    const Block block(plan, index);
    const Layout &in = plan.inputs[std::size_t(block.band)], &out = plan.results[std::size_t(block.band)];
    const Room<float> v(points * plan.v_step), m(points * plan.m_step), plane(plane_size);
    transform<BT, edge_BT>(block, in, x, plan.in, plan.first_input_row(block.band) * plan.width, plane, v,
                           plan.v_step);
    for (long k = 0; k < points; ++k) {
      const auto [first, end] = block.tiles(k);
      multiply_tiles(end - first, block.rows(), plan.out, plan.in, v + k * plan.v_step + first * lanes,
                     u + k * plan.weights_step(), m + k * plan.m_step + first * lanes);
    }
    for (long n = 0; n < block.count; ++n)
      for (long c = 0; c < plan.out; c += lanes) {
        block.each_size(n, [&]<bool low, bool narrow>(const TileRange& tiles, long start) {
          scatter<either<low, AT, edge_AT>(), either<narrow, AT, edge_AT>()>(m + c * block.rows() + start,
                                                                             plan.m_step, out, tiles, plane);
        });
        store(plane, plan.out - c, out,
              y + ((block.first + n) * plan.out + c) * out.channel_step +
                  4 * block.band * plan.band_rows * plan.result_width);
      }
  });
}

}  // namespace

bool can(const ConvShape& s) {
  return s.kh == 3 && s.kw == 3 && s.sh == 1 && s.sw == 1 && s.dh == 1 && s.dw == 1 && s.groups == 1 &&
         s.ph <= 2 && s.ph == s.pw && s.n > 0 && s.c > 0 && s.o > 0;
}
bool should(const ConvShape& s) { return can(s) && s.c >= 16 && s.o >= 16 && s.oh * s.ow >= 4; }

void forward(const float* x, const float* weight, float* y, const ConvShape& s) {
  const Plan plan(s, false);
  const Room<float> u(points * plan.weights_step());
  transform_weights(weight, s.o, s.c, false, u);
  convolve(plan, x, u, y);
}

void input_gradient(const float* g, const float* weight, float* gx, const ConvShape& s) {
  const Plan plan(s, true);
  const Room<float> u(points * plan.weights_step());
  transform_weights(weight, s.o, s.c, true, u);
  convolve(plan, g, u, gx);
}

// The blocks are shared out among parts, each with sums of its own: few where the weights are many, for the
// sums should stay in the caches. Where there are more threads than parts, several transform the same blocks
// and multiply some of the 36 points each. What is added to what, and when, follows from the shapes alone.
void weight_gradient(const float* g, const float* x, float* gw, const ConvShape& s) {
  const Plan plan(s, false);
  const long size = points * plan.weights_step();
  const long parts = std::min(plan.blocks, size > 1 << 19 ? 2l : size > 1 << 17 ? 4l : 8l);
  const long shares = std::clamp(threads::count() / parts, 1l, 4l);
  const long plane_size = std::max(plan.inputs[0].plane_size(), plan.results[0].plane_size());
  const Room<float> sums(parts * size);
  threads::for_each(parts * shares, [&](long task) {
    const long part = task / shares, share = task % shares;
    const long begin = plan.blocks * part / parts, end = plan.blocks * (part + 1) / parts;
    const Room<float> v(points * plan.v_step), m(points * plan.m_step), plane(plane_size);
    for (long index = begin; index < end; ++index) {
      const Block block(plan, index);
      const Layout &in = plan.inputs[std::size_t(block.band)], &out = plan.results[std::size_t(block.band)];
      transform<BT, edge_BT>(block, in, x, plan.in, plan.first_input_row(block.band) * plan.width, plane, v,
                             plan.v_step);
      transform<A, edge_A>(block, out, g, plan.out, 4 * block.band * plan.band_rows * plan.result_width,
                           plane, m, plan.m_step);
      for (long k = points * share / shares; k < points * (share + 1) / shares; ++k) {
        const auto [first, last] = block.tiles(k);
        multiply_weights(last - first, block.rows(), plan.out, plan.in, v + k * plan.v_step + first * lanes,
                         m + k * plan.m_step + first * lanes, sums + part * size + k * plan.weights_step(),
                         index != begin);
      }
    }
  });
  transform_weight_gradient(sums, parts, s.o, s.c, gw);
}

}  // namespace xgrad::kernels::winograd
