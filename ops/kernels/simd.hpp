#pragma once
// Packs of 64 bytes for kernels that shuffle lanes; the compiler splits them where registers are shorter.

namespace xgrad::kernels {

template <class T>
struct Vectors;
template <>
struct Vectors<float> {
  typedef float Pack __attribute__((vector_size(64)));
  typedef float Loose __attribute__((vector_size(64), aligned(4), may_alias));  // anywhere in memory
  typedef int Permutation __attribute__((vector_size(64)));
  static constexpr Permutation low{0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23};
  static constexpr Permutation high{8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
};
template <>
struct Vectors<double> {
  typedef double Pack __attribute__((vector_size(64)));
  typedef double Loose __attribute__((vector_size(64), aligned(8), may_alias));
  typedef long Permutation __attribute__((vector_size(64)));
  static constexpr Permutation low{0, 8, 1, 9, 2, 10, 3, 11};
  static constexpr Permutation high{4, 12, 5, 13, 6, 14, 7, 15};
};
template <class T>
inline constexpr long lanes_of = 64 / long(sizeof(T));

using Pack = Vectors<float>::Pack;
using LoosePack = Vectors<float>::Loose;
using Permutation = Vectors<float>::Permutation;
inline constexpr long lanes = lanes_of<float>;

#define XGRAD_UNROLL _Pragma("GCC unroll 36")
#define XGRAD_INLINE inline __attribute__((always_inline))

/// Transposes as many packs as one has lanes, by perfect shuffles: four times for float, three for double.
template <class T = float>
XGRAD_INLINE void transpose(typename Vectors<T>::Pack* a) {
  using V = Vectors<T>;
  constexpr int n = int(lanes_of<T>);
  XGRAD_UNROLL for (int round = 1; round < n; round *= 2) {
    typename V::Pack b[n];
    XGRAD_UNROLL for (int i = 0; i < n / 2; ++i) {
      b[2 * i] = __builtin_shuffle(a[i], a[i + n / 2], V::low);
      b[2 * i + 1] = __builtin_shuffle(a[i], a[i + n / 2], V::high);
    }
    XGRAD_UNROLL for (int i = 0; i < n; ++i) a[i] = b[i];
  }
}

}  // namespace xgrad::kernels
