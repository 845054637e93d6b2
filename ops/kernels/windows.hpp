#pragma once
// How many windows there are along an axis, counted without overflow whatever the options are.
#include <algorithm>

#include <xgrad/core/base/error.hpp>

namespace xgrad::kernels {

/// Holds the sum of a few products of two longs.
__extension__ using Wide = __int128;

/// How many windows of `kernel` taps, `dilation` apart, there are along an axis that is padded on both sides;
/// 0 where none fits. Throws Error that names `op` when the padded axis is longer than any array. All
/// arguments but `size` and `padding` are positive, those two are not negative.
inline long count_windows(const char* op, long size, long kernel, long stride, long padding, long dilation) {
  const Wide padded = Wide(size) + 2 * Wide(padding), span = Wide(dilation) * (kernel - 1) + 1;
  expect(padded <= max_array_bytes, "{}: a padding of {} is too large", op, padding);
  return padded < span ? 0 : long((padded - span) / stride + 1);
}

/// A stride that leads from a window to the next; where there is one window only it may be any number, which
/// kernels do not add to others.
inline long bounded(long stride) { return std::min(stride, max_array_bytes); }

}  // namespace xgrad::kernels
