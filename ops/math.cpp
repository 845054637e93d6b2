// Elementary functions and their rules.
#include "ops/math.hpp"

#include <limits>
#include <numbers>

#include "core/elementwise.hpp"
#include "ops/arithmetic.hpp"
#include "ops/density.hpp"
#include "ops/strong.hpp"

namespace xgrad {
namespace {

template <class T>
pack::Pack<T> logarithm(const pack::Pack<T>& v) {
  if constexpr (std::is_same_v<T, float>) {
    return xsimd::log(v);
  } else {  // xsimd is wrong for subnormal doubles
    using P = pack::Pack<T>;
    const auto tiny = v < P(std::numeric_limits<T>::min());
    return xsimd::log(pack::select(tiny, v * P(0x1p54), v)) -
           pack::select(tiny, P(54 * std::numbers::ln2), P(0));
  }
}

/// c[0] + c[1] x + ... + c[5] x^5, the even and the odd terms apart: half the time, and fewer roundings.
pack::Pack<float> polynomial5(const float (&c)[6], const pack::Pack<float>& x) {
  using P = pack::Pack<float>;
  const P x2 = x * x;
  const P even = xsimd::fma(xsimd::fma(P(c[4]), x2, P(c[2])), x2, P(c[0]));
  const P odd = xsimd::fma(xsimd::fma(P(c[5]), x2, P(c[3])), x2, P(c[1]));
  return xsimd::fma(odd, x, even);
}

/// erf(Scale x) / 2 of f32: x times a quotient of polynomials in x^2, which is the best of its degree in
/// relative error (1.5e-8; found by Lawson's iteration) up to where erf reaches 1. Their common factor is the
/// one of some hundred whose coefficients round best.
template <const double& Scale>
pack::Pack<float> half_erf(const pack::Pack<float>& x) {
  using P = pack::Pack<float>;
  constexpr double over[] = {.936755197, .156277288, .0435978386, .00306046252, .000237045066, 1.74319237e-6};
  constexpr double under[] = {1.66035538, .830445284, .18805886, .0245900688, .00190573715, 6.41517743e-5};
  struct Scaled {
    float over[6], under[6];
  };
  static constexpr Scaled c = [&] {  // the coefficients for a square of x that is not scaled
    Scaled result{};
    double power = 1;
    for (int i = 0; i < 6; ++i, power *= Scale * Scale) {
      result.over[i] = float(over[i] * power * Scale);
      result.under[i] = float(under[i] * power);
    }
    return result;
  }();
  constexpr float bound = float(3.86 / Scale);
  const P square = xsimd::min(P(bound * bound), x * x);
  const P y = x * polynomial5(c.over, square) / polynomial5(c.under, square);
  return xsimd::max(P(-.5f), xsimd::min(P(.5f), y));  // in this order a NaN stays one
}
constexpr double one = 1, inv_sqrt2 = 1 / std::numbers::sqrt2;

pack::Pack<float> error_function(const pack::Pack<float>& x) { return half_erf<one>(x) * 2.f; }
pack::Pack<double> error_function(const pack::Pack<double>& x) {
  return pack::by_lane([](double v) { return std::erf(v); }, x);
}

pack::Pack<float> normal_distribution(const pack::Pack<float>& x) { return half_erf<inv_sqrt2>(x) + .5f; }
pack::Pack<double> normal_distribution(const pack::Pack<double>& x) {
  return pack::by_lane([](double v) { return std::erfc(-v / std::numbers::sqrt2) / 2; }, x);
}

}  // namespace

Variable exp(const Variable& x) {
  return elementwise("exp", [](auto v) { return xsimd::exp(v); },
                     {{x, [](auto& gy, auto& y) { return strong_mul(gy, y); }}});
}

Variable log(const Variable& x) {
  return elementwise("log", [](auto v) { return logarithm(v); },
                     {{x, [=](auto& gy) { return strong_div(gy, x); }}});
}

Variable log1p(const Variable& x) {
  return elementwise("log1p", [](auto v) { return xsimd::log1p(v); },
                     {{x, [=](auto& gy) { return strong_div(gy, x + 1); }}});
}

// y + 1 would be 0 where y rounds to -1.
Variable expm1(const Variable& x) {
  return elementwise("expm1", [](auto v) { return xsimd::expm1(v); },
                     {{x, [=](auto& gy) { return strong_mul(gy, exp(x)); }}});
}

// The root of -0 is -0, but its slope is that of 0.
Variable sqrt(const Variable& x) {
  return elementwise("sqrt", [](auto v) { return xsimd::sqrt(v); },
                     {{x, [](auto& gy, auto& y) { return strong_div(gy, y * 2 + 0); }}});
}

Variable rsqrt(const Variable& x) {
  return elementwise("rsqrt", [](auto v) { return decltype(v)(1) / xsimd::sqrt(v); },
                     {{x, [=](auto& gy, auto& y) { return strong_div(strong_mul(gy, y), x * -2); }}});
}

Variable square(const Variable& x) {
  return elementwise_any("square", [](auto v) { return v * v; },
                         {{x, [=](auto& gy) { return strong_mul(gy, x * 2); }}});
}

Variable sin(const Variable& x) {
  return elementwise("sin", [](auto v) { return xsimd::sin(v); },
                     {{x, [=](auto& gy) { return strong_mul(gy, cos(x)); }}});
}

Variable cos(const Variable& x) {
  return elementwise("cos", [](auto v) { return xsimd::cos(v); },
                     {{x, [=](auto& gy) { return -strong_mul(gy, sin(x)); }}});
}

// 1 - y^2 would lose all digits where y rounds to 1.
Variable tanh(const Variable& x) {
  return elementwise("tanh", [](auto v) { return xsimd::tanh(v); },
                     {{x, [=](auto& gy) { return strong_mul(gy, logistic_pdf(x * 2) * 4); }}});
}

Variable erf(const Variable& x) {
  return elementwise(
      "erf", [](auto v) { return error_function(v); },
      {{x, [=](auto& gy) { return strong_mul(gy, gaussian(x) * (2 * std::numbers::inv_sqrtpi)); }}});
}

Variable normal_cdf(const Variable& x) {
  return elementwise("normal_cdf", [](auto v) { return normal_distribution(v); },
                     {{x, [=](auto& gy) { return strong_mul(gy, normal_pdf(x)); }}});
}

}  // namespace xgrad
