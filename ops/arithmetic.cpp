// Arithmetic: what each operation computes, and the rule of each input.
#include <xgrad/ops/arithmetic.hpp>

#include <xgrad/core/array/pack_math.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/attributes.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/strong.hpp>

namespace xgrad {
namespace {

/// x to the power y, each lane by the C library: xsimd's exp(y log x) makes 3^2 less than 9 and 0^0 zero.
/// Squares, which most powers are, are fast and exact.
template <class T>
pack::Pack<T> power(const pack::Pack<T>& x, const pack::Pack<T>& y) {
  using P = pack::Pack<T>;
  if (pack::all(y == P(2))) return x * x;
  if (pack::all(y == P(1))) return x;
  if (pack::all(y == P(0))) return P(1);
  return pack::per_lane(
      [](T base, T exponent) { return exponent == 2 ? base * base : std::pow(base, exponent); }, x, y);
}

/// x to the power y - k. What the rounding of y - k leaves over is an exponent of its own: without it the
/// error would grow with log x.
template <class T>
pack::Pack<T> power(const pack::Pack<T>& x, const pack::Pack<T>& y, const pack::Pack<T>& k) {
  using P = pack::Pack<T>;
  const P exponent = y - k, moved = exponent - y;
  const P rest = (y - (exponent - moved)) - (k + moved);  // Knuth's two-sum: exact
  const P residual = pack::select(pack::abs(y) < P(INFINITY), rest, P(0));
  const P result = power(x, exponent);
  if (pack::all(residual == P(0))) return result;
  const auto over =
      result == P(0) || pack::abs(result) == P(INFINITY);  // also where x^residual is the opposite
  return pack::select(over, result, result * power(x, residual));
}

// The derivatives of a^b are functions of their own, with k for how often a was differentiated: products of
// powers and logarithms would lose what a power over- or underflows by, and what b - k rounds.
Variable power_less(const Variable& a, const Variable& b, long k);

/// a^(b - k) (1 + (b - k + 1) log a), the mixed derivative of a^(b - k + 1). The sum comes first: at a = 0 it
/// decides about the sign of infinity.
Variable mixed_slope(const Variable& a, const Variable& b, long k) {
  return strong_mul(power_less(a, b, k), strong_mul(b - double(k - 1), log(a)) + 1);
}
/// (b - k + 1) a^(b - k), the derivative of a^(b - k + 1) by a.
Variable power_slope(const Variable& a, const Variable& b, long k) {
  return elementwise(
      "pow",
      [](auto x, auto y, auto less) {
        return pack::strong_mul(y - (less - decltype(y)(1)), power(x, y, less));
      },
      {{a, [=](auto& gy) { return strong_mul(gy, strong_mul(b - double(k - 1), power_slope(a, b, k + 1))); }},
       {b, [=](auto& gy) { return strong_mul(gy, mixed_slope(a, b, k)); }},
       {double(k)}});
}
/// a^(b - k) log a, the derivative of a^(b - k) by b. At a = 0 it is the limit 0 for b > k; for b = k, where
/// there is none, 0 is what PyTorch gives.
Variable power_log(const Variable& a, const Variable& b, long k) {
  return elementwise("pow",
                     [](auto x, auto y, auto less) {
                       using P = decltype(x);
                       const P result =
                           pack::strong_mul(power(pack::select(x == P(0), P(0), x), y, less), pack::log(x));
                       return pack::select(x == P(0) && y == less, P(0), result);
                     },
                     {{a, [=](auto& gy) { return strong_mul(gy, mixed_slope(a, b, k + 1)); }},
                      {b, [=](auto& gy, auto& y) { return strong_mul(strong_mul(gy, y), log(a)); }},
                      {double(k)}});
}
/// a^(b - k).
Variable power_less(const Variable& a, const Variable& b, long k) {
  return elementwise("pow", [](auto x, auto y, auto less) { return power(x, y, less); },
                     {{a, [=](auto& gy) { return strong_mul(gy, power_slope(a, b, k + 1)); }},
                      {b, [=](auto& gy) { return strong_mul(gy, power_log(a, b, k)); }},
                      {double(k)}});
}

/// The share of a in the gradient of the larger of a and b: half where they are equal, NaN where one is.
Variable share_of_larger(const Variable& a, const Variable& b) {
  return elementwise("share_of_larger",
                     [](auto x, auto y) {
                       using P = decltype(x);
                       const P equal = pack::select(x == y, P(.5), x + y);
                       return pack::select(x > y, P(1), pack::select(x < y, P(0), equal));
                     },
                     {{a}, {b}});
}

/// -1, 0, 1, or NaN.
Variable sign(const Variable& x) {
  return elementwise("sign",
                     [](auto v) {
                       using P = decltype(v);
                       return pack::select(v > P(0), P(1), pack::select(v < P(0), P(-1), v));
                     },
                     {{x}});
}

/// 1 within the limits and at them, 0 beyond; NaN where x is.
Variable in_range(const Variable& x, double low, double high) {
  return elementwise("in_range",
                     [](auto v, auto l, auto h) {
                       using P = decltype(v);
                       return pack::select(v >= l && v <= h, P(1), pack::select(v == v, P(0), v));
                     },
                     {{x}, {low}, {high}});
}

}  // namespace

Variable add(const Variable& a, const Variable& b) {
  if (tracing()) return traced("add", add, a, b);
  auto pass = [](auto& gy) { return gy; };
  return elementwise_numeric("add", [](auto x, auto y) { return x + y; }, {{a, pass}, {b, pass}});
}

Variable sub(const Variable& a, const Variable& b) {
  if (tracing()) return traced("sub", sub, a, b);
  return elementwise_numeric("sub", [](auto x, auto y) { return x - y; },
                             {{a, [](auto& gy) { return gy; }}, {b, [](auto& gy) { return -gy; }}});
}

Variable mul(const Variable& a, const Variable& b) {
  if (tracing()) return traced("mul", mul, a, b);
  return elementwise_numeric(
      "mul", [](auto x, auto y) { return x * y; },
      {{a, [=](auto& gy) { return strong_mul(gy, b); }}, {b, [=](auto& gy) { return strong_mul(gy, a); }}});
}

Variable div(const Variable& a, const Variable& b) {
  if (tracing()) return traced("div", div, a, b);
  return elementwise("div", [](auto x, auto y) { return x / y; },
                     {{a, [=](auto& gy) { return strong_div(gy, b); }},
                      {b, [=](auto& gy, auto& y) { return -strong_div(strong_mul(gy, y), b); }}});
}

Variable neg(const Variable& x) {
  if (tracing()) return traced("neg", neg, x);
  return elementwise_numeric("neg", [](auto v) { return pack::negate(v); },
                             {{x, [](auto& gy) { return -gy; }}});
}

Variable pow(const Variable& a, const Variable& b) {
  if (tracing()) return traced("pow", pow, a, b);
  return power_less(a, b, 0);
}

Variable abs(const Variable& x) {
  if (tracing()) return traced("abs", abs, x);
  return elementwise_numeric("abs", [](auto v) { return pack::abs(v); },
                             {{x, [=](auto& gy) { return strong_mul(gy, sign(x)); }}});
}

Variable maximum(const Variable& a, const Variable& b) {
  if (tracing()) return traced("maximum", maximum, a, b);
  return elementwise_numeric("maximum", [](auto x, auto y) { return pack::maximum(x, y); },
                             {{a, [=](auto& gy) { return strong_mul(gy, share_of_larger(a, b)); }},
                              {b, [=](auto& gy) { return strong_mul(gy, share_of_larger(b, a)); }}});
}

Variable minimum(const Variable& a, const Variable& b) {
  if (tracing()) return traced("minimum", minimum, a, b);
  return elementwise_numeric("minimum", [](auto x, auto y) { return pack::minimum(x, y); },
                             {{a, [=](auto& gy) { return strong_mul(gy, share_of_larger(b, a)); }},
                              {b, [=](auto& gy) { return strong_mul(gy, share_of_larger(a, b)); }}});
}

Variable where(const Variable& condition, const Variable& a, const Variable& b) {
  if (tracing()) return traced("where", where, condition, a, b);
  Variable c = condition.dtype() == DType::boolean ? condition : condition.detach() != 0;
  if (a.data().is_number() && b.data().is_number()) {
    Array mask = c.data().cast(DType::f64);
    Value::of(mask)->is_number = true;  // so that the result takes the dtype of what it meets
    c = Variable(mask);
  }
  Variable y = elementwise_numeric(
      "where", [](auto k, auto x, auto y) { return pack::select(k == decltype(k)(0), y, x); },
      {{c}, {a, [=](auto& gy) { return where(c, gy, 0); }}, {b, [=](auto& gy) { return where(c, 0, gy); }}});
  return a.dtype() == b.dtype() && y.dtype() != a.dtype() ? cast(y, a.dtype()) : y;
}

Variable clip(const Variable& x, double low, double high) {
  if (tracing()) return traced("clip", clip, detail::Limits{low, high}, x);
  expect(low <= high, "clip: the lower limit {} is above the upper limit {}", low, high);
  // A limit that lies beyond all integers limits none of them.
  constexpr auto first = std::numeric_limits<std::int64_t>::min(),
                 last = std::numeric_limits<std::int64_t>::max();
  const bool integers = !is_floating(x.dtype());
  const Variable lower = integers && low < -0x1p63 ? Variable(array({first}).reshape({})) : low;
  const Variable upper = integers && high >= 0x1p63 ? Variable(array({last}).reshape({})) : high;
  return elementwise_numeric(
      "clip", [](auto v, auto l, auto h) { return pack::minimum(pack::maximum(v, l), h); },
      {{x, [=](auto& gy) { return strong_mul(gy, in_range(x, low, high)); }}, {lower}, {upper}});
}

namespace {

Variable& update(const char* op, Variable& a, const Variable& b,
                 Variable (&result)(const Variable&, const Variable&)) {
  if (!detail::written_in_place(a)) return a = result(a, b);
  detail::check_in_place(op, a, b);
  NoGrad off;
  detail::write_in_place(op, a, result(a, b));
  return a;
}

}  // namespace

Variable& operator+=(Variable& a, const Variable& b) { return update("+=", a, b, add); }
Variable& operator-=(Variable& a, const Variable& b) { return update("-=", a, b, sub); }
Variable& operator*=(Variable& a, const Variable& b) { return update("*=", a, b, mul); }
Variable& operator/=(Variable& a, const Variable& b) { return update("/=", a, b, div); }

}  // namespace xgrad
