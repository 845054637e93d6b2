#pragma once
// Windows of one image as columns, a block of output rows at a time, and the adjoint.
#include <algorithm>
#include <cstring>

#include <xgrad/core/array/wide_sum.hpp>
#include <xgrad/ops/kernels/scratch.hpp>
#include <xgrad/ops/kernels/simd.hpp>
#include <xgrad/ops/kernels/window.hpp>

namespace xgrad::kernels {

/// Calls f(position, row, inside) for the elements of each output row of row `line` of the columns: those
/// inside are taken from `row` on (null if no element lies inside), every s.w.stride elements.
template <class T, class F>
void each_window(const Windows2d& s, T* image, long line, long first_row, long rows, F f) {
  const long b = line % s.w.kernel, a = line / s.w.kernel % s.h.kernel, c = line / s.taps();
  const Range inside = s.w.windows_of(b);
  for (long r = 0; r < rows; ++r) {
    const bool any = s.h.has(s.h.at(first_row + r, a)) && inside.first < inside.last;
    f(r * s.w.count, any ? image + c * s.pixels() + s.offset(first_row + r, inside.first, a, b) : nullptr,
      inside);
  }
}

/// Copies a row: short ones by packs, the last of which overlaps the one before.
template <class T>
void copy_row(T* to, const T* from, long n) {
  using Loose = LooseWidePack<T>;
  constexpr long width = lanes_of<T>;
  if (n < width) return void(std::copy_n(from, n, to));
  for (long i = 0; i < n; i += width) {
    const long at = std::min(i, n - width);
    *reinterpret_cast<Loose*>(to + at) = *reinterpret_cast<const Loose*>(from + at);
  }
}

/// Row `line` of the columns of one image (c, h, w), for the output rows from first_row.
template <class T>
void window_line(const Windows2d& s, const T* image, long line, long first_row, long rows, T* to) {
  each_window(s, image, line, first_row, rows, [&](long at, const T* in, const Range& inside) {
    T* out = to + at;
    if (!in) return void(std::fill_n(out, s.w.count, T(0)));
    if (inside.first) std::fill_n(out, inside.first, T(0));
    if (s.w.stride == 1)
      copy_row(out + inside.first, in, inside.last - inside.first);
    else
      for (long i = inside.first; i < inside.last; ++i) out[i] = in[(i - inside.first) * s.w.stride];
    if (inside.last < s.w.count) std::fill_n(out + inside.last, s.w.count - inside.last, T(0));
  });
}

/// One image -> columns (c kh kw, rows ow), `stride` elements a row.
template <class T>
void im2col(const Windows2d& s, const T* image, long first_row, long rows, T* columns, long stride) {
  for (long line = 0; line < s.depth(); ++line)
    window_line(s, image, line, first_row, rows, columns + line * stride);
}

/// The columns' rows [first, first + depth) as a product wants its right side: panels[pixel /
/// lanes][row][pixel % lanes].
template <class T>
void pack_windows(const Windows2d& s, const T* image, long first_row, long rows, long first, long depth,
                  T* panels) {
  using Pack = WidePack<T>;
  constexpr long width = lanes_of<T>;
  const long pixels = round_up(rows * s.w.count, width);
  const Scratch<T> line(pixels);
  std::fill_n(line + pixels - width, width, T(0));
  for (long k = 0; k < depth; ++k) {
    window_line(s, image, first + k, first_row, rows, line.data());
    for (long p = 0; p < pixels; p += width)
      *reinterpret_cast<Pack*>(panels + p * depth + k * width) = *reinterpret_cast<const Pack*>(line + p);
  }
}

/// Adds columns back to the image they would have come from, to sums of type Sum: the adjoint of im2col.
template <class T, class Sum, class Add>
void col2im(const Windows2d& s, const T* columns, long stride, long first_row, long rows, Sum* image,
            Add add) {
  for (long line = 0; line < s.depth(); ++line)
    each_window(s, image, line, first_row, rows, [&](long at, Sum* out, const Range& inside) {
      if (!out) return;
      const T* in = columns + line * stride + at + inside.first;
      const long count = inside.last - inside.first;
      if (s.w.stride == 1)
        for (long i = 0; i < count; ++i) add(out[i], in[i]);
      else
        for (long i = 0; i < count; ++i) add(out[i * s.w.stride], in[i]);
    });
}

/// An image whose elements are sums of what columns bring back to it: wide sums where many taps meet in one.
template <class T>
class ImageOfSums {
 public:
  ImageOfSums(const Windows2d& s, T* image)
      : shape_(s), image_(image), many_(s.taps() > few), sums_(many_ ? size() : 0) {
    if (many_)
      std::fill_n(sums_.data(), size(), WideSum<T>());
    else
      std::fill_n(image_, size(), T(0));
  }
  void add(const T* columns, long stride, long first_row, long rows) {
    if (many_)
      col2im(shape_, columns, stride, first_row, rows, sums_.data(),
             [](WideSum<T>& sum, T x) { sum.add(x); });
    else
      col2im(shape_, columns, stride, first_row, rows, image_, [](T& sum, T x) { sum += x; });
  }
  /// To be called after the last addition.
  void finish() {
    if (many_)
      for (long i = 0; i < size(); ++i) image_[i] = rounded<T>(sums_[i]);
  }

 private:
  static constexpr long few = 9;  // that many additions one after another lose at most eight roundings
  long size() const { return shape_.image(); }

  const Windows2d& shape_;
  T* image_;
  bool many_;
  Scratch<WideSum<T>> sums_;
};

}  // namespace xgrad::kernels
