// Softmax, its logarithm and the log of a sum of exponentials: three primitives whose rules are each other.
#include <cmath>

#include <xgrad/core/array/map.hpp>
#include <xgrad/core/array/pack_math.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/attributes.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/strong.hpp>

namespace xgrad {
namespace {

Axes checked_axes(const char* op, const Variable& x, const Axes& axes) {
  expect(is_f32_or_f64(x.dtype()), "{}: not defined for {}; cast to f32 or f64 first", op, x.dtype());
  return normalize_axes(op, axes, x.rank());
}
Axes axis_with_elements(const char* op, const Variable& x, int axis) {
  const Axes axes = checked_axes(op, x, Axes(axis));
  expect(x.shape()[axes[0]] > 0, "{}: shape {} has no elements along axis {}", op, x.shape(), axes[0]);
  return axes;
}

// The values are computed on arrays: the tape need not see their parts.
Array reduce(ReduceKind kind, const Array& x, const Axes& axes) {
  return lazy::reduce_to(kind, x, keep_axes(x.shape(), axes));
}
/// The largest elements along the axes; 0 instead of minus infinity, so that exp(x - it) is 0 and not NaN.
Array pivot(const Array& x, const Axes& axes) {
  auto finite = [](auto m) {
    using P = decltype(m);
    return pack::select(m == P(-INFINITY), P(0), m);
  };
  return map("pivot", finite, reduce(ReduceKind::max, x, axes));
}
/// x - largest: exp of it cannot overflow, and digits that all elements share are gone before any are rounded
/// away. 0 where they are equal, be they infinite.
template <class P>
P shifted(const P& v, const P& largest) {
  return pack::select(v == largest, P(0), v - largest);
}
/// log(sum(exp(x - largest))). One largest element is left out of the sum, for log1p: beside a 1 the others
/// would lose their digits, which are all there is to the loss of a confident prediction.
Array log_sum_exp(const Array& x, const Array& largest, const Axes& axes) {
  auto below = [](auto v, auto m) { return pack::select(v == m, decltype(v)(0), pack::exp(v - m)); };
  auto tie = [](auto v, auto m) { return pack::mask(v, v == m); };
  const Array others = reduce(ReduceKind::sum, map("exp_below_max", below, x, largest), axes);
  const Array ties = reduce(ReduceKind::sum, map("is_max", tie, x, largest), axes);
  return map(
      "log1p", [](auto s, auto n) { return pack::log1p(s + (n - decltype(n)(1))); }, others, ties);
}

Array softmax_values(const Array& x, const Axes& axes) {
  const Array e = map(
      "exp", [](auto v, auto m) { return pack::exp(shifted(v, m)); }, x, pivot(x, axes));
  return map(
      "div", [](auto v, auto s) { return v / s; }, e, reduce(ReduceKind::sum, e, axes));
}
Array log_softmax_values(const Array& x, const Axes& axes) {
  const Array largest = pivot(x, axes);
  return map(
      "log_softmax", [](auto v, auto m, auto s) { return shifted(v, m) - s; }, x, largest,
      log_sum_exp(x, largest, axes));
}
Array logsumexp_values(const Array& x, const Axes& axes) {
  const Array largest = pivot(x, axes);
  return map(
      "add", [](auto s, auto m) { return s + m; }, log_sum_exp(x, largest, axes), largest);
}

// Both rules subtract a weighted sum twice. In exact arithmetic the second one is 0; it holds what the first
// lost by rounding, which is all there is where a probability is near 1.
Variable softmax_along(const Variable& x, const Axes& axes) {
  auto rule = [=](auto& gy, auto& y) {  // y (gy - sum(y gy))
    const Variable g = gy - sum(strong_mul(y, gy), axes, keepdims).detach();
    return strong_mul(y, g - sum(strong_mul(y, g), axes, keepdims));
  };
  return record("softmax", softmax_values(x.data(), axes), {{x, rule}});
}

}  // namespace

Variable softmax(const Variable& x, Axis axis) {
  if (tracing()) return traced("softmax", softmax, detail::Along{axis}, x);
  return softmax_along(x, axis_with_elements("softmax", x, axis));
}

Variable log_softmax(const Variable& x, Axis axis) {
  if (tracing()) return traced("log_softmax", log_softmax, detail::Along{axis}, x);
  const Axes axes = axis_with_elements("log_softmax", x, axis);
  auto rule = [=](auto& gy, auto& y) {  // gy - p sum(gy)
    const Variable p = exp(y), g = gy - strong_mul(p, sum(gy, axes, keepdims).detach());
    return g - strong_mul(p, sum(g, axes, keepdims));
  };
  return record("log_softmax", log_softmax_values(x.data(), axes), {{x, rule}});
}

Variable logsumexp(const Variable& x, const Axes& axes, bool keep) {
  if (tracing()) return traced("logsumexp", logsumexp, detail::Over{axes, keep}, x);
  const Axes all = checked_axes("logsumexp", x, axes);
  for (int axis : all)
    if (x.shape()[axis] == 0) return sum(x, all, keep) - INFINITY;  // the logarithm of an empty sum
  // Of a row of minus infinities, whose softmax is NaN, no element is worth anything.
  auto rule = [=](auto& gy, auto& y) {
    return strong_mul(where(y == -INFINITY, 0, gy), softmax_along(x, all));
  };
  const Variable y = record("logsumexp", logsumexp_values(x.data(), all), {{x, rule}});
  return keep ? y : reshape(y, drop_axes(x.shape(), all));
}

}  // namespace xgrad
