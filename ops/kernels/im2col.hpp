#pragma once
// Windows of one image as columns, a block of output rows at a time, and the adjoint.
#include <algorithm>
#include <cstring>

#include "ops/kernels/conv.hpp"

namespace xgrad::kernels {

/// The columns whose tap (a, b) falls inside the image, for output rows of width s.ow: [first, last).
struct Inside {
  long first, last;
  Inside(long tap_offset, long stride, long size, long count) {
    first = tap_offset >= 0 ? 0 : (-tap_offset + stride - 1) / stride;
    last = tap_offset >= size ? 0 : (size - tap_offset + stride - 1) / stride;
    last = std::min(last, count);
    first = std::min(first, std::max(last, 0l));
    last = std::max(first, last);
  }
};

/// Calls f(row of the columns, position in that row, channel, image row or -1, tap b) for each line of ow
/// elements.
template <class F>
void each_window_line(const ConvShape& s, long first_row, long rows, F f) {
  long line = 0;
  for (long c = 0; c < s.c; ++c)
    for (long a = 0; a < s.kh; ++a)
      for (long b = 0; b < s.kw; ++b, ++line)
        for (long r = 0; r < rows; ++r) {
          const long ih = (first_row + r) * s.sh - s.ph + a * s.dh;
          f(line, r * s.ow, c, ih >= 0 && ih < s.h ? ih : -1, b);
        }
}

/// One image (c, h, w) -> columns (c kh kw, rows ow) for the output rows from first_row; `stride` elements a
/// row.
template <class T>
void im2col(const ConvShape& s, const T* image, long first_row, long rows, T* columns, long stride) {
  each_window_line(s, first_row, rows, [&](long line, long at, long c, long ih, long b) {
    T* out = columns + line * stride + at;
    if (ih < 0) return void(std::fill_n(out, s.ow, T(0)));
    const long offset = b * s.dw - s.pw;
    const Inside inside(offset, s.sw, s.w, s.ow);
    const T* in = image + (c * s.h + ih) * s.w + offset;
    std::fill_n(out, inside.first, T(0));
    if (s.sw == 1)
      std::memcpy(out + inside.first, in + inside.first, std::size_t(inside.last - inside.first) * sizeof(T));
    else
      for (long i = inside.first; i < inside.last; ++i) out[i] = in[i * s.sw];
    std::fill_n(out + inside.last, s.ow - inside.last, T(0));
  });
}

/// Adds columns back to the image they would have come from: the adjoint of im2col.
template <class T>
void col2im(const ConvShape& s, const T* columns, long stride, long first_row, long rows, T* image) {
  each_window_line(s, first_row, rows, [&](long line, long at, long c, long ih, long b) {
    if (ih < 0) return;
    const T* in = columns + line * stride + at;
    const long offset = b * s.dw - s.pw;
    const Inside inside(offset, s.sw, s.w, s.ow);
    T* out = image + (c * s.h + ih) * s.w + offset;
    if (s.sw == 1)
      for (long i = inside.first; i < inside.last; ++i) out[i] += in[i];
    else
      for (long i = inside.first; i < inside.last; ++i) out[i * s.sw] += in[i];
  });
}

}  // namespace xgrad::kernels
