#pragma once
// Elementary functions of SIMD packs, for elementwise lambdas; docs/accuracy.md has their errors.
#include <limits>
#include <numbers>
#include <utility>

#include "core/pack.hpp"

// GCC 12 takes what its own AVX-512 headers leave open for uninitialized, if it is inlined here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"

namespace xgrad::pack {
namespace detail {

/// c[0] + c[1] x + c[2] x^2 + ..., the even and the odd terms apart: half the time, and fewer roundings.
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

#if defined __AVX512F__  // registers hold the table
/// Of each lane the entry of the table that the last four bits of `index` name.
inline Pack<float> lookup(const float (&table)[16], const xsimd::batch<std::int32_t>& index) {
  return Pack<float>(_mm512_permutexvar_ps(index, _mm512_load_ps(table)));
}

/// Phi(-t) for t >= 0, Phi being the normal distribution function; 0 above normal_reach, where 1 - Phi(-t) is
/// 1 or its neighbour. One of 16 polynomials, each the best of its degree in relative error (at most 2.7e-8)
/// on an interval of length 11/32.
inline constexpr float normal_step = 11 / 32.f, normal_reach = 5.328f;
alignas(64) inline constexpr float normal_table[8][16] = {
    {0.5f, 0.3655171527f, 0.2458838504f, 0.1512117995f, 0.08456572235f, 0.0428299517f, 0.01958007878f,
     0.008058615526f, 0.002979763235f, 0.000988219777f, 0.0002935553598f, 7.802143705e-5f, 1.853673783e-5f,
     3.933901004e-6f, 7.452693576e-7f, 1.259722339e-7f},
    {-0.3989422804f, -0.3760547387f, -0.3149735354f, -0.2344115812f, -0.1550122655f, -0.09108252509f,
     -0.04755389127f, -0.0220606883f, -0.009093562495f, -0.003330665764f, -0.001083951997f, -0.0003134520019f,
     -8.054044929e-5f, -1.8388193e-5f, -3.730319825e-6f, -6.724114498e-7f},
    {1.845562014e-10f, 0.06463440633f, 0.1082721508f, 0.120868471f, 0.1065709333f, 0.07827404614f,
     0.04903995095f, 0.02654176556f, 0.01250364815f, 0.005152123389f, 0.001863042419f, 0.0005926201938f,
     0.0001661146988f, 4.108613479e-5f, 8.976089576e-6f, 1.733563427e-6f},
    {0.06649037187f, 0.05526975934f, 0.02768321702f, -0.002479940326f, -0.02300962957f, -0.02966407994f,
     -0.02578931547f, -0.01761192714f, -0.009946085688f, -0.00475801777f, -0.001954077961f, -0.0006947062883f,
     -0.0002149840634f, -5.813634421e-5f, -1.377733468e-5f, -2.867459507e-6f},
    {1.772427991e-7f, -0.01552182511f, -0.02280306457f, -0.01950528221f, -0.009852402477f, -0.0002995855998f,
     0.005124191294f, 0.006171055726f, 0.004754042637f, 0.00282138021f, 0.001368792399f, 0.000557943926f,
     0.0001940124139f, 5.809848423e-5f, 1.507840754e-5f, 3.406890044e-6f},
    {-0.009975594672f, -0.007222971885f, -0.001016779761f, 0.004394925831f, 0.006160541457f, 0.004552253304f,
     0.00175452528f, -0.0003279638678f, -0.001122664799f, -0.00103192127f, -0.0006478982227f,
     -0.000317746663f, -0.0001278305078f, -4.321810563e-5f, -1.245281544e-5f, -3.085694973e-6f},
    {1.233252312e-5f, 0.002465965304f, 0.00313806814f, 0.001839714108f, -9.044645273e-5f, -0.00125336511f,
     -0.001280888615f, -0.0006917607489f, -0.0001221071573f, 0.0001537718933f, 0.000187916153f,
     0.0001258895906f, 6.225200088e-5f, 2.461711358e-5f, 8.061507296e-6f, 2.228057115e-6f},
    {0.001154467987f, 0.0007289963983f, -0.0001918967606f, -0.0007907417829f, -0.0007069438595f,
     -0.0002267353025f, 0.0001706814851f, 0.0002745052625f, 0.0001781273344f, 5.264449103e-5f,
     -1.577190928e-5f, -2.991808042e-5f, -2.103843734e-5f, -1.0276425e-5f, -3.918379298e-6f, -1.2208118e-6f},
};
inline Pack<float> normal_tail(const Pack<float>& t) {
  using P = Pack<float>;
  constexpr float integer = 0x1.8p23f;  // a sum with it has the integer in its last bits
  const P bounded = xsimd::min(P(normal_reach), t);
  const P rounded = xsimd::fma(bounded, P(1 / normal_step), P(integer)), i = rounded - integer;
  const auto index = xsimd::bitwise_cast<xsimd::batch<std::int32_t>>(rounded);
  const P x = xsimd::fnma(i, P(normal_step), bounded);
  P y = lookup(normal_table[7], index);
  for (int k = 7; k-- > 0;) y = xsimd::fma(y, x, lookup(normal_table[k], index));
  return select(t > P(normal_reach), P(0), y);
}
/// The same for t >= normal_reach, times a factor: the density times a quotient of polynomials (relative
/// error 2.3e-9 up to t = 14.2, where Phi rounds to 0).
inline Pack<float> far_normal_tail(const Pack<float>& t, const Pack<float>& factor) {
  constexpr float over[] = {1.2488919f, .80113532f, .39894653f};
  constexpr float under[] = {2.17352347f, 4.11693404f, 2.00874085f, 1};
  const Pack<float> bounded = xsimd::min(Pack<float>(15), t);
  const auto [k, rest] = power_of_square(t, .5f);
  return scaled((rest + 1.f) * (polynomial(over, bounded) / polynomial(under, bounded)) * factor, k);
}
/// Phi(x) times a finite factor, also where Phi(x) alone is subnormal.
inline Pack<float> normal_product(const Pack<float>& x, const Pack<float>& factor) {
  using P = Pack<float>;
  const P t = xsimd::abs(x), tail = normal_tail(t), y = select(x < P(0), tail, 1.f - tail) * factor;
  const auto far = x < P(-normal_reach);
  return xsimd::any(far) ? select(far, far_normal_tail(t, factor), y) : y;
}
#else
/// Phi(-t) times a factor, for t >= 0: the density times a polynomial in (t - 1) / (t + 2.625), over t
/// + 2.625 (relative error 9e-9 up to t = 14.3, where Phi rounds to 0).
inline Pack<float> normal_tail(const Pack<float>& t, const Pack<float>& factor = Pack<float>(1)) {
  constexpr float c[] = {.9482213139f,   -.8568274665f,  .2965827283f,  .07677740334f,  -.05452015509f,
                         -.02630183018f, .006256170674f, .01027589772f, .002000342871f, -.003545293431f};
  const Pack<float> bounded = xsimd::min(Pack<float>(15), t), scale = 1.f / (bounded + 2.625f);
  const Pack<float> y = polynomial(c, (bounded - 1.f) * scale) * scale;
  const auto [k, rest] = power_of_square(t, .5f);
  return scaled(fused(y, rest, y) * factor, k);
}
/// Phi(x) times a finite factor, also where Phi(x) alone is subnormal.
inline Pack<float> normal_product(const Pack<float>& x, const Pack<float>& factor) {
  using P = Pack<float>;
  const auto left = x < P(0);
  const P tail = normal_tail(xsimd::abs(x), select(left, factor, P(1)));
  return select(left, tail, (1.f - tail) * factor);
}
#endif
inline Pack<double> normal_product(const Pack<double>& x, const Pack<double>& factor) {
  return by_lane(
      [](double v, double times) {
        if (v < -37) return double(std::erfc(-v / std::numbers::sqrt2_v<long double>) / 2 * times);
        // x / sqrt(2) in two parts: erfc multiplies a rounding error by its square.
        constexpr double high = 0x1.6a09e667f3bcdp-1, low = -4.83364665672645652e-17;
        const double y = -v * high, y_low = std::fma(-v, high, -y) - v * low;
        const double step = v < 0 ? std::exp(-y * y) * y_low * std::numbers::inv_sqrtpi : 0;
        return (std::erfc(y) / 2 - step) * times;
      },
      x, factor);
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
  // In this order of arguments a NaN stays one.
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
  return xsimd::any(far) ? select(far, by_lane([](double v) { return std::sin(v); }, x), y) : y;
}
/// The cosine of x in radians.
inline Pack<float> cos(const Pack<float>& x) { return xsimd::cos(x); }
/// The same of f64.
inline Pack<double> cos(const Pack<double>& x) {
  const Pack<double> a = xsimd::abs(x), y = detail::sine<1>(a);
  const auto far = a > Pack<double>(detail::trigonometric_reach);
  return xsimd::any(far) ? select(far, by_lane([](double v) { return std::cos(v); }, x), y) : y;
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

/// The error function.
inline Pack<float> erf(const Pack<float>& x) {
  using P = Pack<float>;
  constexpr float c[] = {.128379158f, -.3761251261f, .1128099169f, -.02664698516f, .004512356504f};
  const P t = xsimd::abs(x), small = xsimd::fma(detail::polynomial(c, x * x), x, x);
  const P large = xsimd::fnma(detail::normal_tail(t * float(std::numbers::sqrt2)), P(2), P(1));
  return select(t < P(.6f), small, select(x < P(0), -large, large));
}
/// The same of f64.
inline Pack<double> erf(const Pack<double>& x) {
  return by_lane([](double v) { return std::erf(v); }, x);
}
/// The normal distribution function, (1 + erf(x / sqrt(2))) / 2.
template <class T>
Pack<T> normal_cdf(const Pack<T>& x) {
  return detail::normal_product(x, Pack<T>(1));
}
/// x Phi(x) with Phi the normal distribution function; 0 at minus infinity.
template <class T>
Pack<T> gelu(const Pack<T>& x) {
  return detail::normal_product(x, xsimd::max(Pack<T>(-40), x));
}

}  // namespace xgrad::pack

#pragma GCC diagnostic pop
