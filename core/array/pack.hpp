#pragma once
// What elementwise lambdas are written with: the same functions for a SIMD pack and for one number.
#include <bit>
#include <cmath>
#include <cstdint>
#include <xsimd/xsimd.hpp>

/// What elementwise lambdas are written with: the functions take SIMD packs, and single numbers where a
/// lambda is used for both.
namespace xgrad::pack {

/// As many T as the instruction set computes at once; +, -, *, / and comparisons work on it.
template <class T>
using Pack = xsimd::batch<T>;

/// Stores past the caches, so that what is overwritten need not be read first; `to` is aligned to a pack.
/// Other threads see it after store_fence().
template <class T>
void store_non_temporal(const Pack<T>& x, T* to) {
#if defined __AVX512F__
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), std::bit_cast<__m512i>(x.data));
#elif defined __AVX__
  _mm256_stream_si256(reinterpret_cast<__m256i*>(to), std::bit_cast<__m256i>(x.data));
#elif defined __SSE2__
  _mm_stream_si128(reinterpret_cast<__m128i*>(to), std::bit_cast<__m128i>(x.data));
#else
  x.store_aligned(to);
#endif
}
/// Makes what store_non_temporal() has stored visible to other threads.
inline void store_fence() {
#if defined __SSE2__
  _mm_sfence();
#endif
}

/// a where the condition holds, else b.
template <class T>
Pack<T> select(const xsimd::batch_bool<T>& condition, const Pack<T>& a, const Pack<T>& b) {
  return xsimd::select(condition, a, b);
}
/// The same for one number.
template <class T>
requires std::is_arithmetic_v<T> T select(bool condition, T a, T b) { return condition ? a : b; }

/// Whether a condition holds in all lanes.
template <class T>
bool all(const xsimd::batch_bool<T>& condition) {
  return xsimd::all(condition);
}
/// |x|.
template <class V>
V abs(const V& x) {
  return xsimd::abs(x);
}

/// f(x...) lane by lane: for functions of the C library.
template <class F, class T, class... More>
Pack<T> per_lane(F f, const Pack<T>& x, const More&... more) {
  constexpr std::size_t lanes = Pack<T>::size;
  alignas(64) T in[1 + sizeof...(more)][lanes], out[lanes];
  x.store_aligned(in[0]);
  std::size_t k = 0;
  (more.store_aligned(in[++k]), ...);
  for (std::size_t i = 0; i < lanes; ++i)
    if constexpr (sizeof...(more) == 0)
      out[i] = f(in[0][i]);
    else
      out[i] = f(in[0][i], in[1][i]);
  return Pack<T>::load_aligned(out);
}

/// The larger of two; NaN propagates. (xsimd's a != a is false for a NaN, hence !(a == a).)
template <class V>
V maximum(const V& a, const V& b) {
  return select(a >= b || !(a == a), a, b);
}
/// The smaller of two; NaN propagates.
template <class V>
V minimum(const V& a, const V& b) {
  return select(a <= b || !(a == a), a, b);
}
/// a b with a strong zero: 0 where a or b is 0, whatever the other is.
template <class V>
V strong_mul(const V& a, const V& b) {
  return select(a == V(0) || b == V(0), V(0), a * b);
}
/// a times 1 / b with a strong zero: 0 where a is 0 or b infinite.
template <class V>
V strong_div(const V& a, const V& b) {
  return select(a == V(0) || xsimd::abs(b) == V(INFINITY), V(0), a / b);
}
/// -x, of either zero too (xsimd's is 0 - x).
template <class V>
V negate(const V& x) {
  return V(static_cast<typename V::value_type>(-0.)) - x;
}
/// 1 where the condition holds, else 0: select(condition, one, zero) with the type of `like`.
template <class V, class Condition>
V mask(const V& like, const Condition& condition) {
  (void)like;
  return select(condition, V(1), V(0));
}

}  // namespace xgrad::pack
