// Winograd convolution: blocks of tiles go through transform, 36 matrix products and back while they are in
// the cache.
#include <xgrad/ops/kernels/winograd.hpp>

#include <vector>

#include <xgrad/core/base/threads.hpp>
#include <xgrad/ops/kernels/tile.hpp>
#include <xgrad/ops/kernels/winograd_range.hpp>

namespace xgrad::kernels::winograd {
namespace {

/// out[p / 16][tile][16] = sum over q of v[q / 16][tile][q % 16] u[p / 16][q][p % 16], for some of a block's
/// `rows` tiles. Tiles are read and computed up to the next multiple of 4, outputs to one of 16.
void multiply_tiles(long tiles, long rows, long outputs, long inputs, const float* v, const float* u,
                    float* out) {
  const long u_panel = round_up(inputs, lanes) * lanes, packs = panels(outputs);
  const TileStrides strides{.a_row = lanes,
                            .a_k = 1,
                            .a_group = lanes,
                            .a_group_stride = rows * lanes,
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

/// One of two constants.
template <bool second, const auto& A, const auto& B>
constexpr const auto& either() {
  if constexpr (second)
    return B;
  else
    return A;
}

/// Transforms all channels of a block's images: M d M' of each tile, edge_M at the edges, into 36 matrices
/// [channel / 16][tile][16]. Returns the uneven tiles, whose transforms must not be used.
template <const auto& M, const auto& edge_M>
std::vector<Tile> transform(const Block& b, const Layout& layout, const float* images, long channels,
                            long first_row_offset, float* plane, float* matrices, long step) {
  constexpr long halo = Size<M>::columns - 4;
  std::vector<Tile> uneven;
  const Scratch<int> largest(std::max(layout.pixels, lanes));
  std::memset(plane, 0, std::size_t(layout.plane_size()) * sizeof(float));
  for (long n = 0; n < b.count; ++n) {
    std::memset(largest.data(), 0, std::size_t(std::max(layout.pixels, lanes)) * sizeof(int));
    for (long c = 0; c < channels; c += lanes) {
      load(images + ((b.first + n) * channels + c) * layout.channel_step + first_row_offset, channels - c,
           layout, plane, largest);
      b.each_size(n, [&]<bool low, bool narrow>(const TileRange& tiles, long start) {
        gather<either<low, M, edge_M>(), either<narrow, M, edge_M>()>(plane, layout, tiles,
                                                                      matrices + c * b.rows() + start, step);
      });
    }
    find_uneven(largest, layout, b, n, halo, uneven);
  }
  return uneven;
}

/// Makes the transforms of some tiles zero.
void leave_out(const Block& b, const std::vector<Tile>& tiles, long channels, float* matrices, long step) {
  for (const Tile& tile : tiles)
    for (long k = 0; k < points; ++k)
      for (long c = 0; c < channels; c += lanes)
        *reinterpret_cast<Pack*>(matrices + k * step + c * b.rows() + b.position(tile) * lanes) = Pack{};
}

/// G w G' as u[point][p / 16][q][16], p being the result's channel. `backwards` exchanges the channels and
/// turns the kernels around: the convolution that carries gradients back. Whether the weights are even: if
/// not, u must not be used.
bool transform_weights(const float* weight, long outputs, long inputs, bool backwards, float* u) {
  const long p_padded = round_up(outputs, lanes), q_padded = round_up(inputs, lanes);
  const long step = p_padded * q_padded, q_blocks = panels(inputs);
  const Scratch<int> largest(panels(outputs) * q_blocks * 9 * lanes);
  threads::for_each(panels(outputs) * q_blocks, [=, &largest](long block) {
    const long p0 = block / q_blocks * lanes, q0 = block % q_blocks * lanes;
    Pack taps[9 * lanes];
    Pack result[points][lanes];
    IntPack high[9] = {};
    const auto raise = [&high](int e, const Pack& x) {
      high[e] = choose(magnitude(x) > high[e], magnitude(x), high[e]);
    };
    for (int l = 0; l < lanes; ++l) {  // one row of weights: sixteen inputs of nine taps
      const long p = p0 + l, count = std::clamp(inputs - q0, 0l, lanes) * 9;
      alignas(64) float row[9 * lanes] = {};
      if (p < outputs) std::memcpy(row, weight + (p * inputs + q0) * 9, std::size_t(count) * sizeof(float));
      for (int e = 0; e < 9; ++e) taps[e * lanes + l] = *reinterpret_cast<const Pack*>(row + e * lanes);
      for (int e = 0; e < 9 && backwards; ++e) raise(e, taps[e * lanes + l]);
    }
    for (int e = 0; e < 9; ++e) transpose(taps + e * lanes);
    for (int q = 0; q < lanes; ++q) {
      Pack kernel[9], transformed[points];
      for (int e = 0; e < 9; ++e) kernel[e] = taps[q * 9 + (backwards ? 8 - e : e)];
      for (int e = 0; e < 9 && !backwards; ++e) raise(e, kernel[e]);
      sandwich<G, G>(kernel, transformed);
      for (int k = 0; k < points; ++k) result[k][q] = transformed[k];
    }
    for (int k = 0; k < points; ++k) {
      if (backwards) transpose(result[k]);
      float* to = u + k * step + (backwards ? q0 * p_padded + p0 * lanes : p0 * q_padded + q0 * lanes);
      for (int i = 0; i < lanes; ++i) *reinterpret_cast<Pack*>(to + i * lanes) = result[k][i];
    }
    std::memcpy(largest + block * 9 * lanes, high, sizeof high);
  });
  return even(largest, panels(outputs), q_blocks, backwards);
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

bool convolve(const ConvShape& s, const float* x, const float* weight, bool backwards, float* y) {
  const Plan plan(s, backwards);
  const Scratch<float> u(points * plan.weights_step());
  if (!transform_weights(weight, s.o, s.c, backwards, u)) return false;
  const long plane_size = std::max(plan.inputs[0].plane_size(), plan.results[0].plane_size());
  threads::for_each(plan.blocks, [&](long index) {
    const Block block(plan, index);
    const Layout &in = plan.inputs[std::size_t(block.band)], &out = plan.results[std::size_t(block.band)];
    const Scratch<float> v(points * plan.v_step), m(points * plan.m_step), plane(plane_size);
    const auto uneven = transform<BT, edge_BT>(
        block, in, x, plan.in, plan.first_input_row(block.band) * plan.width, plane, v, plan.v_step);
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
    convolve_tiles(plan, block, uneven, x, weight, backwards, y);
  });
  return true;
}

}  // namespace

bool can(const ConvShape& s) {
  const auto fits = [](const Window& w) {
    return w.kernel == 3 && w.stride == 1 && w.dilation == 1 && w.padding <= 2;
  };
  return fits(s.h) && fits(s.w) && s.h.padding == s.w.padding && s.groups == 1 && s.n > 0 && s.c > 0 &&
         s.o > 0;
}
bool should(const ConvShape& s) { return can(s) && s.c >= 16 && s.o >= 16 && s.count() >= 4; }

bool forward(const float* x, const float* weight, float* y, const ConvShape& s) {
  return convolve(s, x, weight, false, y);
}

bool input_gradient(const float* g, const float* weight, float* gx, const ConvShape& s) {
  return convolve(s, g, weight, true, gx);
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
  const Scratch<float> sums(parts * size);
  std::vector<std::vector<float>> direct{std::size_t(parts)};
  threads::for_each(parts * shares, [&](long task) {
    const long part = task / shares, share = task % shares;
    const long begin = plan.blocks * part / parts, end = plan.blocks * (part + 1) / parts;
    const Scratch<float> v(points * plan.v_step), m(points * plan.m_step), plane(plane_size);
    for (long index = begin; index < end; ++index) {
      const Block block(plan, index);
      const Layout &in = plan.inputs[std::size_t(block.band)], &out = plan.results[std::size_t(block.band)];
      auto uneven = transform<BT, edge_BT>(
          block, in, x, plan.in, plan.first_input_row(block.band) * plan.width, plane, v, plan.v_step);
      for (const Tile& tile :
           transform<A, edge_A>(block, out, g, plan.out, 4 * block.band * plan.band_rows * plan.result_width,
                                plane, m, plan.m_step))
        uneven.push_back(tile);
      if (!uneven.empty()) {
        std::sort(uneven.begin(), uneven.end());
        uneven.erase(std::unique(uneven.begin(), uneven.end()), uneven.end());
        leave_out(block, uneven, plan.in, v, plan.v_step);
        leave_out(block, uneven, plan.out, m, plan.m_step);
        if (share == 0) add_tiles(plan, block, uneven, g, x, direct[std::size_t(part)]);
      }
      for (long k = points * share / shares; k < points * (share + 1) / shares; ++k) {
        const auto [first, last] = block.tiles(k);
        multiply_weights(last - first, block.rows(), plan.out, plan.in, v + k * plan.v_step + first * lanes,
                         m + k * plan.m_step + first * lanes, sums + part * size + k * plan.weights_step(),
                         index != begin);
      }
    }
  });
  transform_weight_gradient(sums, parts, s.o, s.c, gw);
  for (const std::vector<float>& sum : direct)
    for (std::size_t i = 0; i < sum.size(); ++i)
      gw[long(i) % (s.o * s.c) * 9 + long(i) / (s.o * s.c)] += sum[i];
}

}  // namespace xgrad::kernels::winograd
