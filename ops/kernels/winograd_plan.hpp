#pragma once
// How a Winograd convolution is cut: blocks of images or of bands of their rows, and the tiles of a block.
#include <compare>

#include <xgrad/ops/kernels/conv.hpp>
#include <xgrad/ops/kernels/scratch.hpp>
#include <xgrad/ops/kernels/winograd_tiles.hpp>

namespace xgrad::kernels::winograd {

/// Rows for so many tiles and for what is computed beyond them.
inline long padded_rows(long tiles) { return round_up(tiles + 3, 4); }

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
    height = backwards ? s.h.count : s.h.size, width = backwards ? s.w.count : s.w.size;
    result_height = backwards ? s.h.size : s.h.count, result_width = backwards ? s.w.size : s.w.count;
    padding = backwards ? 2 - s.h.padding : s.h.padding;
    in_padded = round_up(in, lanes), out_padded = round_up(out, lanes);
    tile_rows = (result_height + 3) / 4, tile_columns = (result_width + 3) / 4;
    band_rows = std::clamp(96 / tile_columns, 1l, tile_rows);
    bands = (tile_rows + band_rows - 1) / band_rows;
    // Tiles of a block: their matrices take 3 MB, the weights are read once for all of them. Half and twice
    // as many are slower on the posted network's layers.
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

/// A tile of a block: its image, counted from the block's first, and its first pixel in the band.
struct Tile {
  long image, row, column;
  auto operator<=>(const Tile&) const = default;
};

/// The part of the images that a block covers.
struct Block {
  long band, first, count;
  long height, width;  // of the result
  // The tiles of all images lie one size after the other in the matrices, such that those that have a point
  // lie together: low and full width, full, full height and narrow, low and narrow.
  TileRange sizes[4];
  long start[5];  // the first tile of each size, and the number of all

  Block(const Plan& p, long block) : band(block % p.bands) {
    const long group = block / p.bands;
    first = p.images * group / p.groups;
    count = p.images * (group + 1) / p.groups - first;
    height = p.result_rows(band), width = p.result_width;
    const long bottom = height / 4 * 4, right = width / 4 * 4;  // of full tiles
    const long last_bottom = round_up(height, 4), last_right = 4 * p.tile_columns;
    sizes[0] = {bottom, last_bottom, 0, right};
    sizes[1] = {0, bottom, 0, right};
    sizes[2] = {0, bottom, right, last_right};
    sizes[3] = {bottom, last_bottom, right, last_right};
    start[0] = 0;
    for (int i = 0; i < 4; ++i) start[i + 1] = start[i] + count * sizes[i].count();
  }
  long rows() const { return padded_rows(start[4]); }
  /// Where a tile lies in the matrices.
  long position(const Tile& tile) const {
    const bool low = tile.row >= sizes[1].bottom, narrow = tile.column >= sizes[1].right;
    const int size = narrow ? (low ? 3 : 2) : (low ? 0 : 1);
    const TileRange& tiles = sizes[size];
    return start[size] + tile.image * tiles.count() +
           (tile.row - tiles.top) / 4 * ((tiles.right - tiles.left) / 4) + (tile.column - tiles.left) / 4;
  }
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

}  // namespace xgrad::kernels::winograd
