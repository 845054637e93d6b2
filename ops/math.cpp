// Elementary functions and their rules.
#include "ops/math.hpp"

#include <numbers>

#include "core/elementwise.hpp"
#include "ops/arithmetic.hpp"

namespace xgrad {

Variable exp(const Variable& x) {
  return elementwise("exp", [](auto v) { return xsimd::exp(v); }, {{x, [](auto& gy, auto& y) { return gy * y; }}});
}

Variable log(const Variable& x) {
  return elementwise("log", [](auto v) { return xsimd::log(v); }, {{x, [=](auto& gy) { return gy / x; }}});
}

Variable log1p(const Variable& x) {
  return elementwise("log1p", [](auto v) { return xsimd::log1p(v); }, {{x, [=](auto& gy) { return gy / (x + 1); }}});
}

Variable expm1(const Variable& x) {
  return elementwise("expm1", [](auto v) { return xsimd::expm1(v); },
                     {{x, [](auto& gy, auto& y) { return gy * (y + 1); }}});
}

Variable sqrt(const Variable& x) {
  return elementwise("sqrt", [](auto v) { return xsimd::sqrt(v); },
                     {{x, [](auto& gy, auto& y) { return gy / (y * 2); }}});
}

Variable rsqrt(const Variable& x) {
  return elementwise("rsqrt", [](auto v) { return decltype(v)(1) / xsimd::sqrt(v); },
                     {{x, [=](auto& gy, auto& y) { return gy * y / x * -.5; }}});
}

Variable square(const Variable& x) {
  return elementwise_any("square", [](auto v) { return v * v; }, {{x, [=](auto& gy) { return gy * (x * 2); }}});
}

Variable sin(const Variable& x) {
  return elementwise("sin", [](auto v) { return xsimd::sin(v); }, {{x, [=](auto& gy) { return gy * cos(x); }}});
}

Variable cos(const Variable& x) {
  return elementwise("cos", [](auto v) { return xsimd::cos(v); }, {{x, [=](auto& gy) { return -(gy * sin(x)); }}});
}

Variable tanh(const Variable& x) {
  return elementwise("tanh", [](auto v) { return xsimd::tanh(v); },
                     {{x, [](auto& gy, auto& y) { return gy * (1 - y * y); }}});
}

Variable erf(const Variable& x) {
  return elementwise("erf", [](auto v) { return xsimd::erf(v); },
                     {{x, [=](auto& gy) { return gy * exp(-square(x)) * (2 * std::numbers::inv_sqrtpi); }}});
}

}  // namespace xgrad
