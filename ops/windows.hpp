#pragma once
// What operations over windows of images (N, C, H, W) check (private to ops).
#include <xgrad/core/base/error.hpp>
#include <xgrad/ops/conv.hpp>
#include <xgrad/ops/kernels/window.hpp>

namespace xgrad::detail {

inline void check_images(const char* op, const Variable& x) {
  expect(x.rank() == 4, "{}: input {} is not (N, C, H, W)", op, x.shape());
  expect(is_f32_or_f64(x.dtype()), "{}: not defined for {}; cast to f32 first", op, x.dtype());
}

/// Windows by options that are possible; what they lie over remains to be said.
inline kernels::Windows2d windows(const char* op, Pair kernel, const WindowOptions& options) {
  const auto check = [&](const char* what, Pair p, long least) {
    expect(p.h >= least && p.w >= least, "{}: {} ({}, {}) is {}", op, what, p.h, p.w,
           least ? "not positive" : "negative");
  };
  const auto& [stride, padding, dilation] = options;
  check("kernel", kernel, 1), check("stride", stride, 1), check("dilation", dilation, 1);
  check("padding", padding, 0);
  return {
      .h = {.kernel = kernel.h, .stride = stride.h, .padding = padding.h, .dilation = dilation.h},
      .w = {.kernel = kernel.w, .stride = stride.w, .padding = padding.w, .dilation = dilation.w},
  };
}

/// The same over images, as many as fit: one at least. The columns that they make must be countable too.
inline kernels::Windows2d over(const char* op, const Shape& images, kernels::Windows2d s) {
  check_shape(op, images, width(DType::f64));
  s.n = images[0], s.c = images[1], s.h.size = images[2], s.w.size = images[3];
  s.h.fit(op), s.w.fit(op);
  expect(s.h.count > 0 && s.w.count > 0, "{}: kernel ({}, {}) does not fit into images {}", op, s.h.kernel,
         s.w.kernel, images);
  check_shape(op, {s.n, s.c, s.h.kernel, s.w.kernel, s.h.count, s.w.count}, width(DType::f64));
  return s;
}

}  // namespace xgrad::detail
