// Pooling: the maximum is a gather at the index of the largest, the mean is composed.
#include <xgrad/ops/pool.hpp>

#include <algorithm>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/number.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/attributes.hpp>
#include <xgrad/ops/kernels/pool.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/windows.hpp>

namespace xgrad {
namespace {

using kernels::Window, kernels::Windows2d;

Windows2d pooling(const char* op, const Variable& x, Pair kernel, const PoolOptions& options) {
  detail::check_images(op, x);
  const auto& [given, padding] = options;
  const Pair stride{given.h ? given.h : kernel.h, given.w ? given.w : kernel.w};
  const Windows2d s = detail::windows(op, kernel, {stride, padding});
  expect(padding.h <= kernel.h / 2 && padding.w <= kernel.w / 2,
         "{}: padding ({}, {}) is more than half of the kernel ({}, {})", op, padding.h, padding.w, kernel.h,
         kernel.w);
  expect(x.shape()[2] > 0 && x.shape()[3] > 0, "{}: kernel ({}, {}) does not fit into images {}", op,
         kernel.h, kernel.w, x.shape());
  return detail::over(op, x.shape(), s);
}

Variable pool_scatter(const Variable& g, const Array& indices, const Windows2d& s);

/// The element at the recorded index of each window.
Variable pool_gather(const Variable& x, const Array& indices, const Windows2d& s) {
  return record("pool_gather", keep_number(x.data(), kernels::pool_gather(x.data(), indices, s)),
                {{x, [=](auto& gy) { return pool_scatter(gy, indices, s); }}});
}
/// Its adjoint: each element at the recorded index of its window, zeros elsewhere.
Variable pool_scatter(const Variable& g, const Array& indices, const Windows2d& s) {
  return record("pool_scatter", keep_number(g.data(), kernels::pool_scatter(g.data(), indices, s)),
                {{g, [=](auto& gx) { return pool_gather(gx, indices, s); }}});
}

}  // namespace

Variable max_pool2d(const Variable& x, Pair kernel, const PoolOptions& options) {
  if (tracing()) return traced("max_pool2d", max_pool2d, detail::Pooling{kernel, options}, x);
  const Windows2d s = pooling("max_pool2d", x, kernel, options);
  const auto [y, indices] = kernels::max_pool(x.data(), s);
  return record("max_pool2d", keep_number(x.data(), y),
                {{x, [=, indices = indices](auto& gy) { return pool_scatter(gy, indices, s); }}});
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
Variable sum_along(const Variable& x, int axis, const Window& w) {
  if (w.count == 1) return sum(slice(x, axis, 0, w.kernel - w.padding), axis, keepdims);
  const long end = w.padding + w.size, reach = (w.count - 1) * w.stride;
  const long first = std::max(0l, w.padding - reach), last = x.size() ? std::min(w.kernel, end) : first + 1;
  std::vector<std::pair<long, long>> widths(std::size_t(x.rank() - axis));
  widths[0] = {w.padding - first, std::max(0l, reach + last - end)};
  const Variable padded = widths[0] == std::pair(0l, 0l) ? x : pad(x, widths);
  return sum_of(0, last - first,
                [&](long tap) { return slice(padded, axis, tap, tap + reach + 1, w.stride); });
}

}  // namespace

// Rows first, then columns: the sums of at most kernel.h + kernel.w slices.
Variable avg_pool2d(const Variable& x, Pair kernel, const PoolOptions& options) {
  if (tracing()) return traced("avg_pool2d", avg_pool2d, detail::Pooling{kernel, options}, x);
  const Windows2d s = pooling("avg_pool2d", x, kernel, options);
  return sum_along(sum_along(x, 2, s.h), 3, s.w) / double(s.taps());
}

Variable global_avg_pool(const Variable& x) {
  if (tracing()) return traced("global_avg_pool", global_avg_pool, x);
  expect(x.rank() == 4, "global_avg_pool: input {} is not (N, C, H, W)", x.shape());
  expect(x.shape()[2] * x.shape()[3] > 0, "global_avg_pool: images {} are empty", x.shape());
  return mean(x, {2, 3});
}

}  // namespace xgrad
