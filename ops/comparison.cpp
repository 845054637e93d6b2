// Comparison. Integers are compared with any number exactly.
#include <algorithm>
#include <cmath>

#include <xgrad/core/base/threads.hpp>
#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/arithmetic.hpp>

namespace xgrad {
namespace {

/// The sign of x - y; NaN where y is.
double order(std::int64_t x, double y) {
  if (y != y || y >= 0x1p63 || y < -0x1p63) return y > 0 ? -1 : y < 0 ? 1 : y;
  const auto floor = std::int64_t(std::floor(y));
  return x < floor ? -1 : x > floor ? 1 : double(floor) < y ? -1 : 0;
}
Variable order(const char* op, const Array& x, const Array& y) {
  Array result(broadcast(op, x.shape(), y.shape()), DType::f64);
  const Array left = lazy::broadcast_to(op, x.cast(DType::i64), result.shape()),
              right = lazy::broadcast_to(op, y, result.shape());
  const std::int64_t* a = left.data<std::int64_t>();
  const double* b = right.data<double>();
  double* out = result.mutable_data<double>();
  threads::for_ranges(result.size(), 1 << 15, [=](long first, long last) {
    for (long i = first; i < last; ++i) out[i] = order(a[i], b[i]);
  });
  return Variable(result);
}

/// Whether y is made of numbers of which some are not integers.
bool no_integers(const Array& x, const Array& y) {
  if (x.is_number() || is_floating(x.dtype()) || !y.is_number()) return false;
  const auto numbers = y.elements<double>();
  return !std::all_of(numbers.begin(), numbers.end(), [](double v) { return can_hold(DType::i64, v); });
}

template <class F>
Variable compare(const char* op, F f, const Variable& a, const Variable& b) {
  if (a.defined() && b.defined()) {
    if (no_integers(a.data(), b.data()))
      return elementwise_predicate(op, f, {{order(op, a.data(), b.data())}, {0.}});
    if (no_integers(b.data(), a.data()))
      return elementwise_predicate(op, f, {{0.}, {order(op, b.data(), a.data())}});
  }
  return elementwise_predicate(op, f, {{a}, {b}});
}

}  // namespace

Variable equal(const Variable& a, const Variable& b) {
  if (tracing()) return traced("equal", equal, a, b);
  return compare(
      "equal", [](auto x, auto y) { return pack::mask(x, x == y); }, a, b);
}
// xsimd's x != y is false where one is a NaN.
Variable not_equal(const Variable& a, const Variable& b) {
  if (tracing()) return traced("not_equal", not_equal, a, b);
  return compare(
      "not_equal", [](auto x, auto y) { return pack::mask(x, !(x == y)); }, a, b);
}
Variable less(const Variable& a, const Variable& b) {
  if (tracing()) return traced("less", less, a, b);
  return compare(
      "less", [](auto x, auto y) { return pack::mask(x, x < y); }, a, b);
}
Variable less_equal(const Variable& a, const Variable& b) {
  if (tracing()) return traced("less_equal", less_equal, a, b);
  return compare(
      "less_equal", [](auto x, auto y) { return pack::mask(x, x <= y); }, a, b);
}
Variable greater(const Variable& a, const Variable& b) {
  if (tracing()) return traced("greater", greater, a, b);
  return compare(
      "greater", [](auto x, auto y) { return pack::mask(x, x > y); }, a, b);
}
Variable greater_equal(const Variable& a, const Variable& b) {
  if (tracing()) return traced("greater_equal", greater_equal, a, b);
  return compare(
      "greater_equal", [](auto x, auto y) { return pack::mask(x, x >= y); }, a, b);
}

}  // namespace xgrad
