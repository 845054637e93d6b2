// Elementary functions and their rules.
#include <xgrad/ops/math.hpp>

#include <numbers>

#include <xgrad/core/array/pack_normal.hpp>
#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/density.hpp>
#include <xgrad/ops/strong.hpp>

namespace xgrad {

Variable exp(const Variable& x) {
  if (tracing()) return traced("exp", exp, x);
  return elementwise("exp", [](auto v) { return pack::exp(v); },
                     {{x, [](auto& gy, auto& y) { return strong_mul(gy, y); }}});
}

Variable log(const Variable& x) {
  if (tracing()) return traced("log", log, x);
  return elementwise("log", [](auto v) { return pack::log(v); },
                     {{x, [=](auto& gy) { return strong_div(gy, x); }}});
}

Variable log1p(const Variable& x) {
  if (tracing()) return traced("log1p", log1p, x);
  return elementwise("log1p", [](auto v) { return pack::log1p(v); },
                     {{x, [=](auto& gy) { return strong_div(gy, x + 1); }}});
}

// y + 1 would be 0 where y rounds to -1.
Variable expm1(const Variable& x) {
  if (tracing()) return traced("expm1", expm1, x);
  return elementwise("expm1", [](auto v) { return pack::expm1(v); },
                     {{x, [=](auto& gy) { return strong_mul(gy, exp(x)); }}});
}

// The root of -0 is -0, but its slope is that of 0.
Variable sqrt(const Variable& x) {
  if (tracing()) return traced("sqrt", sqrt, x);
  return elementwise("sqrt", [](auto v) { return pack::sqrt(v); },
                     {{x, [](auto& gy, auto& y) { return strong_div(gy, y * 2 + 0); }}});
}

Variable rsqrt(const Variable& x) {
  if (tracing()) return traced("rsqrt", rsqrt, x);
  return elementwise("rsqrt", [](auto v) { return pack::rsqrt(v); },
                     {{x, [=](auto& gy, auto& y) { return strong_div(strong_mul(gy, y) * -.5, x); }}});
}

Variable square(const Variable& x) {
  if (tracing()) return traced("square", square, x);
  return elementwise_numeric("square", [](auto v) { return v * v; },
                             {{x, [=](auto& gy) { return strong_mul(gy, x * 2); }}});
}

Variable sin(const Variable& x) {
  if (tracing()) return traced("sin", sin, x);
  return elementwise("sin", [](auto v) { return pack::sin(v); },
                     {{x, [=](auto& gy) { return strong_mul(gy, cos(x)); }}});
}

Variable cos(const Variable& x) {
  if (tracing()) return traced("cos", cos, x);
  return elementwise("cos", [](auto v) { return pack::cos(v); },
                     {{x, [=](auto& gy) { return -strong_mul(gy, sin(x)); }}});
}

// 1 - y^2 would lose all digits where y rounds to 1.
Variable tanh(const Variable& x) {
  if (tracing()) return traced("tanh", tanh, x);
  return elementwise("tanh", [](auto v) { return pack::tanh(v); },
                     {{x, [=](auto& gy) { return strong_mul(gy, logistic_pdf(x * 2) * 4); }}});
}

Variable erf(const Variable& x) {
  if (tracing()) return traced("erf", erf, x);
  return elementwise(
      "erf", [](auto v) { return pack::erf(v); },
      {{x, [=](auto& gy) { return strong_mul(gy, gaussian(x) * (2 * std::numbers::inv_sqrtpi)); }}});
}

Variable normal_cdf(const Variable& x) {
  if (tracing()) return traced("normal_cdf", normal_cdf, x);
  return elementwise("normal_cdf", [](auto v) { return pack::normal_cdf(v); },
                     {{x, [=](auto& gy) { return strong_mul(gy, normal_pdf(x)); }}});
}

}  // namespace xgrad
