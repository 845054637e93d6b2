#pragma once
// Max-pooling by windows of 2x2 without overlap or padding, sixteen windows at a time.
#include <cstdint>
#include <xsimd/xsimd.hpp>

#include <xgrad/ops/kernels/simd.hpp>

namespace xgrad::kernels {

///@{
/// The integers of a pack, as bytes in memory.
#if defined XGRAD_ONE_REGISTER
typedef std::uint8_t Bytes __attribute__((vector_size(16)));
typedef std::uint8_t LooseBytes __attribute__((vector_size(16), aligned(1), may_alias));
XGRAD_INLINE void store_bytes(const IntPack& x, std::uint8_t* to) {
  *reinterpret_cast<LooseBytes*>(to) = __builtin_convertvector(x, Bytes);
}
XGRAD_INLINE IntPack load_bytes(const std::uint8_t* from) {
  return __builtin_convertvector(Bytes(*reinterpret_cast<const LooseBytes*>(from)), IntPack);
}
#elif defined __AVX2__
XGRAD_INLINE void store_bytes(const IntPack& x, std::uint8_t* to) {
  const __m256i mixed = _mm256_packs_epi32(__m256i(x.part[0]), __m256i(x.part[1]));  // quarters 0, 2, 1, 3
  const __m256i shorts = _mm256_permute4x64_epi64(mixed, 0b11'01'10'00);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm_packus_epi16(_mm256_castsi256_si128(shorts), _mm256_extracti128_si256(shorts, 1)));
}
XGRAD_INLINE IntPack load_bytes(const std::uint8_t* from) {
  using Part = std::remove_reference_t<decltype(IntPack{}.part[0])>;
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return {{Part(_mm256_cvtepu8_epi32(bytes)), Part(_mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)))}};
}
#else
XGRAD_INLINE void store_bytes(const IntPack& x, std::uint8_t* to) {
  IntPack copy = x;
  for (int i = 0; i < lanes; ++i) to[i] = std::uint8_t(copy[i]);
}
XGRAD_INLINE IntPack load_bytes(const std::uint8_t* from) {
  IntPack x;
  for (int i = 0; i < lanes; ++i) x[i] = from[i];
  return x;
}
#endif
///@}

/// Whether v replaces the best so far: the first of equal elements counts; a NaN wins.
template <class V>
XGRAD_INLINE auto better(const V& v, const V& best) {
  return (v > best) | ((v != v) & (best == best));
}

/// One row of windows: `width` of them from the rows `top` and `bottom`. Up to `windows_left` windows from
/// here on may be read and written: rows are done in order, and the next overwrites what is written beyond
/// one.
inline void pool_row_2x2(const float* top, const float* bottom, long width, long windows_left, float* out,
                         std::uint8_t* indices) {
  using Even = Shuffle<0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30>;
  using Odd = Shuffle<1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31>;
  auto load = [](const float* p) { return Pack(*reinterpret_cast<const LoosePack*>(p)); };
  long j = 0;
  for (; j < width && j + lanes <= windows_left; j += lanes) {
    const Pack a = load(top + 2 * j), b = load(top + 2 * j + lanes);
    const Pack c = load(bottom + 2 * j), d = load(bottom + 2 * j + lanes);
    Pack best = Even::of(a, b);
    IntPack index{};
    auto offer = [&](Pack v, int number) {
      const IntPack wins = better(v, best);
      best = choose(wins, v, best);
      index = choose(wins, number - IntPack{}, index);
    };
    offer(Odd::of(a, b), 1);
    offer(Even::of(c, d), 2);
    offer(Odd::of(c, d), 3);
    *reinterpret_cast<LoosePack*>(out + j) = best;
    store_bytes(index, indices + j);
  }
  for (; j < width; ++j) {
    const float window[4] = {top[2 * j], top[2 * j + 1], bottom[2 * j], bottom[2 * j + 1]};
    int index = 0;
    for (int k = 1; k < 4; ++k)
      if (better(window[k], window[index])) index = k;
    out[j] = window[index];
    indices[j] = std::uint8_t(index);
  }
}

/// The adjoint of reading at the indices: each element at its index in one of the window's rows (0 or 1),
/// zeros beside it. `windows_left` is as above; what is written beyond the row must be overwritten.
inline void scatter_row_2x2(const float* g, const std::uint8_t* indices, int row, long width,
                            long windows_left, float* out) {
  using Low = Shuffle<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>;
  using High = Shuffle<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>;
  long j = 0;
  for (; j < width && j + lanes <= windows_left; j += lanes) {
    const Pack v = *reinterpret_cast<const LoosePack*>(g + j);
    const IntPack index = load_bytes(indices + j);
    const Pack left = choose(index == 2 * row, v, Pack{}), right = choose(index == 2 * row + 1, v, Pack{});
    *reinterpret_cast<LoosePack*>(out + 2 * j) = Low::of(left, right);
    *reinterpret_cast<LoosePack*>(out + 2 * j + lanes) = High::of(left, right);
  }
  for (; j < width; ++j)
    for (int k = 0; k < 2; ++k) out[2 * j + k] = indices[j] == 2 * row + k ? g[j] : 0;
}

/// Both rows of the windows at once, where a row of the result is one pack or less; `covered` has ones for
/// the lanes that windows cover. A pack is read and two are written: what is written beyond a row must be
/// overwritten.
inline void scatter_narrow_2x2(const float* g, const std::uint8_t* indices, IntPack covered, float* top,
                               float* bottom) {
  using Twice = Shuffle<0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7>;
  IntPack parity{};
  for (int i = 1; i < lanes; i += 2) parity[i] = 1;
  const Pack packed = *reinterpret_cast<const LoosePack*>(g);
  const IntPack packed_index = load_bytes(indices);
  const Pack v = Twice::of(packed, packed);
  const IntPack index = Twice::of(packed_index, packed_index);
  *reinterpret_cast<LoosePack*>(top) = choose((index == parity) & covered, v, Pack{});
  *reinterpret_cast<LoosePack*>(bottom) = choose((index == parity + 2) & covered, v, Pack{});
}

}  // namespace xgrad::kernels
