#pragma once
// Elementary functions of SIMD packs, for elementwise lambdas; docs/accuracy.md has their errors.
#include <limits>
#include <numbers>
#include <utility>

#include <xgrad/core/array/pack.hpp>

// GCC 12 warns about what its own AVX-512 headers leave uninitialized, if it is inlined here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"

namespace xgrad::pack {
namespace detail {

/// c[0] + c[1] x + c[2] x^2 + ..., the even and the odd terms separately: half the time, and fewer roundings.
template <class T, std::size_t N>
Pack<T> polynomial(const T (&c)[N], const Pack<T>& x) {
  const Pack<T> x2 = x * x;
  Pack<T> y(c[N - 2]), above(c[N - 1]);  // the sums of every other term, the last one in y
  for (std::size_t i = N - 2; i-- > 0;) above = std::exchange(y, xsimd::fma(above, x2, Pack<T>(c[i])));
  return xsimd::fma(above, x, y);
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
    return Pack<T>(_mm512_maskz_scalef_ps(__mmask16(-1), x, k));
  else
    return Pack<T>(_mm512_maskz_scalef_pd(__mmask8(-1), x, k));
#else
  constexpr T most = std::numeric_limits<T>::max_exponent - 1;
  if (xsimd::all(xsimd::abs(k) < Pack<T>(most))) return x * power_of_two(k);
  const Pack<T> half = xsimd::nearbyint(k * T(.5));
  return x * power_of_two(half) * power_of_two(k - half);
#endif
}

/// a b + c, rounded once where the processor can. (xsimd rounds twice for packs of 64 bytes.)
template <class T>
Pack<T> fused(const Pack<T>& a, const Pack<T>& b, const Pack<T>& c) {
#if defined __AVX512F__
  if constexpr (std::is_same_v<T, float>)
    return Pack<T>(_mm512_fmadd_ps(a, b, c));
  else
    return Pack<T>(_mm512_fmadd_pd(a, b, c));
#else
  return xsimd::fma(a, b, c);
#endif
}
/// a b - y, exactly, where y is a b rounded.
template <class T>
Pack<T> product_error(const Pack<T>& a, const Pack<T>& b, const Pack<T>& y) {
#if defined __FMA__ || defined __ARM_FEATURE_FMA
  return fused(a, b, -y);
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

/// sin(x + Quarter pi / 2) of f64 for |x| below trigonometric_reach; pi / 2 is taken in three parts, so that
/// what is left near a root is accurate. (xsimd's is off by 10 units in the last place there.)
constexpr double trigonometric_reach = 1e5;
template <int Quarter>
Pack<double> sine(const Pack<double>& x) {
  using P = Pack<double>;
  constexpr double s[] = {-.16666666666666641882,   .0083333333333235749236,   -1.9841269830064200202e-4,
                          2.7557313621771678559e-6, -2.5050729635166139856e-8, 1.5894416118120821549e-10};
  constexpr double c[] = {.041666666666666651163,    -.0013888888888882784555, 2.4801587294577832958e-5,
                          -2.7557315719792727235e-7, 2.0875894650485318976e-9, -1.1367797644656624614e-11};
  const P q = xsimd::nearbyint(x * (2 / std::numbers::pi));
  const P high = xsimd::fnma(q, P(0x1.0b4611a6p-34), xsimd::fnma(q, P(0x1.921fb544p+0), x));
  const P r = xsimd::fnma(q, P(0x1.3198a2e037073p-69), high), z = r * r, half = z * .5, one_less = 1. - half;
  const P sin = xsimd::fma(polynomial(s, z) * z, r, r);
  const P cos = one_less + xsimd::fma(polynomial(c, z), z * z, (1. - one_less) - half);
  const P quarter = q + double(Quarter), pair = xsimd::floor(quarter * .5);
  const P y = select(quarter == pair * 2., sin, cos);
  return select(pair * .5 == xsimd::floor(pair * .5), y, -y);
}

}  // namespace detail

/// e to the power x.
template <class T>
Pack<T> exp(const Pack<T>& x) {
  constexpr bool single = std::is_same_v<T, float>;
  // In this order of arguments NaN propagates.
  const Pack<T> bounded =
      xsimd::min(Pack<T>(single ? 89 : 710), xsimd::max(Pack<T>(single ? -104 : -746), x));
  const auto [k, rest] = detail::power_of_e(bounded, Pack<T>(0));
  return detail::scaled(rest + T(1), k);
}
/// e^(-x^2 scale) for a scale of 1 or 1/2, as densities need it: as accurate in the tails as exp.
template <class T>
Pack<T> exp_minus_square(const Pack<T>& x, T scale) {
  const auto [k, rest] = detail::power_of_square(x, scale);
  return detail::scaled(rest + T(1), k);
}
/// e^x - 1, also where x is small.
template <class T>
Pack<T> expm1(const Pack<T>& x) {
  using P = Pack<T>;
  constexpr bool single = std::is_same_v<T, float>;
  const P bounded = xsimd::min(P(single ? 89 : 710), xsimd::max(P(-40), x));
  const auto [k, rest] = detail::power_of_e(bounded, P(0));
  const P half = detail::power_of_two(k - T(1));  // 2^k itself may be too large
  const P y = xsimd::fma(half, rest, half - P(.5)) * T(2);
  return select(xsimd::abs(x) < P(std::numeric_limits<T>::epsilon() / 2), x, y);
}

/// The natural logarithm.
inline Pack<float> log(const Pack<float>& x) { return xsimd::log(x); }
/// The same of f64.
inline Pack<double> log(const Pack<double>& x) {  // xsimd's is wrong for subnormal doubles
  using P = Pack<double>;
  const auto tiny = x < P(std::numeric_limits<double>::min());
  return xsimd::log(select(tiny, x * P(0x1p54), x)) - select(tiny, P(54 * std::numbers::ln2), P(0));
}
/// log(1 + x), also where x is small.
template <class T>
Pack<T> log1p(const Pack<T>& x) {
  return select(x == Pack<T>(0), x, xsimd::log1p(x));  // xsimd's makes -0 0
}

/// The square root.
template <class T>
Pack<T> sqrt(const Pack<T>& x) {
  return xsimd::sqrt(x);
}
/// 1 / sqrt(x).
template <class T>
Pack<T> rsqrt(const Pack<T>& x) {
  return Pack<T>(1) / xsimd::sqrt(x);
}

/// The sine of x in radians.
inline Pack<float> sin(const Pack<float>& x) { return xsimd::sin(x); }
/// The same of f64.
inline Pack<double> sin(const Pack<double>& x) {
  const Pack<double> a = xsimd::abs(x), y = detail::sine<0>(a) ^ xsimd::bitofsign(x);
  const auto far = a > Pack<double>(detail::trigonometric_reach);
  return xsimd::any(far) ? select(far, per_lane([](double v) { return std::sin(v); }, x), y) : y;
}
/// The cosine of x in radians.
inline Pack<float> cos(const Pack<float>& x) { return xsimd::cos(x); }
/// The same of f64.
inline Pack<double> cos(const Pack<double>& x) {
  const Pack<double> a = xsimd::abs(x), y = detail::sine<1>(a);
  const auto far = a > Pack<double>(detail::trigonometric_reach);
  return xsimd::any(far) ? select(far, per_lane([](double v) { return std::cos(v); }, x), y) : y;
}
/// The hyperbolic tangent.
template <class T>
Pack<T> tanh(const Pack<T>& x) {
  return xsimd::tanh(x);
}

/// 1 / (1 + e^-x).
template <class T>
Pack<T> sigmoid(const Pack<T>& x) {
  const Pack<T> e = exp(-xsimd::abs(x));  // at most 1, and exact in the tail
  return select(x < Pack<T>(0), e, Pack<T>(1)) / (e + T(1));
}
/// e^-|x| / (1 + e^-|x|)^2, the derivative of sigmoid. What the sum loses by rounding would count twice.
template <class T>
Pack<T> logistic_pdf(const Pack<T>& x) {
  const Pack<T> e = exp(-xsimd::abs(x)), sum = e + T(1), lost = (T(1) - sum) + e;
  return e / detail::fused(sum, sum, sum * lost * T(2));
}
/// x / (1 + e^-x), also where the sigmoid alone is subnormal; 0 at minus infinity.
template <class T>
Pack<T> silu(const Pack<T>& x) {
  const Pack<T> least(std::is_same_v<T, float> ? -112 : -760);  // where the result rounds to 0
  const Pack<T> bounded = xsimd::max(least, x);
  const auto [k, rest] = detail::power_of_e(xsimd::max(least, -xsimd::abs(x)), Pack<T>(0));
  const Pack<T> e = detail::scaled(rest + T(1), k), y = bounded / (e + T(1));
  return select(x < Pack<T>(0), detail::scaled((rest + T(1)) * y, k), y);
}
/// log(1 + e^x).
template <class T>
Pack<T> softplus(const Pack<T>& x) {
  return maximum(x, Pack<T>(0)) + xsimd::log1p(exp(-xsimd::abs(x)));
}

}  // namespace xgrad::pack

#pragma GCC diagnostic pop
