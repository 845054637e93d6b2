#pragma once
// Packs of sixteen floats for kernels that shuffle lanes; the compiler splits them where registers are
// shorter.

namespace xgrad::kernels {

inline constexpr long lanes = 16;
typedef float Pack __attribute__((vector_size(64)));
typedef float LoosePack __attribute__((vector_size(64), aligned(4), may_alias));  // anywhere in memory
typedef int Permutation __attribute__((vector_size(64)));

#define XGRAD_UNROLL _Pragma("GCC unroll 36")
#define XGRAD_INLINE inline __attribute__((always_inline))

/// Transposes sixteen packs: four perfect shuffles.
XGRAD_INLINE void transpose(Pack* a) {
  constexpr Permutation low{0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23};
  constexpr Permutation high{8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  XGRAD_UNROLL for (int round = 0; round < 4; ++round) {
    Pack b[16];
    XGRAD_UNROLL for (int i = 0; i < 8; ++i) {
      b[2 * i] = __builtin_shuffle(a[i], a[i + 8], low);
      b[2 * i + 1] = __builtin_shuffle(a[i], a[i + 8], high);
    }
    XGRAD_UNROLL for (int i = 0; i < 16; ++i) a[i] = b[i];
  }
}

}  // namespace xgrad::kernels
