#pragma once
// The normal distribution function of SIMD packs, and what is made from it: erf and gelu; docs/accuracy.md
// has their errors.
#include <xgrad/core/array/pack_math.hpp>

// GCC 12 warns about what its own AVX-512 headers leave uninitialized, if it is inlined here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"

namespace xgrad::pack {
namespace detail {

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
  return per_lane(
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

}  // namespace detail

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
  return per_lane([](double v) { return std::erf(v); }, x);
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
