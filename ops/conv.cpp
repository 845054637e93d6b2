// Convolution: <g, conv2d(x, w)> is linear in g, x and w, so the three partial derivatives are each other's
// rules.
#include <xgrad/ops/conv.hpp>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/number.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/attributes.hpp>
#include <xgrad/ops/kernels/conv.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/windows.hpp>

namespace xgrad {
namespace {

using detail::check_images, detail::over, detail::windows;
using kernels::ConvShape, kernels::Wide, kernels::Windows2d;

Variable convolve(const Variable& x, const Variable& w, const ConvShape& s);
Variable convolve_input(const Variable& g, const Variable& w, const ConvShape& s);
Variable convolve_weight(const Variable& g, const Variable& x, const ConvShape& s);

/// y = conv(x, w).
Variable convolve(const Variable& x, const Variable& w, const ConvShape& s) {
  return record("conv2d", keep_number(x.data(), w.data(), kernels::conv2d(x.data(), w.data(), s)),
                {{x, [=](auto& gy) { return convolve_input(gy, w, s); }},
                 {w, [=](auto& gy) { return convolve_weight(gy, x, s); }}});
}
/// The derivative of <g, conv(x, w)> with respect to x.
Variable convolve_input(const Variable& g, const Variable& w, const ConvShape& s) {
  return record("conv2d_input", keep_number(g.data(), w.data(), kernels::conv2d_input(g.data(), w.data(), s)),
                {{g, [=](auto& gx) { return convolve(gx, w, s); }},
                 {w, [=](auto& gx) { return convolve_weight(g, gx, s); }}});
}
/// The derivative of <g, conv(x, w)> with respect to w.
Variable convolve_weight(const Variable& g, const Variable& x, const ConvShape& s) {
  return record("conv2d_weight", kernels::conv2d_weight(g.data(), x.data(), s),
                {{g, [=](auto& gw) { return convolve(x, gw, s); }},
                 {x, [=](auto& gw) { return convolve_input(g, gw, s); }}});
}

bool splits(long channels, long groups) {
  return groups > 0 && channels % groups == 0 && groups <= std::max(1l, channels);
}

Variable add_bias(const char* op, const Variable& y, const Variable& bias) {
  if (!bias.defined()) return y;
  const long channels = y.shape()[1];
  expect(bias.shape() == Shape{channels}, "{}: bias {} does not fit {} channels", op, bias.shape(), channels);
  Variable sums = y, offset = bias;
  adapt(op, sums, offset);
  expect(offset.dtype() == sums.dtype(), "{}: input is {}, bias {}", op, y.dtype(), bias.dtype());
  return sums + reshape(offset, {1, channels, 1, 1});
}

}  // namespace

Variable conv2d(const Variable& images, const Variable& kernels, const Variable& bias,
                const Conv2dOptions& options) {
  if (tracing()) return traced("conv2d", conv2d, options, images, kernels, bias);
  Variable x = images, weight = kernels;
  adapt("conv2d", x, weight);
  check_images("conv2d", x);
  expect(weight.rank() == 4, "conv2d: weight {} is not (O, C, KH, KW)", weight.shape());
  expect(weight.dtype() == x.dtype(), "conv2d: input is {}, weight {}", x.dtype(), weight.dtype());
  const auto& [stride, padding, dilation, groups, direct] = options;
  const long channels = x.shape()[1], outputs = weight.shape()[0];
  expect(splits(channels, groups) && outputs % groups == 0,
         "conv2d: {} input and {} output channels do not split into {} groups", channels, outputs, groups);
  expect(weight.shape()[1] == channels / groups, "conv2d: input has {} channels but weight {} expects {}",
         channels, weight.shape(), Wide(weight.shape()[1]) * groups);
  const Pair kernel{weight.shape()[2], weight.shape()[3]};
  ConvShape s{over("conv2d", x.shape(), windows("conv2d", kernel, {stride, padding, dilation})), groups,
              outputs / groups, direct};
  s.c = channels / groups;
  check_shape("conv2d", {s.n, outputs, s.h.count, s.w.count}, width(x.dtype()));
  return add_bias("conv2d", convolve(x, weight, s), bias);
}

void set_direct_convolution(bool on) {
  kernels::set_conv_lowering(on ? kernels::ConvLowering::general : kernels::ConvLowering::automatic);
}

Variable conv_transpose2d(const Variable& images, const Variable& kernels, const Variable& bias,
                          const ConvTranspose2dOptions& options) {
  if (tracing()) return traced("conv_transpose2d", conv_transpose2d, options, images, kernels, bias);
  Variable x = images, weight = kernels;
  adapt("conv_transpose2d", x, weight);
  const auto& [stride, padding, extra, dilation, groups, direct] = options;
  check_images("conv_transpose2d", x);
  expect(weight.rank() == 4, "conv_transpose2d: weight {} is not (C, O, KH, KW)", weight.shape());
  expect(weight.dtype() == x.dtype(), "conv_transpose2d: input is {}, weight {}", x.dtype(), weight.dtype());
  const long channels = x.shape()[1];
  expect(weight.shape()[0] == channels, "conv_transpose2d: input has {} channels but weight {} expects {}",
         channels, weight.shape(), weight.shape()[0]);
  expect(splits(channels, groups), "conv_transpose2d: {} channels do not split into {} groups", channels,
         groups);
  const Pair size{x.shape()[2], x.shape()[3]};
  expect(size.h > 0 && size.w > 0, "conv_transpose2d: images {} are empty", x.shape());
  Windows2d s =
      windows("conv_transpose2d", {weight.shape()[2], weight.shape()[3]}, {stride, padding, dilation});
  expect(extra.h >= 0 && extra.w >= 0 && extra.h < std::max(stride.h, dilation.h) &&
             extra.w < std::max(stride.w, dilation.w),
         "conv_transpose2d: output_padding ({}, {}) must be smaller than stride or dilation", extra.h,
         extra.w);
  s.h.count = size.h, s.w.count = size.w;
  const Wide h = s.h.covered() + extra.h, w = s.w.covered() + extra.w,
             outputs = Wide(weight.shape()[1]) * groups;
  const auto possible = [](Wide length) { return 0 < length && length <= max_array_bytes; };
  expect(possible(h) && possible(w) && outputs <= max_array_bytes,
         "conv_transpose2d: images {} would become ({}, {})", x.shape(), h, w);
  // It is the gradient of a convolution whose input is our result. Where output_padding adds a stride or
  // more, that has room for more windows than there are pixels in ours, which decide.
  s = over("conv_transpose2d", {x.shape()[0], long(outputs), long(h), long(w)}, s);
  s.c = weight.shape()[1], s.h.count = size.h, s.w.count = size.w;
  return add_bias("conv_transpose2d", convolve_input(x, weight, {s, groups, channels / groups, direct}),
                  bias);
}

Variable unfold(const Variable& x, Pair kernel, const WindowOptions& options) {
  if (tracing()) return traced("unfold", unfold, detail::Unfolding{kernel, options}, x);
  check_images("unfold", x);
  const Windows2d s = over("unfold", x.shape(), windows("unfold", kernel, options));
  return record("unfold", keep_number(x.data(), kernels::unfold(x.data(), s)),
                {{x, [=](auto& gy) {
                    return fold(gy, {s.h.size, s.w.size}, kernel, options);
                  }}});
}

Variable fold(const Variable& columns, Pair size, Pair kernel, const WindowOptions& options) {
  if (tracing()) return traced("fold", fold, detail::Folding{size, kernel, options}, columns);
  Windows2d s = windows("fold", kernel, options);
  expect(size.h > 0 && size.w > 0, "fold: the size of the images ({}, {}) is not positive", size.h, size.w);
  const Wide taps = Wide(kernel.h) * kernel.w;
  expect(columns.rank() == 3 && is_f32_or_f64(columns.dtype()) && columns.shape()[1] % taps == 0,
         "fold: {} of {} are not columns (N, C KH KW, L) of a kernel ({}, {})", columns.shape(),
         columns.dtype(), kernel.h, kernel.w);
  const long channels = long(columns.shape()[1] / taps);
  s = over("fold", {columns.shape()[0], channels, size.h, size.w}, s);
  expect(columns.shape()[2] == s.count(), "fold: images of ({}, {}) have {} windows, not {}", size.h, size.w,
         s.count(), columns.shape()[2]);
  return record("fold", keep_number(columns.data(), kernels::fold(columns.data(), s)),
                {{columns, [=](auto& gy) { return unfold(gy, kernel, options); }}});
}

}  // namespace xgrad
