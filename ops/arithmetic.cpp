// Arithmetic: what each operation computes, and the rule of each input.
#include "ops/arithmetic.hpp"

#include "core/elementwise.hpp"
#include "core/error.hpp"
#include "ops/math.hpp"

namespace xgrad {
namespace {

/// x to the power y, each lane by the C library: xsimd's exp(y log x) makes 3^2 less than 9 and 0^0 zero.
/// Squares, which most powers are, are quick and exact.
template <class T>
pack::Pack<T> power(const pack::Pack<T>& x, const pack::Pack<T>& y) {
  if (xsimd::all(y == pack::Pack<T>(2))) return x * x;
  if (xsimd::all(y == pack::Pack<T>(1))) return x;
  return pack::by_lane(
      [](T base, T exponent) { return exponent == 2 ? base * base : std::pow(base, exponent); }, x, y);
}

}  // namespace

Variable add(const Variable& a, const Variable& b) {
  auto pass = [](auto& gy) { return gy; };
  return elementwise_any("add", [](auto x, auto y) { return x + y; }, {{a, pass}, {b, pass}});
}

Variable sub(const Variable& a, const Variable& b) {
  return elementwise_any("sub", [](auto x, auto y) { return x - y; },
                         {{a, [](auto& gy) { return gy; }}, {b, [](auto& gy) { return -gy; }}});
}

Variable mul(const Variable& a, const Variable& b) {
  return elementwise_any("mul", [](auto x, auto y) { return x * y; },
                         {{a, [=](auto& gy) { return gy * b; }}, {b, [=](auto& gy) { return gy * a; }}});
}

Variable div(const Variable& a, const Variable& b) {
  return elementwise(
      "div", [](auto x, auto y) { return x / y; },
      {{a, [=](auto& gy) { return gy / b; }}, {b, [=](auto& gy, auto& y) { return -(gy * y / b); }}});
}

Variable neg(const Variable& x) {
  return elementwise_any("neg", [](auto v) { return -v; }, {{x, [](auto& gy) { return -gy; }}});
}

// d(a^b)/da = b a^(b-1) must be 0 for b = 0 even where a is 0; so must d/db = a^b log a where a is 0.
Variable pow(const Variable& a, const Variable& b) {
  return elementwise("pow", [](auto x, auto y) { return power(x, y); },
                     {{a, [=](auto& gy) { return gy * b * pow(a, where(b == 0, 1, b - 1)); }},
                      {b, [=](auto& gy, auto& y) { return gy * y * log(where(a == 0, 1, a)); }}});
}

Variable abs(const Variable& x) {
  return elementwise_any("abs", [](auto v) { return xsimd::abs(v); },
                         {{x, [=](auto& gy) { return gy * ((x > 0) - (x < 0)); }}});
}

Variable maximum(const Variable& a, const Variable& b) {
  return elementwise_any("maximum", [](auto x, auto y) { return pack::maximum(x, y); },
                         {{a, [=](auto& gy) { return gy * ((a > b) + (a == b) * .5); }},
                          {b, [=](auto& gy) { return gy * ((b > a) + (a == b) * .5); }}});
}

Variable minimum(const Variable& a, const Variable& b) {
  return elementwise_any("minimum", [](auto x, auto y) { return pack::minimum(x, y); },
                         {{a, [=](auto& gy) { return gy * ((a < b) + (a == b) * .5); }},
                          {b, [=](auto& gy) { return gy * ((b < a) + (a == b) * .5); }}});
}

Variable where(const Variable& condition, const Variable& a, const Variable& b) {
  const bool numbers = a.data().is_number() && b.data().is_number();
  const DType dtype = numbers && is_floating(condition.dtype()) ? condition.dtype()
                      : a.data().is_number()                    ? b.dtype()
                                                                : a.dtype();
  Variable c = condition;
  if (!c.data().is_number() && c.dtype() != dtype) {
    if (is_floating(c.dtype())) c = c.detach() != 0;  // 0.5 is not 0, as an integer it would be
    c = Variable(c.data().cast(dtype));
  }
  return elementwise_any(
      "where", [](auto k, auto x, auto y) { return pack::select(k == decltype(k)(0), y, x); },
      {{c}, {a, [=](auto& gy) { return where(c, gy, 0); }}, {b, [=](auto& gy) { return where(c, 0, gy); }}});
}

Variable clip(const Variable& x, double low, double high) {
  expect(low <= high, "clip: the lower limit {} is above the upper limit {}", low, high);
  return elementwise_any("clip", [](auto v, auto l, auto h) { return pack::minimum(pack::maximum(v, l), h); },
                         {{x, [=](auto& gy) { return gy * (x >= low) * (x <= high); }}, {low}, {high}});
}

Variable equal(const Variable& a, const Variable& b) {
  return elementwise_any("equal", [](auto x, auto y) { return pack::mask(x, x == y); }, {{a}, {b}});
}
// xsimd's x != y is false where one is a NaN.
Variable not_equal(const Variable& a, const Variable& b) {
  return elementwise_any("not_equal", [](auto x, auto y) { return pack::mask(x, !(x == y)); }, {{a}, {b}});
}
Variable less(const Variable& a, const Variable& b) {
  return elementwise_any("less", [](auto x, auto y) { return pack::mask(x, x < y); }, {{a}, {b}});
}
Variable less_equal(const Variable& a, const Variable& b) {
  return elementwise_any("less_equal", [](auto x, auto y) { return pack::mask(x, x <= y); }, {{a}, {b}});
}
Variable greater(const Variable& a, const Variable& b) {
  return elementwise_any("greater", [](auto x, auto y) { return pack::mask(x, x > y); }, {{a}, {b}});
}
Variable greater_equal(const Variable& a, const Variable& b) {
  return elementwise_any("greater_equal", [](auto x, auto y) { return pack::mask(x, x >= y); }, {{a}, {b}});
}

}  // namespace xgrad
