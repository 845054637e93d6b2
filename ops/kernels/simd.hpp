#pragma once
// Shuffles of packs of 64 bytes, for kernels that transpose.
#include <xgrad/core/array/wide_pack.hpp>

namespace xgrad::kernels {

// Pairs of shuffles of two packs: single elements in turns inside each quarter of 16 bytes; elements two by
// two; even and odd quarters.
template <class T>
struct Shuffles;
template <>
struct Shuffles<float> {
  using Singles = std::pair<Shuffle<0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29>,
                            Shuffle<2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31>>;
  using Twos = std::pair<Shuffle<0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29>,
                         Shuffle<2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31>>;
  using Quarters = std::pair<Shuffle<0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27>,
                             Shuffle<4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31>>;
};
template <>
struct Shuffles<double> {
  using Singles = std::pair<Shuffle<0, 8, 2, 10, 4, 12, 6, 14>, Shuffle<1, 9, 3, 11, 5, 13, 7, 15>>;
  using Quarters = std::pair<Shuffle<0, 1, 4, 5, 8, 9, 12, 13>, Shuffle<2, 3, 6, 7, 10, 11, 14, 15>>;
};
template <class T>
inline constexpr long lanes_of = 64 / long(sizeof(T));

using Pack = WidePack<float>;
using LoosePack = LooseWidePack<float>;
using IntPack = WidePack<int>;
inline constexpr long lanes = lanes_of<float>;

/// Replaces each pair of packs `distance` apart by its two shuffles.
template <class Pair, class V>
XGRAD_INLINE void shuffle_pairs(V* a, int distance, int packs) {
  XGRAD_UNROLL for (int i = 0; i < packs; ++i) {
    if (i & distance) continue;
    const V left = a[i], right = a[i + distance];
    a[i] = Pair::first_type::of(left, right);
    a[i + distance] = Pair::second_type::of(left, right);
  }
}

/// Transposes as many packs as one has lanes: inside quarters first, then the quarters. (Measured: twice as
/// fast as shuffles of whole packs.)
XGRAD_INLINE void transpose(WidePack<float>* a) {
  using S = Shuffles<float>;
  shuffle_pairs<S::Singles>(a, 1, 16);
  shuffle_pairs<S::Twos>(a, 2, 16);
  XGRAD_UNROLL for (int i = 0; i < 16; i += 4) std::swap(a[i + 1], a[i + 2]);
  shuffle_pairs<S::Quarters>(a, 4, 16);
  shuffle_pairs<S::Quarters>(a, 8, 16);
}
XGRAD_INLINE void transpose(WidePack<double>* a) {
  using S = Shuffles<double>;
  shuffle_pairs<S::Singles>(a, 1, 8);
  shuffle_pairs<S::Quarters>(a, 2, 8);
  shuffle_pairs<S::Quarters>(a, 4, 8);
}

}  // namespace xgrad::kernels
