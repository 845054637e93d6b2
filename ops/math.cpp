// Elementary functions and their rules.
#include "ops/math.hpp"

#include <limits>
#include <numbers>

#include "core/elementwise.hpp"
#include "ops/arithmetic.hpp"

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

}  // namespace

Variable exp(const Variable& x) {
  return elementwise("exp", [](auto v) { return xsimd::exp(v); },
                     {{x, [](auto& gy, auto& y) { return gy * y; }}});
}

Variable log(const Variable& x) {
  return elementwise("log", [](auto v) { return logarithm(v); }, {{x, [=](auto& gy) { return gy / x; }}});
}

Variable log1p(const Variable& x) {
  return elementwise("log1p", [](auto v) { return xsimd::log1p(v); },
                     {{x, [=](auto& gy) { return gy / (x + 1); }}});
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
  return elementwise_any("square", [](auto v) { return v * v; },
                         {{x, [=](auto& gy) { return gy * (x * 2); }}});
}

Variable sin(const Variable& x) {
  return elementwise("sin", [](auto v) { return xsimd::sin(v); },
                     {{x, [=](auto& gy) { return gy * cos(x); }}});
}

Variable cos(const Variable& x) {
  return elementwise("cos", [](auto v) { return xsimd::cos(v); },
                     {{x, [=](auto& gy) { return -(gy * sin(x)); }}});
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
