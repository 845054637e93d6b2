#pragma once
// Windows of a kernel: how many there are along an axis, and what of them lies on it. Nothing overflows,
// whatever the options are.
#include <algorithm>

#include <xgrad/core/base/error.hpp>

namespace xgrad::kernels {

/// Holds the sum of a few products of two longs.
__extension__ using Wide = __int128;

/// The numbers [first, last).
struct Range {
  long first, last;
};

/// Windows along an axis of `size` elements with `padding` more on each side: `count` of them, `stride`
/// apart, each of `kernel` taps, `dilation` apart.
struct Window {
  long size = 0, kernel = 1, stride = 1, padding = 0, dilation = 1, count = 0;

  /// Where a tap of a window lies: on the axis, or beside it in the padding.
  long at(long window, long tap) const { return window * stride - padding + tap * dilation; }
  bool has(long position) const { return position >= 0 && position < size; }
  /// The windows that have the tap on the axis.
  Range windows_of(long tap) const { return on_axis(at(0, tap), stride, count); }
  /// The taps that the window has on the axis.
  Range taps_of(long window) const { return on_axis(at(window, 0), dilation, kernel); }
  /// Whether each element is a window.
  bool is_identity() const { return kernel == 1 && stride == 1 && padding == 0 && count == size; }

  /// The size of the axis that the windows cover, with its padding, to the last element.
  Wide covered() const { return Wide(count - 1) * stride + extent() - 2 * Wide(padding); }
  /// Counts the windows that fit; 0 where none does. Throws Error that names `op` when the padded axis is
  /// longer than any array. Where there is one window or one tap, stride or dilation may be any number: they
  /// become one that can be added to others.
  void fit(const char* op) {
    const Wide padded = Wide(size) + 2 * Wide(padding);
    expect(padded <= max_array_bytes, "{}: a padding of {} is too large", op, padding);
    count = padded < extent() ? 0 : long((padded - extent()) / stride + 1);
    stride = std::min(stride, max_array_bytes), dilation = std::min(dilation, max_array_bytes);
  }

 private:
  Wide extent() const { return Wide(dilation) * (kernel - 1) + 1; }
  /// Those k of `many` for which first + k step lies on the axis.
  Range on_axis(long first, long step, long many) const {
    const auto below = [=](long end) {
      if (first + (many - 1) * step < end) return many;  // the common case does without a division
      return first >= end ? 0 : (end - first - 1) / step + 1;
    };
    return {below(0), below(size)};
  }
};

/// Windows over the rows and columns of images (n, c, h.size, w.size).
struct Windows2d {
  long n = 0, c = 0;
  Window h, w;

  long taps() const { return h.kernel * w.kernel; }
  /// What a window has over all channels: the rows of the columns.
  long depth() const { return c * taps(); }
  /// Windows of an image.
  long count() const { return h.count * w.count; }
  /// Elements of a channel, and of all.
  long pixels() const { return h.size * w.size; }
  long image() const { return c * pixels(); }
  /// Where tap (a, b) of window (i, j) lies in a channel, if it does.
  long offset(long i, long j, long a, long b) const { return h.at(i, a) * w.size + w.at(j, b); }
};

}  // namespace xgrad::kernels
