// Reductions: sum, max and min are primitives, the others are composed.
#include <xgrad/ops/reduce.hpp>

#include <algorithm>
#include <cmath>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/core/tape/number.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/attributes.hpp>
#include <xgrad/ops/kernels/scan.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/moments.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/strong.hpp>

namespace xgrad {
namespace {

/// x in what its dtype is computed in.
Variable widened(const Variable& x) {
  const DType dtype = arithmetic(x.dtype());
  return x.dtype() == dtype ? x : cast(x, dtype);
}

/// The same of floating-point numbers.
Variable widened_floating(const char* op, const Variable& x) {
  expect(is_floating(x.dtype()), "{}: not defined for {}; cast to f32 or f64 first", op, x.dtype());
  return widened(x);
}

/// What an axes argument says about x.
struct Reduced {
  Axes axes;
  Shape kept, result;  // with the axes of length 1, and as asked for
  long count;          // elements in each result
};
Reduced reduced(const char* op, const Variable& x, const Axes& axes, bool keep) {
  Reduced r;
  r.axes = normalize_axes(op, axes, x.rank());
  r.kept = keep_axes(x.shape(), r.axes);
  r.result = keep ? r.kept : drop_axes(x.shape(), r.axes);
  r.count = 1;
  for (int axis : r.axes) r.count *= x.shape()[axis];
  return r;
}
/// The same for what there must be elements to compute.
Reduced reduced_some(const char* op, const Variable& x, const Axes& axes, bool keep) {
  const Reduced r = reduced(op, x, axes, keep);
  expect(r.count > 0, "{}: shape {} has no elements along the axes", op, x.shape());
  return r;
}

/// 1 where x equals y, else 0; NaN where y is.
Variable matches(const Variable& x, const Variable& y) {
  return elementwise("matches",
                     [](auto v, auto w) {
                       using P = decltype(v);
                       return pack::select(v == w, P(1), pack::select(w == w, P(0), w));
                     },
                     {{x}, {y}});
}

/// The largest or smallest element; the gradient goes to all elements equal to it, in even shares.
Variable extreme(const char* op, ReduceKind kind, const Variable& x, const Axes& axes, bool keep) {
  const Reduced r = reduced_some(op, x, axes, keep);
  auto rule = [=](auto& gy, auto& y) {
    const Variable equals = matches(x, y);
    return strong_mul(strong_div(gy, sum_to(equals, y.shape())), equals);
  };
  return reshape(record(op, lazy::reduce_to(kind, x.data(), r.kept), {{x, rule}}), r.result);
}

}  // namespace

Moments moments(const Variable& x, const Variable& shift, const Axes& axes) {
  Moments m;
  m.d = x - shift;
  m.mean_d = mean(m.d, axes, keepdims);
  m.var = elementwise(
      "var", [](auto squares, auto mean) { return pack::maximum(squares - mean * mean, decltype(mean)(0)); },
      {{mean(square(m.d), axes, keepdims), [](auto& gy) { return gy; }},
       {m.mean_d, [mean = m.mean_d](auto& gy) { return strong_mul(gy, mean * -2); }}});
  return m;
}

bool is_within(const Variable& mean, const Variable& var, double share) {
  return dispatch_floating(var.dtype(), [&]<class T>() {
    const T *means = mean.data().data<T>(), *squares = var.data().data<T>();
    return std::equal(means, means + var.size(), squares,
                      [=](T m, T v) { return m * m * T(share) <= v && v < INFINITY; });
  });
}

Variable sum(const Variable& given, const Axes& axes, bool keep) {
  if (tracing()) return traced("sum", sum, detail::Over{axes, keep}, given);
  const Variable x = widened(given);
  const Reduced r = reduced("sum", x, axes, keep);
  return reshape(sum_to(x, r.kept), r.result);
}

Variable mean(const Variable& given, const Axes& axes, bool keep) {
  if (tracing()) return traced("mean", mean, detail::Over{axes, keep}, given);
  const Variable x = widened_floating("mean", given);
  const Reduced r = reduced_some("mean", x, axes, keep);
  return reshape(sum_to(x, r.kept) / double(r.count), r.result);
}

Variable var(const Variable& given, const Axes& axes, bool keep) {
  if (tracing()) return traced("var", var, detail::Over{axes, keep}, given);
  const Variable x = widened_floating("var", given);
  const Reduced r = reduced_some("var", x, axes, keep);
  const Variable m = mean(x, r.axes, keepdims);
  Variable v = mean(square(x - m), r.axes, keepdims);
  // The mean is rounded by u |m|, which adds u^2 m^2: too much where the elements differ by less than that.
  if (const double u = x.dtype() == DType::f32 ? 0x1p-24 : 0x1p-53; !is_within(m, v, u))
    v = moments(x, m.detach(), r.axes).var;
  return reshape(v, r.result);
}

Variable max(const Variable& given, const Axes& axes, bool keep) {
  if (tracing()) return traced("max", max, detail::Over{axes, keep}, given);
  const Variable x = widened(given);
  return extreme("max", ReduceKind::max, x, axes, keep);
}
Variable min(const Variable& given, const Axes& axes, bool keep) {
  if (tracing()) return traced("min", min, detail::Over{axes, keep}, given);
  const Variable x = widened(given);
  return extreme("min", ReduceKind::min, x, axes, keep);
}

// A tree of multiplications: products of the other elements come by themselves, also where one is 0.
Variable prod(const Variable& given, const Axes& axes, bool keep) {
  if (tracing()) return traced("prod", prod, detail::Over{axes, keep}, given);
  const Variable x = widened(given);
  const Reduced r = reduced("prod", x, axes, keep);
  if (r.count == 0) return reshape(sum_to(x, r.kept), r.result) + 1;
  Axes order;
  for (int i = 0; i < x.rank(); ++i)
    if (std::find(r.axes.begin(), r.axes.end(), i) == r.axes.end()) order.push_back(i);
  order.insert(order.end(), r.axes.begin(), r.axes.end());
  Shape lines = drop_axes(x.shape(), r.axes);
  lines.push_back(r.count);
  Variable y = reshape(transpose(x, order), lines);
  for (long n = r.count; n > 1;) {
    const long half = n / 2;
    Variable pairs = slice(y, -1, 0, half) * slice(y, -1, half, 2 * half);
    y = n % 2 ? concat({pairs, slice(y, -1, n - 1, n)}, -1) : pairs;
    n = half + n % 2;
  }
  return reshape(y, r.result);
}

Variable cumsum(const Variable& given, Axis axis) {
  if (tracing()) return traced("cumsum", cumsum, detail::Along{axis}, given);
  const Variable x = widened(given);
  axis = normalize_axis("cumsum", axis, x.rank());
  return record("cumsum", keep_number(x.data(), kernels::cumsum(x.data(), axis)),
                {{x, [=](auto& gy) { return flip(cumsum(flip(gy, axis), axis), axis); }}});
}

Array argmax(const Variable& given, Axis axis, bool keep) {
  if (tracing()) return traced("argmax", argmax, detail::AlongOne{axis, keep}, given);
  const Variable x = widened(given);
  axis = normalize_axis("argmax", axis, x.rank());
  expect(x.shape()[axis] > 0, "argmax: shape {} has no elements along axis {}", x.shape(), axis);
  const Array indices = kernels::argmax(x.data(), axis);
  return keep ? indices : indices.reshape(drop_axes(x.shape(), Axes(axis)));
}

}  // namespace xgrad
