// Densities and their rules.
#include <xgrad/ops/density.hpp>

#include <numbers>

#include <xgrad/core/array/pack_math.hpp>
#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/strong.hpp>

namespace xgrad {

Variable gaussian(const Variable& x) {
  if (tracing()) return traced("gaussian", gaussian, x);
  return elementwise("gaussian",
                     [](auto v) { return pack::exp_minus_square(v, typename decltype(v)::value_type(1)); },
                     {{x, [=](auto& gy, auto& y) { return strong_mul(gy, strong_mul(x * -2, y)); }}});
}

Variable normal_pdf(const Variable& x) {
  if (tracing()) return traced("normal_pdf", normal_pdf, x);
  return elementwise("normal_pdf",
                     [](auto v) {
                       using T = typename decltype(v)::value_type;
                       constexpr auto height = T(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
                       return pack::exp_minus_square(v, T(.5)) * height;
                     },
                     {{x, [=](auto& gy, auto& y) { return strong_mul(gy, strong_mul(-x, y)); }}});
}

Variable logistic_pdf(const Variable& x) {
  if (tracing()) return traced("logistic_pdf", logistic_pdf, x);
  return elementwise("logistic_pdf", [](auto v) { return pack::logistic_pdf(v); },
                     {{x, [=](auto& gy, auto& y) { return strong_mul(gy, strong_mul(tanh(x * -.5), y)); }}});
}

}  // namespace xgrad
