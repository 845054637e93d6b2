#pragma once
// The transforms of Winograd's F(4x4, 3x3) (Lavin and Gray, 2016), with channels in the lanes of a pack.
// Tiles at the lower and right edge of an image that does not divide by 4 are 3 high or wide: F(3, 3) along
// that axis, by five of the six points.
//
// Images are (C, H, W) outside. Inside, 16 channels at a time are a plane [row][column][16] with room for
// whole tiles; the 36 numbers of a transformed tile go to 36 matrices [tile][16], whose products with the
// transformed weights are the convolution.
#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include <xgrad/core/array/array.hpp>
#include <xgrad/ops/kernels/simd.hpp>

namespace xgrad::kernels::winograd {

inline constexpr long points = 36;  // of a transformed tile

/// |x| as bits, which are ordered as the numbers are; infinity and NaN come last.
XGRAD_INLINE IntPack magnitude(const Pack& x) { return bits_of(x) & 0x7fffffff; }

template <int R, int C>
struct Matrix {
  float at[R][C];
  static constexpr int rows = R, columns = C;
  constexpr Matrix<C, R> transposed() const {
    Matrix<C, R> result{};
    for (int i = 0; i < R; ++i)
      for (int j = 0; j < C; ++j) result.at[j][i] = at[i][j];
    return result;
  }
};
// Y = A' [ (G w G') * (B' d B) ] A, elementwise in the middle.
inline constexpr Matrix<6, 6> BT{{{4, 0, -5, 0, 1, 0},
                                  {0, -4, -4, 1, 1, 0},
                                  {0, 4, -4, -1, 1, 0},
                                  {0, -2, -1, 2, 1, 0},
                                  {0, 2, -1, -2, 1, 0},
                                  {0, 4, 0, -5, 0, 1}}};
inline constexpr Matrix<6, 3> G{{{1 / 4.f, 0, 0},
                                 {-1 / 6.f, -1 / 6.f, -1 / 6.f},
                                 {-1 / 6.f, 1 / 6.f, -1 / 6.f},
                                 {1 / 24.f, 1 / 12.f, 1 / 6.f},
                                 {1 / 24.f, -1 / 12.f, 1 / 6.f},
                                 {0, 0, 1}}};
inline constexpr Matrix<4, 6> AT{
    {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}}};
inline constexpr Matrix<6, 4> A = AT.transposed();
inline constexpr Matrix<3, 6> GT = G.transposed();
// The points are 0, 1, -1, 2, -2 and infinity. The matrices of three results do without -2, and fit the same
// G.
inline constexpr Matrix<5, 5> edge_BT{
    {{4, -2, -4, 2, 0}, {0, -6, -3, 3, 0}, {0, 2, -3, 1, 0}, {0, -4, 0, 4, 0}, {0, 2, -1, -2, 1}}};
inline constexpr Matrix<3, 5> edge_AT{{{1, 1, 1, 1, 0}, {0, 1, -1, 2, 0}, {0, 1, 1, 4, 1}}};
inline constexpr Matrix<5, 3> edge_A = edge_AT.transposed();

template <const auto& M>
using Size = std::remove_cvref_t<decltype(M)>;

/// The number among all 36 of the k-th point of a tile, which has so many in each column and row.
constexpr int point(int down, int across, int k) {
  const int a = k / across, b = k % across;
  return 6 * (down == 5 && a == 4 ? 5 : a) + (across == 5 && b == 4 ? 5 : b);
}

/// The sum over every so many columns c of M[row][c] in[c]. Zeros cost nothing, nor does a first factor of 1.
template <const auto& M>
XGRAD_INLINE Pack sum_columns(int row, const Pack* in, int in_step, int first = 0, int every = 1) {
  int start = -1;
  XGRAD_UNROLL for (int c = first; c < Size<M>::columns;
                    c += every) if (M.at[row][c] == 1 || (start < 0 && M.at[row][c] != 0)) start = c;
  Pack sum = M.at[row][start] * in[start * in_step];
  XGRAD_UNROLL for (int c = first; c < Size<M>::columns; c += every) if (M.at[row][c] != 0 && c != start)
      sum += M.at[row][c] * in[c * in_step];
  return sum;
}
/// One column: out[r] = sum over c of M[r][c] in[c]. Where there are six points, what belongs to x and to -x
/// differs in the signs of odd powers, and is computed together.
template <const auto& M>
XGRAD_INLINE void apply(const Pack* in, int in_step, Pack* out, int out_step) {
  if constexpr (Size<M>::rows == 6) {
    out[0] = sum_columns<M>(0, in, in_step);
    XGRAD_UNROLL for (int r = 1; r <= 3; r += 2) {
      const Pack even = sum_columns<M>(r, in, in_step, 0, 2), odd = sum_columns<M>(r, in, in_step, 1, 2);
      out[r * out_step] = even + odd;
      out[(r + 1) * out_step] = even - odd;
    }
    out[5 * out_step] = sum_columns<M>(5, in, in_step);
  } else if constexpr (Size<M>::columns == 6) {
    Pack both[2][6];
    XGRAD_UNROLL for (int c = 0; c < 6; c += 5) both[0][c] = both[1][c] = in[c * in_step];
    XGRAD_UNROLL for (int c = 1; c <= 3; c += 2) {
      both[0][c] = in[c * in_step] + in[(c + 1) * in_step];
      both[1][c] = in[c * in_step] - in[(c + 1) * in_step];
    }
    XGRAD_UNROLL for (int r = 0; r < Size<M>::rows; ++r) {
      Pack sum = M.at[r][1] * both[r % 2][1] + M.at[r][3] * both[r % 2][3];
      XGRAD_UNROLL for (int c = 0; c < 6; c += 5) if (M.at[r][c] != 0) sum += M.at[r][c] * both[0][c];
      out[r * out_step] = sum;
    }
  } else {
    XGRAD_UNROLL for (int r = 0; r < Size<M>::rows; ++r) out[r * out_step] = sum_columns<M>(r, in, in_step);
  }
}
/// out = L in R', for sixteen channels at once.
template <const auto& L, const auto& R>
XGRAD_INLINE void sandwich(const Pack* in, Pack* out) {
  constexpr int W = Size<R>::columns;
  Pack half[Size<L>::rows * W];
  XGRAD_UNROLL for (int j = 0; j < W; ++j) apply<L>(in + j, W, half + j, W);
  XGRAD_UNROLL for (int i = 0; i < Size<L>::rows; ++i) apply<R>(half + i * W, 1, out + i * Size<R>::rows, 1);
}

/// How rows of an image lie in a plane of whole tiles: `offset[pixel]` floats from its start.
struct Layout {
  long pixels, width, channel_step;  // that are there, in rows so wide; from one channel to the next
  long rows, columns;                // of the plane, in pixels
  std::vector<int> offset;
  Layout(long height, long width, long channel_step, long rows, long columns, long top = 0, long left = 0)
      : pixels(height * width), width(width), channel_step(channel_step), rows(rows), columns(columns) {
    offset.reserve(std::size_t(pixels));
    for (long i = 0; i < height; ++i)
      for (long j = 0; j < width; ++j) offset.push_back(int(((i + top) * columns + j + left) * lanes));
  }
  long plane_size() const { return rows * columns * lanes; }
};

/// The planes that so many channels need.
inline long panels(long channels) { return (channels + lanes - 1) / lanes; }

/// Calls f(first pixel, std::true_type) for blocks of sixteen pixels, of which the last one overlaps the one
/// before, or f(0, std::false_type) for fewer pixels in all.
template <class F>
XGRAD_INLINE void each_block(const Layout& layout, F f) {
  if (layout.pixels < lanes) return f(0, std::false_type{});
  for (long p = 0; p < layout.pixels; p += lanes) f(std::min(p, layout.pixels - lanes), std::true_type{});
}

/// Up to 16 channels of an image into a plane; the border must be zero already. Missing channels become zero.
/// The next 16, which lie a page apart, are fetched meanwhile: no hardware sees them coming. Raises `largest`
/// to the magnitudes of each pixel, at least 16 numbers.
inline void load(const float* image, long channels, const Layout& layout, float* plane, int* largest) {
  each_block(layout, [&](long p, auto whole) {
    const long pixels = whole ? lanes : layout.pixels;
    auto& so_far = *reinterpret_cast<LooseWidePack<int>*>(largest + p);
    IntPack most = so_far;
    Pack a[16];
    XGRAD_UNROLL for (int i = 0; i < 16; ++i) {
      a[i] = Pack{};
      if (i >= channels) continue;
      const float* from = image + i * layout.channel_step + p;
      __builtin_prefetch(from + 16 * layout.channel_step, 0, 2);
      if (whole)
        a[i] = *reinterpret_cast<const LoosePack*>(from);
      else
        std::memcpy(&a[i], from, std::size_t(pixels) * sizeof(float));
      const IntPack size = magnitude(a[i]);
      most = choose(size > most, size, most);
    }
    so_far = most;
    transpose(a);
    const int* offset = layout.offset.data() + p;
    XGRAD_UNROLL for (int i = 0; i < 16; ++i) if (i < pixels) * reinterpret_cast<Pack*>(plane + offset[i]) =
        a[i];
  });
}

/// The adjoint way: up to 16 channels of a plane into an image.
inline void store(const float* plane, long channels, const Layout& layout, float* image) {
  each_block(layout, [&](long p, auto whole) {
    const long pixels = whole ? lanes : layout.pixels;
    Pack a[16];
    const int* offset = layout.offset.data() + p;
    XGRAD_UNROLL for (int i = 0; i < 16; ++i) a[i] =
        i < pixels ? *reinterpret_cast<const Pack*>(plane + offset[i]) : Pack{};
    transpose(a);
    XGRAD_UNROLL for (int i = 0; i < 16; ++i) {
      if (i >= channels) continue;
      float* to = image + i * layout.channel_step + p;
      __builtin_prefetch(to + 16 * layout.channel_step, 1, 2);
      if (whole)
        *reinterpret_cast<LoosePack*>(to) = a[i];
      else
        std::memcpy(to, &a[i], std::size_t(pixels) * sizeof(float));
    }
  });
}

/// Tiles of one size: those that begin in these rows and columns of a plane, every fourth pixel.
struct TileRange {
  long top, bottom, left, right;
  long count() const { return (bottom - top) / 4 * ((right - left) / 4); }
};

/// For each tile of a plane, L d R' of its window -> matrices[point][tile][16], `step` floats apart.
template <const auto& L, const auto& R>
inline void gather(const float* plane, const Layout& layout, const TileRange& tiles, float* matrices,
                   long step) {
  constexpr int H = Size<L>::columns, W = Size<R>::columns;
  for (long i = tiles.top; i < tiles.bottom; i += 4)
    for (long j = tiles.left; j < tiles.right; j += 4, matrices += lanes) {
      Pack d[H * W], r[Size<L>::rows * Size<R>::rows];
      const float* from = plane + (i * layout.columns + j) * lanes;
      XGRAD_UNROLL for (int a = 0; a < H; ++a) XGRAD_UNROLL for (int b = 0; b < W; ++b) d[a * W + b] =
          *reinterpret_cast<const Pack*>(from + (a * layout.columns + b) * lanes);
      sandwich<L, R>(d, r);
      XGRAD_UNROLL for (int k = 0; k < Size<L>::rows * Size<R>::rows; ++k) *
          reinterpret_cast<Pack*>(matrices + point(Size<L>::rows, Size<R>::rows, k) * step) = r[k];
    }
}

/// L m R' of each tile -> the tiles of a plane.
template <const auto& L, const auto& R>
inline void scatter(const float* matrices, long step, const Layout& layout, const TileRange& tiles,
                    float* plane) {
  constexpr int H = Size<L>::rows, W = Size<R>::rows;
  for (long i = tiles.top; i < tiles.bottom; i += 4)
    for (long j = tiles.left; j < tiles.right; j += 4, matrices += lanes) {
      Pack d[Size<L>::columns * Size<R>::columns], r[H * W];
      XGRAD_UNROLL for (int k = 0; k < Size<L>::columns * Size<R>::columns; ++k) d[k] =
          *reinterpret_cast<const Pack*>(matrices + point(Size<L>::columns, Size<R>::columns, k) * step);
      sandwich<L, R>(d, r);
      float* to = plane + (i * layout.columns + j) * lanes;
      XGRAD_UNROLL for (int a = 0; a < H; ++a) XGRAD_UNROLL for (int b = 0; b < W; ++b) *
          reinterpret_cast<Pack*>(to + (a * layout.columns + b) * lanes) = r[a * W + b];
    }
}

}  // namespace xgrad::kernels::winograd
