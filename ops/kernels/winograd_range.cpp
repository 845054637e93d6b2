// Tiles and kernels whose numbers differ too much for Winograd's transforms: which they are, and their
// results.
#include <xgrad/ops/kernels/winograd_range.hpp>

#include <limits>
#include <span>

#include <xgrad/ops/kernels/gemm.hpp>
#include <xgrad/ops/kernels/panels.hpp>

namespace xgrad::kernels::winograd {
namespace {

/// Whether numbers whose magnitudes reach from low to high in all windows of a tile may be transformed.
bool fits(int low, int high) { return high == 0 || (low >= least && high <= most && high - low <= range); }

/// The windows, along one axis, in which a tile should have a number of the size of its largest. A tile at
/// the lower or right edge, which may be a single result, is judged by the last four.
struct Windows {
  long extent, halo, size;  // results along the axis; how many more pixels they meet; of a window
  long begin, end;          // the plane's pixels that are the image's
  static long across(long extent) { return extent > 3 ? 2 : 1; }
  Windows(long extent, long halo, long begin, long pixels)
      : extent(extent),
        halo(halo),
        size(halo > 0 && extent > 1 ? across(extent) + 1 : across(extent)),
        begin(begin),
        end(begin + pixels) {}
  long start(long tile) const { return std::min(tile, std::max(0l, extent - 4)); }
  /// The first and the last window that is not all padding.
  long first(long tile) const { return std::max(start(tile), begin - size + 1); }
  long last(long tile) const { return std::min(start(tile) + std::min(4l, extent) + halo - size, end - 1); }
};

/// Whether the largest magnitudes of nine taps, so far apart in memory, are near enough to each other, except
/// those that are zero.
bool even_taps(const int* taps, long step) {
  int low = std::numeric_limits<int>::max(), high = 0;
  for (int t = 0; t < 9; ++t) {
    high = std::max(high, taps[t * step]);
    if (taps[t * step] > 0) low = std::min(low, taps[t * step]);
  }
  return high == 0 || (high >= least && high <= most && high - low <= kernel_range);
}

/// A result of a block: its image, and its row and column in the whole image.
struct Pixel {
  long image, row, column;
};
std::vector<Pixel> pixels_of(const Plan& plan, const Block& block, const Tile* tiles, long count) {
  std::vector<Pixel> pixels;
  for (const Tile& tile : std::span(tiles, std::size_t(count)))
    for (long i = tile.row; i < std::min(tile.row + 4, block.height); ++i)
      for (long j = tile.column; j < std::min(tile.column + 4, block.width); ++j)
        pixels.push_back({block.first + tile.image, 4 * block.band * plan.band_rows + i, j});
  return pixels;
}

/// columns[channel][pixel] = the pixels that are so far from `images`, 0 for those at -1.
void collect(const float* images, long channels, long channel_step, const std::vector<long>& at,
             float* columns) {
  for (long c = 0; c < channels; ++c, images += channel_step)
    for (long offset : at) *columns++ = offset < 0 ? 0 : images[offset];
}

/// What tap `tap` of the kernel meets at each pixel: columns[channel][pixel].
void meet(const Plan& plan, const std::vector<Pixel>& pixels, long tap, const float* x, float* columns) {
  std::vector<long> at;
  for (const auto& [image, row, column] : pixels) {
    const long i = row + tap / 3 - plan.padding, j = column + tap % 3 - plan.padding;
    const bool inside = i >= 0 && i < plan.height && j >= 0 && j < plan.width;
    at.push_back(inside ? (image * plan.in * plan.height + i) * plan.width + j : -1);
  }
  collect(x, plan.in, plan.height * plan.width, at, columns);
}
/// Where the first channel of each pixel of the result lies.
std::vector<long> places(const Plan& plan, const std::vector<Pixel>& pixels) {
  std::vector<long> at;
  for (const auto& [image, row, column] : pixels)
    at.push_back((image * plan.out * plan.result_height + row) * plan.result_width + column);
  return at;
}

/// Calls f(pixels) for some tiles at a time, such that their columns stay in the cache.
template <class F>
void each_few(const Plan& plan, const Block& block, const std::vector<Tile>& tiles, F f) {
  constexpr long few = 32;
  for (long first = 0; first < long(tiles.size()); first += few)
    f(pixels_of(plan, block, &tiles[std::size_t(first)], std::min(few, long(tiles.size()) - first)));
}

}  // namespace

void find_uneven(const int* largest, const Layout& layout, const Block& block, long image, long halo,
                 std::vector<Tile>& tiles) {
  int low = largest[0], high = largest[0];
  for (long p = 1; p < layout.pixels; ++p) low = std::min(low, largest[p]), high = std::max(high, largest[p]);
  if (fits(low, high)) return;
  const long columns = layout.columns, all = layout.rows * columns, padded = all + 2 * columns;
  const Scratch<int> plane(padded), widened(padded);
  std::memset(plane.data(), 0, std::size_t(padded) * sizeof(int));
  std::memset(widened.data(), 0, std::size_t(padded) * sizeof(int));
  for (long p = 0; p < layout.pixels; p += layout.width)
    std::copy_n(largest + p, layout.width, plane + layout.offset[std::size_t(p)] / lanes);
  const long corner = layout.offset[0] / lanes;
  const Windows down(block.height, halo, corner / columns, layout.pixels / layout.width);
  const Windows across(block.width, halo, corner % columns, layout.width);
  auto widen = [&](const int* from, int* to, long step, long size) {
    for (long e = 0; e < all; ++e) {
      to[e] = from[e];
      for (long i = 1; i < size; ++i) to[e] = std::max(to[e], from[e + i * step]);
    }
  };
  widen(plane, widened, 1, across.size);
  widen(widened, plane, columns, down.size);
  for (long i = 0; i < block.height; i += 4)
    for (long j = 0; j < block.width; j += 4) {
      int least_window = std::numeric_limits<int>::max(), most_window = 0;
      for (long a = down.first(i); a <= down.last(i); ++a)
        for (long b = across.first(j); b <= across.last(j); ++b) {
          const int window = plane[a * columns + b];
          least_window = std::min(least_window, window), most_window = std::max(most_window, window);
        }
      if (!fits(least_window, most_window)) tiles.push_back({image, i, j});
    }
}

bool even(const int* largest, long output_blocks, long input_blocks, bool backwards) {
  const long results = backwards ? input_blocks : output_blocks,
             summed = output_blocks * input_blocks / results;
  const long channel_step = backwards ? 9 : 1, tap_step = backwards ? 1 : lanes;
  for (long r = 0; r < results; ++r) {
    int taps[9 * lanes] = {};
    for (long s = 0; s < summed; ++s) {
      const int* block = largest + (backwards ? s * results + r : r * summed + s) * 9 * lanes;
      for (long t = 0; t < 9 * lanes; ++t) taps[t] = std::max(taps[t], block[t]);
    }
    for (long c = 0; c < lanes; ++c)
      if (!even_taps(taps + c * channel_step, tap_step)) return false;
  }
  return true;
}

void convolve_tiles(const Plan& plan, const Block& block, const std::vector<Tile>& tiles, const float* x,
                    const float* weight, bool backwards, float* y) {
  each_few(plan, block, tiles, [&](const std::vector<Pixel>& pixels) {
    const long count = long(pixels.size()), size = plan.result_height * plan.result_width;
    const Scratch<float> columns(plan.in * count), result(plan.out * count);
    for (long tap = 0; tap < 9; ++tap) {
      meet(plan, pixels, tap, x, columns);
      const Operand<float> kernels{weight + (backwards ? 8 - tap : tap), plan.out,
                                   backwards ? 9 : plan.in * 9, backwards ? plan.out * 9 : 9};
      multiply(
          kernels, count,
          [&](long first, long depth, float* panels) {
            pack_panels(Operand<float>{columns, count, 1, count}, first, depth, panels);
          },
          plan.in, tap > 0, result.data(), count);
    }
    const std::vector<long> at = places(plan, pixels);
    const float* from = result;
    for (long c = 0; c < plan.out; ++c)
      for (long offset : at) y[c * size + offset] = *from++;
  });
}

void add_tiles(const Plan& plan, const Block& block, const std::vector<Tile>& tiles, const float* g,
               const float* x, std::vector<float>& gw) {
  gw.resize(std::size_t(9 * plan.out * plan.in));
  each_few(plan, block, tiles, [&](const std::vector<Pixel>& pixels) {
    const long count = long(pixels.size()), size = plan.result_height * plan.result_width;
    const Scratch<float> columns(plan.in * count), gradients(plan.out * count);
    collect(g, plan.out, size, places(plan, pixels), gradients);
    for (long tap = 0; tap < 9; ++tap) {
      meet(plan, pixels, tap, x, columns);
      gemm(false, true, plan.out, plan.in, count, gradients.data(), count, columns.data(), count, true,
           gw.data() + tap * plan.out * plan.in, plan.in);
    }
  });
}

}  // namespace xgrad::kernels::winograd
