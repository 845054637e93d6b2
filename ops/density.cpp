// Densities and their rules.
#include "ops/density.hpp"

#include <numbers>

#include "core/elementwise.hpp"
#include "ops/arithmetic.hpp"
#include "ops/math.hpp"
#include "ops/strong.hpp"

namespace xgrad {
namespace {

/// exp(-x^2 scale): the square would be rounded by half a unit, which is a relative error of x^2 half units
/// in the result.
template <class T>
pack::Pack<T> exp_minus_square(const pack::Pack<T>& x, T scale) {
  using P = pack::Pack<T>;
  const P bound(sizeof(T) == 4 ? T(16) : T(40));  // there the result is 0; infinity has no exact square
  const P v = pack::minimum(xsimd::abs(x), bound), square = v * v;
  const P rest = xsimd::fma(v, v, -square) * P(scale), e = xsimd::exp(square * P(-scale));
  return xsimd::fnma(e, rest, e);
}

}  // namespace

Variable gaussian(const Variable& x) {
  return elementwise("gaussian",
                     [](auto v) { return exp_minus_square(v, typename decltype(v)::value_type(1)); },
                     {{x, [=](auto& gy, auto& y) { return strong_mul(gy, strong_mul(x * -2, y)); }}});
}

Variable normal_pdf(const Variable& x) {
  return elementwise("normal_pdf",
                     [](auto v) {
                       using T = typename decltype(v)::value_type;
                       constexpr auto height = T(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
                       return exp_minus_square(v, T(.5)) * height;
                     },
                     {{x, [=](auto& gy, auto& y) { return strong_mul(gy, strong_mul(-x, y)); }}});
}

Variable logistic_pdf(const Variable& x) {
  return elementwise("logistic_pdf",
                     [](auto v) {
                       using P = decltype(v);
                       const P e = xsimd::exp(-xsimd::abs(v)), sum = e + P(1);
                       return e / (sum * sum);
                     },
                     {{x, [=](auto& gy, auto& y) { return strong_mul(gy, strong_mul(tanh(x * -.5), y)); }}});
}

}  // namespace xgrad
