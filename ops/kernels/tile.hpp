#pragma once
// The tile of a matrix product that stays in registers: what every product here, Winograd's too, is made of.
#include <algorithm>

#include <xgrad/ops/kernels/simd.hpp>

namespace xgrad::kernels {

// The largest tile that leaves registers for the operands.
#if defined __AVX512F__
inline constexpr int tile_rows = 8, tile_packs = 2;
#elif defined __AVX2__
inline constexpr int tile_rows = 4, tile_packs = 1;
#else
inline constexpr int tile_rows = 2, tile_packs = 1;
#endif

/// Where the elements of a product's operands lie, in elements.
struct TileStrides {
  long a_row, a_k;          // a[row * a_row + k * a_k]
  long a_group = 0;         // if not 0, k comes in groups of this length,
  long a_group_stride = 0;  // which begin this far apart
  long b_k, b_pack;         // b[k * b_k + pack * b_pack + lane], aligned to packs
  long c_row, c_pack;       // c[row * c_row + pack * c_pack + lane], anywhere
};

/// C (Rows, Packs packs) (+)= A (Rows, k) B (k, Packs packs), summed along k in order.
template <int Rows, int Packs, class T>
XGRAD_INLINE void multiply_tile(long k, const T* a, const T* b, T* c, const TileStrides& s, bool accumulate) {
  using Loose = LooseRegister<T>;
  constexpr int each = 64 / register_bytes, columns = Packs * each;  // registers of a pack, and of a row
  constexpr long width = register_bytes / long(sizeof(T));
  Register<T> sum[Rows][columns];
  XGRAD_UNROLL for (int i = 0; i < Rows; ++i) XGRAD_UNROLL for (int j = 0; j < columns; ++j) sum[i][j] =
      Register<T>{};
  const long group = s.a_group ? s.a_group : k;
  for (long first = 0; first < k; first += group, a += s.a_group_stride) {
    const T* from = a;
    for (long end = std::min(group, k - first); end > 0; --end, from += s.a_k, b += s.b_k) {
      Register<T> right[columns];
      XGRAD_UNROLL for (int j = 0; j < columns; ++j) {
        right[j] = *reinterpret_cast<const Loose*>(b + j / each * s.b_pack + j % each * width);
        keep_in_register(right[j]);
      }
      XGRAD_UNROLL for (int i = 0; i < Rows; ++i) {
        const Register<T> left = from[i * s.a_row] - Register<T>{};
        XGRAD_UNROLL for (int j = 0; j < columns; ++j) sum[i][j] += left * right[j];
      }
    }
  }
  XGRAD_UNROLL for (int i = 0; i < Rows; ++i) XGRAD_UNROLL for (int j = 0; j < columns; ++j) {
    Loose& out = *reinterpret_cast<Loose*>(c + i * s.c_row + j / each * s.c_pack + j % each * width);
    out = accumulate ? Register<T>(out) + sum[i][j] : sum[i][j];
  }
}

/// The same for at most tile_rows rows and tile_packs packs. Rows are read and computed up to the next
/// multiple of 4.
template <class T>
XGRAD_INLINE void multiply_tile(long rows, long packs, long k, const T* a, const T* b, T* c,
                                const TileStrides& s, bool accumulate) {
  constexpr int few = std::min(tile_rows, 4);
  if (rows > 4 && packs > 1) return multiply_tile<tile_rows, tile_packs>(k, a, b, c, s, accumulate);
  if (rows > 4) return multiply_tile<tile_rows, 1>(k, a, b, c, s, accumulate);
  if (packs > 1) return multiply_tile<few, tile_packs>(k, a, b, c, s, accumulate);
  multiply_tile<few, 1>(k, a, b, c, s, accumulate);
}

}  // namespace xgrad::kernels
