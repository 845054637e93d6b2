#pragma once
// How the domain of a program is cut: into blocks for threads, and tiles that go through all steps
// (private to core/array).
#include <algorithm>
#include <numeric>

#include <xgrad/core/array/program.hpp>
#include <xgrad/core/array/reduce_tile.hpp>

namespace xgrad::lazy {

// Where nothing is kept from one step to the next: a quarter off the time of x + y, measured.
inline constexpr long long_tile_size = 8192;
inline constexpr long max_blocks = 64;
// Elements: the sums of a block should stay in the second-level cache.
inline constexpr long largest_block_of_rows = 1 << 18;

/// The sums that a block keeps where it has them all.
inline long accumulators(const Program::Reduce& r) {
  return r.walk.is_expanded() ? r.walk.short_dims.size() : r.shape.size();
}

/// Whether elements are converted as they are read or written.
inline bool converts(const Program& p) {
  auto other = [&](auto& operand) { return operand.dtype != p.dtype; };
  return std::any_of(p.leaves.begin(), p.leaves.end(), other) ||
         std::any_of(p.stores.begin(), p.stores.end(), other);
}

/// Whether every step reads leaves in place and writes a result: no tile waits in a cache.
inline bool keeps_nothing(const Program& p) {
  auto plain = [](auto& leaf) {
    return leaf.dense || (leaf.walk.dims.rank() == 1 && leaf.walk.strides[0] == 0);
  };
  return p.steps.size() == p.stores.size() && !converts(p) &&
         std::all_of(p.leaves.begin(), p.leaves.end(), plain);
}

/// Whether there are only sums of what lies in memory: a block is one tile.
inline bool sums_only(const Program& p) {
  return p.steps.empty() && !converts(p) &&
         std::all_of(p.leaves.begin(), p.leaves.end(), [](auto& leaf) { return leaf.dense; });
}

/// Elements that go through all steps at a time.
inline long tile_length(const Program& p) {
  if (p.reductions.empty()) return keeps_nothing(p) ? long_tile_size : tile_size;
  return sums_only(p) ? p.domain.size() : tile_size;
}

/// How the domain is cut: `blocks` ranges of elements, each starting at a multiple of 64 bytes.
struct Cut {
  long blocks, unit, units;  // block b has the units [units * b / blocks, units * (b + 1) / blocks)
  bool partial;              // the blocks' sums must be combined afterwards
  long size;
  long row = 1,
       sums_of_row = 0;  // where they need not: blocks are whole rows, which have results of their own
  long begin(long block) const { return std::min(size, units * block / blocks * unit); }
  long first_sum(long block) const { return begin(block) / row * sums_of_row; }
};

template <class T>
Cut cut(const Program& p) {
  const long size = p.domain.size(), tiles = (size + tile_size - 1) / tile_size;
  if (p.reductions.empty()) return {std::min(tiles, max_blocks), tile_size, tiles, false, size};
  // Leading axes that are kept make rows, whose results are separate: blocks of whole rows need no combining.
  const Shape& out = p.reductions[0].shape;
  const int lead = p.domain.rank() - out.rank();
  long rows = 1;
  for (int i = 0; i < out.rank() && lead == 0 && out[i] == p.domain[i]; ++i) rows *= out[i];
  const long row = size / rows, lanes = 64 / long(sizeof(T)), group = lanes / std::gcd(row, lanes);
  if (const long groups = (rows + group - 1) / group; rows >= 8 * group) {
    const long blocks = std::min(groups, std::max(max_blocks, size / largest_block_of_rows));
    return {blocks, group * row, groups, false, size, row, out.size() / rows};
  }
  const long sums = accumulators(p.reductions[0]);
  return {std::clamp(size / (8 * sums), 1l, std::min(tiles, max_blocks)), tile_size, tiles, true, size};
}

}  // namespace xgrad::lazy
