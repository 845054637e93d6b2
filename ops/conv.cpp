// Convolution: <g, conv2d(x, w)> is linear in g, x and w, so the three partial derivatives are each other's
// rules.
#include <xgrad/ops/conv.hpp>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/number.hpp>
#include <xgrad/core/tape/trace.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/attributes.hpp>
#include <xgrad/ops/kernels/conv.hpp>
#include <xgrad/ops/kernels/windows.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {
namespace {

using kernels::ConvShape;
using kernels::Wide;

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

void check_options(const char* op, Pair stride, Pair padding, Pair dilation) {
  expect(stride.h > 0 && stride.w > 0, "{}: stride ({}, {}) is not positive", op, stride.h, stride.w);
  expect(dilation.h > 0 && dilation.w > 0, "{}: dilation ({}, {}) is not positive", op, dilation.h,
         dilation.w);
  expect(padding.h >= 0 && padding.w >= 0, "{}: padding ({}, {}) is negative", op, padding.h, padding.w);
}

void check_images(const char* op, const Variable& x) {
  expect(x.rank() == 4, "{}: input {} is not (N, C, H, W)", op, x.shape());
  expect(is_floating(x.dtype()), "{}: not defined for {}; cast to f32 first", op, x.dtype());
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

/// The geometry of the windows of a kernel over images.
ConvShape windows(const char* op, const Shape& images, Pair kernel, Pair stride, Pair padding,
                  Pair dilation) {
  check_options(op, stride, padding, dilation);
  expect(kernel.h > 0 && kernel.w > 0, "{}: kernel ({}, {}) is not positive", op, kernel.h, kernel.w);
  check_shape(op, images, width(DType::f64));
  ConvShape s{};
  s.n = images[0], s.groups = 1, s.c = images[1], s.o = 0, s.h = images[2], s.w = images[3];
  s.kh = kernel.h, s.kw = kernel.w, s.sh = kernels::bounded(stride.h), s.sw = kernels::bounded(stride.w);
  s.ph = padding.h, s.pw = padding.w, s.dh = dilation.h, s.dw = dilation.w;
  s.oh = kernels::count_windows(op, s.h, s.kh, stride.h, s.ph, s.dh);
  s.ow = kernels::count_windows(op, s.w, s.kw, stride.w, s.pw, s.dw);
  expect(s.oh > 0 && s.ow > 0, "{}: kernel ({}, {}) does not fit into images {}", op, s.kh, s.kw, images);
  check_shape(op, {s.n, s.c, s.kh, s.kw, s.oh, s.ow}, width(DType::f64));  // the columns of all windows
  return s;
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
  const long groups = options.groups, channels = x.shape()[1], outputs = weight.shape()[0];
  expect(splits(channels, groups) && outputs % groups == 0,
         "conv2d: {} input and {} output channels do not split into {} groups", channels, outputs, groups);
  expect(weight.shape()[1] == channels / groups, "conv2d: input has {} channels but weight {} expects {}",
         channels, weight.shape(), Wide(weight.shape()[1]) * groups);
  ConvShape s = windows("conv2d", x.shape(), {weight.shape()[2], weight.shape()[3]}, options.stride,
                        options.padding, options.dilation);
  s.groups = groups, s.c = channels / groups, s.o = outputs / groups, s.direct = options.direct;
  check_shape("conv2d", {s.n, outputs, s.oh, s.ow}, width(x.dtype()));
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
  check_options("conv_transpose2d", stride, padding, dilation);
  expect(weight.rank() == 4, "conv_transpose2d: weight {} is not (C, O, KH, KW)", weight.shape());
  expect(weight.dtype() == x.dtype(), "conv_transpose2d: input is {}, weight {}", x.dtype(), weight.dtype());
  const long channels = x.shape()[1];
  expect(weight.shape()[0] == channels, "conv_transpose2d: input has {} channels but weight {} expects {}",
         channels, weight.shape(), weight.shape()[0]);
  expect(splits(channels, groups), "conv_transpose2d: {} channels do not split into {} groups", channels,
         groups);
  expect(extra.h >= 0 && extra.w >= 0 && extra.h < std::max(stride.h, dilation.h) &&
             extra.w < std::max(stride.w, dilation.w),
         "conv_transpose2d: output_padding ({}, {}) must be smaller than stride or dilation", extra.h,
         extra.w);
  const Pair size{x.shape()[2], x.shape()[3]}, kernel{weight.shape()[2], weight.shape()[3]};
  expect(size.h > 0 && size.w > 0, "conv_transpose2d: images {} are empty", x.shape());
  const auto length = [](long size, long kernel, long stride, long padding, long extra, long dilation) {
    return Wide(size - 1) * stride - 2 * Wide(padding) + Wide(dilation) * (kernel - 1) + extra + 1;
  };
  const Wide h = length(size.h, kernel.h, stride.h, padding.h, extra.h, dilation.h);
  const Wide w = length(size.w, kernel.w, stride.w, padding.w, extra.w, dilation.w);
  const Wide outputs = Wide(weight.shape()[1]) * groups;
  const auto possible = [](Wide length) { return 0 < length && length <= max_array_bytes; };
  expect(possible(h) && possible(w) && outputs <= max_array_bytes,
         "conv_transpose2d: images {} would become ({}, {})", x.shape(), h, w);
  // It is the gradient of a convolution whose input is our result. Where output_padding adds a stride or
  // more, that has room for more windows than there are pixels in ours, which decide.
  ConvShape s = windows("conv_transpose2d", {x.shape()[0], long(outputs), long(h), long(w)}, kernel, stride,
                        padding, dilation);
  s.groups = groups, s.c = weight.shape()[1], s.o = channels / groups, s.oh = size.h, s.ow = size.w,
  s.direct = direct;
  return add_bias("conv_transpose2d", convolve_input(x, weight, s), bias);
}

Variable unfold(const Variable& x, Pair kernel, const WindowOptions& options) {
  if (tracing()) return traced("unfold", unfold, detail::Unfolding{kernel, options}, x);
  check_images("unfold", x);
  const ConvShape s = windows("unfold", x.shape(), kernel, options.stride, options.padding, options.dilation);
  return record("unfold", keep_number(x.data(), kernels::unfold(x.data(), s)),
                {{x, [=](auto& gy) {
                    return fold(gy, {s.h, s.w}, kernel, options);
                  }}});
}

Variable fold(const Variable& columns, Pair size, Pair kernel, const WindowOptions& options) {
  if (tracing()) return traced("fold", fold, detail::Folding{size, kernel, options}, columns);
  expect(kernel.h > 0 && kernel.w > 0, "fold: kernel ({}, {}) is not positive", kernel.h, kernel.w);
  expect(size.h > 0 && size.w > 0, "fold: the size of the images ({}, {}) is not positive", size.h, size.w);
  const Wide taps = Wide(kernel.h) * kernel.w;
  expect(columns.rank() == 3 && is_floating(columns.dtype()) && columns.shape()[1] % taps == 0,
         "fold: {} of {} are not columns (N, C KH KW, L) of a kernel ({}, {})", columns.shape(),
         columns.dtype(), kernel.h, kernel.w);
  const long channels = long(columns.shape()[1] / taps);
  const ConvShape s = windows("fold", {columns.shape()[0], channels, size.h, size.w}, kernel, options.stride,
                              options.padding, options.dilation);
  expect(columns.shape()[2] == s.oh * s.ow, "fold: images of ({}, {}) have {} windows, not {}", size.h,
         size.w, s.oh * s.ow, columns.shape()[2]);
  return record("fold", keep_number(columns.data(), kernels::fold(columns.data(), s)),
                {{columns, [=](auto& gy) { return unfold(gy, kernel, options); }}});
}

}  // namespace xgrad
