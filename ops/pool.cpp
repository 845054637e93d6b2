// Pooling: the maximum is a gather at the place of the largest, the mean is composed.
#include <xgrad/ops/pool.hpp>

#include <algorithm>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/number.hpp>
#include <xgrad/core/tape/trace.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/attributes.hpp>
#include <xgrad/ops/kernels/pool.hpp>
#include <xgrad/ops/kernels/windows.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {
namespace {

using kernels::PoolShape;

PoolShape pool_shape(const char* op, const Variable& x, Pair kernel, const PoolOptions& options) {
  expect(x.rank() == 4, "{}: input {} is not (N, C, H, W)", op, x.shape());
  expect(is_floating(x.dtype()), "{}: not defined for {}; cast to f32 first", op, x.dtype());
  expect(kernel.h > 0 && kernel.w > 0, "{}: kernel ({}, {}) is not positive", op, kernel.h, kernel.w);
  const Pair padding = options.padding;
  const Pair stride{options.stride.h ? options.stride.h : kernel.h,
                    options.stride.w ? options.stride.w : kernel.w};
  expect(stride.h > 0 && stride.w > 0, "{}: stride ({}, {}) is not positive", op, stride.h, stride.w);
  expect(padding.h >= 0 && padding.w >= 0 && padding.h <= kernel.h / 2 && padding.w <= kernel.w / 2,
         "{}: padding ({}, {}) is more than half of the kernel ({}, {})", op, padding.h, padding.w, kernel.h,
         kernel.w);
  PoolShape s{};
  s.n = x.shape()[0], s.c = x.shape()[1], s.h = x.shape()[2], s.w = x.shape()[3];
  s.kh = kernel.h, s.kw = kernel.w, s.sh = kernels::bounded(stride.h), s.sw = kernels::bounded(stride.w);
  s.ph = padding.h, s.pw = padding.w;
  s.oh = kernels::count_windows(op, s.h, s.kh, stride.h, s.ph, 1);
  s.ow = kernels::count_windows(op, s.w, s.kw, stride.w, s.pw, 1);
  expect(s.h > 0 && s.w > 0 && s.oh > 0 && s.ow > 0, "{}: kernel ({}, {}) does not fit into images {}", op,
         kernel.h, kernel.w, x.shape());
  check_shape(op, {s.n, s.c, s.kh, s.kw, s.oh, s.ow}, width(DType::f64));  // the elements of all windows
  return s;
}

Variable pool_scatter(const Variable& g, const Array& places, const PoolShape& s);

/// The element at the noted place of each window.
Variable pool_gather(const Variable& x, const Array& places, const PoolShape& s) {
  return record("pool_gather", keep_number(x.data(), kernels::pool_gather(x.data(), places, s)),
                {{x, [=](auto& gy) { return pool_scatter(gy, places, s); }}});
}
/// Its adjoint: each element at the noted place of its window, zeros elsewhere.
Variable pool_scatter(const Variable& g, const Array& places, const PoolShape& s) {
  return record("pool_scatter", keep_number(g.data(), kernels::pool_scatter(g.data(), places, s)),
                {{g, [=](auto& gx) { return pool_gather(gx, places, s); }}});
}

}  // namespace

Variable max_pool2d(const Variable& x, Pair kernel, const PoolOptions& options) {
  if (tracing()) return traced("max_pool2d", max_pool2d, detail::Pooling{kernel, options}, x);
  const PoolShape s = pool_shape("max_pool2d", x, kernel, options);
  const auto [y, places] = kernels::max_pool(x.data(), s);
  return record("max_pool2d", keep_number(x.data(), y),
                {{x, [=, places = places](auto& gy) { return pool_scatter(gy, places, s); }}});
}

namespace {

/// The sum of the `count` parts from `first` on, as a tree.
template <class F>
Variable sum_of(long first, long count, const F& part) {
  if (count == 1) return part(first);
  return sum_of(first, count / 2, part) + sum_of(first + count / 2, count - count / 2, part);
}

/// The sums of the windows along an axis: one slice for each tap that meets the image in some window. The
/// kernel may be much longer than the image, and an empty array may have any length.
Variable sum_along(const Variable& x, int axis, long taps, long stride, long padding, long windows) {
  if (windows == 1) return sum(slice(x, axis, 0, taps - padding), axis, keepdims);
  const long end = padding + x.shape()[axis], reach = (windows - 1) * stride;
  const long first = std::max(0l, padding - reach), last = x.size() ? std::min(taps, end) : first + 1;
  std::vector<std::pair<long, long>> widths(std::size_t(x.rank() - axis));
  widths[0] = {padding - first, std::max(0l, reach + last - end)};
  const Variable padded = widths[0] == std::pair(0l, 0l) ? x : pad(x, widths);
  return sum_of(0, last - first, [&](long tap) { return slice(padded, axis, tap, tap + reach + 1, stride); });
}

}  // namespace

// Rows first, then columns: the sums of at most kernel.h + kernel.w slices.
Variable avg_pool2d(const Variable& x, Pair kernel, const PoolOptions& options) {
  if (tracing()) return traced("avg_pool2d", avg_pool2d, detail::Pooling{kernel, options}, x);
  const PoolShape s = pool_shape("avg_pool2d", x, kernel, options);
  const Variable rows = sum_along(x, 2, s.kh, s.sh, s.ph, s.oh);
  return sum_along(rows, 3, s.kw, s.sw, s.pw, s.ow) / double(s.kh * s.kw);
}

Variable global_avg_pool(const Variable& x) {
  if (tracing()) return traced("global_avg_pool", global_avg_pool, x);
  expect(x.rank() == 4, "global_avg_pool: input {} is not (N, C, H, W)", x.shape());
  expect(x.shape()[2] * x.shape()[3] > 0, "global_avg_pool: images {} are empty", x.shape());
  return mean(x, {2, 3});
}

}  // namespace xgrad
