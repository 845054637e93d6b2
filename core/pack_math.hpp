#pragma once
// Elementary functions of SIMD packs, for elementwise lambdas; docs/accuracy.md has their errors.
#include <limits>
#include <numbers>

#include "core/pack.hpp"

namespace xgrad::pack {
namespace detail {

/// c[0] + c[1] x + c[2] x^2 + ...
template <class T, std::size_t N>
Pack<T> polynomial(const T (&c)[N], const Pack<T>& x) {
  Pack<T> y(c[N - 1]);
  for (std::size_t i = N - 1; i-- > 0;) y = xsimd::fma(y, x, Pack<T>(c[i]));
  return y;
}

/// 2^k for an integer k that makes it a normal number: k plus the bias, shifted to where the exponent is.
template <class T>
Pack<T> power_of_two(const Pack<T>& k) {
  constexpr int mantissa = std::numeric_limits<T>::digits - 1;
  constexpr T integer = T(3) * T(1L << (mantissa - 1));  // a sum with it has the integer in its last bits
  const auto bits = xsimd::bitwise_cast<xsimd::batch<xsimd::as_integer_t<T>>>(
      k + Pack<T>(integer + T(std::numeric_limits<T>::max_exponent - 1)));
  return xsimd::bitwise_cast<Pack<T>>(bits << mantissa);
}
/// x 2^k, rounded once where it is subnormal; for |k| at most twice the largest exponent.
template <class T>
Pack<T> scaled(const Pack<T>& x, const Pack<T>& k) {
#if defined __AVX512F__
  if constexpr (std::is_same_v<T, float>)
    return Pack<T>(_mm512_scalef_ps(x, k));
  else
    return Pack<T>(_mm512_scalef_pd(x, k));
#else
  const Pack<T> half = xsimd::nearbyint(k * T(.5));
  return x * power_of_two(half) * power_of_two(k - half);
#endif
}

/// a b - y, exactly, where y is a b rounded. (xsimd's fms of packs of 64 bytes rounds the product first.)
template <class T>
Pack<T> product_error(const Pack<T>& a, const Pack<T>& b, const Pack<T>& y) {
#if defined __AVX512F__
  if constexpr (std::is_same_v<T, float>)
    return Pack<T>(_mm512_fmsub_ps(a, b, y));
  else
    return Pack<T>(_mm512_fmsub_pd(a, b, y));
#elif defined __FMA__ || defined __ARM_FEATURE_FMA
  return xsimd::fms(a, b, y);
#else
  constexpr T split = T(1L << (std::numeric_limits<T>::digits + 1) / 2) + 1;  // in halves, by Dekker
  const Pack<T> a1 = a * split - (a * split - a), b1 = b * split - (b * split - b);
  const Pack<T> a0 = a - a1, b0 = b - b1;
  return ((a1 * b1 - y) + a1 * b0 + a0 * b1) + a0 * b0;
#endif
}

/// e^x = 2^k (1 + rest), with |rest| below 1/2.
template <class T>
struct Power {
  Pack<T> k, rest;
};
/// That of x - low, for a low that is small beside x. The polynomials are the best of their degree.
template <class T>
Power<T> power_of_e(const Pack<T>& x, const Pack<T>& low) {
  using P = Pack<T>;
  constexpr bool single = std::is_same_v<T, float>;
  // ln 2 in two parts, the first so short that its product with k is exact.
  constexpr T high_ln2 = single ? T(355. / 512) : T(0x1.62e42fefa3p-1);
  constexpr T low_ln2 = single ? T(-2.12194440e-4) : T(0x1.3de6af278ece6p-42);
  const P k = xsimd::nearbyint(x * T(std::numbers::log2e));
  const P r = xsimd::fnma(k, P(low_ln2), xsimd::fnma(k, P(high_ln2), x)) - low;
  if constexpr (single) {
    constexpr T c[] = {.4999999337f, .1666651953f, .04166840087f, .008368850353f, .001381433277f};
    return {k, xsimd::fma(polynomial(c, r), r * r, r)};
  } else {
    constexpr T c[] = {.5000000000000010418,    .1666666666666667465,   .04166666666651979934,
                       .008333333333322059862,  .001388888894849046506, 1.984126988705337791e-4,
                       2.480148656919183716e-5, 2.75572418063582275e-6, 2.763294069589305646e-7,
                       2.511025146891833462e-8};
    return {k, xsimd::fma(polynomial(c, r), r * r, r)};
  }
}
/// That of -x^2 scale, scale being 1 or 1/2. The square is taken in two parts: its rounding error would be
/// multiplied by the square.
template <class T>
Power<T> power_of_square(const Pack<T>& x, T scale) {
  const T most = std::is_same_v<T, float> ? 112 : 760;  // e^-most rounds to 0
  const Pack<T> a = xsimd::min(Pack<T>(std::sqrt(most / scale)), xsimd::abs(x)), b = a * scale, y = a * b;
  return power_of_e(-y, product_error(a, b, y));
}

}  // namespace detail

/// e^(-x^2 scale) for a scale of 1 or 1/2, as densities need it: as accurate in the tails as exp.
template <class T>
Pack<T> exp_minus_square(const Pack<T>& x, T scale) {
  const auto [k, rest] = detail::power_of_square(x, scale);
  return detail::scaled(rest + T(1), k);
}

}  // namespace xgrad::pack
