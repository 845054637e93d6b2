#pragma once
// What elementwise lambdas are written with: the same functions for a SIMD pack and for one number.
#include <cmath>
#include <cstdint>
#include <xsimd/xsimd.hpp>

namespace xgrad::pack {

template <class T>
using Pack = xsimd::batch<T>;

/// a where the condition holds, else b.
template <class T>
Pack<T> select(const xsimd::batch_bool<T>& condition, const Pack<T>& a, const Pack<T>& b) {
  return xsimd::select(condition, a, b);
}
template <class T>
requires std::is_arithmetic_v<T> T select(bool condition, T a, T b) { return condition ? a : b; }

/// The larger and the smaller of two; a NaN stays one. (xsimd's a != a is false for a NaN, hence !(a == a).)
template <class V>
V maximum(const V& a, const V& b) {
  return select(a >= b || !(a == a), a, b);
}
template <class V>
V minimum(const V& a, const V& b) {
  return select(a <= b || !(a == a), a, b);
}
/// 1 where the condition holds, else 0: select(condition, one, zero) with the type of `like`.
template <class V, class Condition>
V mask(const V& like, const Condition& condition) {
  (void)like;
  return select(condition, V(1), V(0));
}

}  // namespace xgrad::pack
