#pragma once
// How operands that are broadcast over a domain are walked (private to core/array).
#include <algorithm>
#include <array>

#include <xgrad/core/base/shape.hpp>

namespace xgrad::lazy {

/// How an operand that is broadcast over the domain is walked: its own collapsed axes, so that neither the
/// runs nor the order of a sum depend on what else is in the program.
struct Walk {
  Shape dims;
  Strides strides;
  // Short runs of one element, such as a channel's over an image of 7x7, cost more than what is done with
  // them. Where they repeat along the first axis, one repetition is expanded and walked instead, and sums are
  // taken element by element of it: `dims` is then {repetitions, elements}, and these describe the
  // repetition.
  Shape short_dims;
  Strides short_strides;

  Walk(const Shape& domain, const Strides& strides);
  /// Of what is broadcast; runs below `short_run` are expanded.
  Walk(const Shape& shape, const Shape& domain, long short_run);
  bool is_expanded() const { return short_dims.rank() > 0; }
};

// Measured: longer runs are faster as they are.
inline constexpr long short_run_of_leaf = 64, short_run_of_sum = 32;

using Index = std::array<long, max_rank>;

inline Index unravel(const Shape& dims, long position) {
  Index index{};
  for (int i = dims.rank(); --i > 0; position /= dims[i]) index[i] = position % dims[i];
  index[0] = position;
  return index;
}

/// Calls f(position in the tile, offset in the operand, inner stride, count) for each run of the innermost
/// axis.
template <class F>
void for_runs(const Shape& dims, const Strides& strides, long first, long n, F f) {
  const int last = dims.rank() - 1;
  Index index = unravel(dims, first);
  long offset = 0;
  for (int i = 0; i <= last; ++i) offset += index[i] * strides[i];
  for (long at = 0;;) {
    const long count = std::min(n - at, dims[last] - index[last]);
    f(at, offset, strides[last], count);
    if ((at += count) >= n) return;
    offset += count * strides[last];
    index[last] += count;
    for (int i = last; i > 0 && index[i] == dims[i]; --i) {
      offset += strides[i - 1] - index[i] * strides[i];
      index[i] = 0;
      ++index[i - 1];
    }
  }
}

}  // namespace xgrad::lazy
