// Matrix products: panels of both operands are packed for the tile of tile.hpp, a stretch of the sum at a
// time.
#include "ops/kernels/gemm.hpp"

#include "core/profile.hpp"
#include "core/threads.hpp"
#include "ops/kernels/room.hpp"
#include "ops/kernels/tile.hpp"

namespace xgrad::kernels {
namespace {

constexpr long stretch = 256;  // of the sum: panels of 16 and 32 KiB stay in the first-level cache

/// The rows of A or the columns of B: element k of a line is data[line * line_step + k * k_step].
template <class T>
struct Lines {
  const T* data;
  long count, line_step, k_step;
};

/// Copies elements [first, first + k) of all lines to panels[line / lanes][k][line % lanes]; missing lines
/// become zero.
template <class T>
void pack_panels(const Lines<T>& x, long first, long k, T* panels) {
  using Pack = typename Vectors<T>::Pack;
  using Loose = typename Vectors<T>::Loose;
  constexpr long width = lanes_of<T>;
  for (long line = 0; line < x.count; line += width, panels += k * width) {
    const T* from = x.data + line * x.line_step + first * x.k_step;
    const long count = std::min(width, x.count - line);
    long i = 0;
    if (x.k_step == 1) {
      for (; i + width <= k; i += width) {
        Pack block[width];
        for (long j = 0; j < width; ++j)
          block[j] = j < count ? *reinterpret_cast<const Loose*>(from + j * x.line_step + i) : Pack{};
        transpose<T>(block);
        XGRAD_UNROLL for (long j = 0; j < width; ++j) * reinterpret_cast<Pack*>(panels + (i + j) * width) =
            block[j];
      }
    } else if (x.line_step == 1 && count == width) {
      for (; i < k; ++i)
        *reinterpret_cast<Pack*>(panels + i * width) = *reinterpret_cast<const Loose*>(from + i * x.k_step);
    }
    for (; i < k; ++i)
      for (long j = 0; j < width; ++j)
        panels[i * width + j] = j < count ? from[j * x.line_step + i * x.k_step] : T(0);
  }
}

/// C (a.count, b.count) (+)= A B, on the calling thread.
template <class T>
void multiply(const Lines<T>& a, const Lines<T>& b, long k, bool accumulate, T* c, long ldc) {
  constexpr long width = lanes_of<T>;
  const long longest = std::min(k, stretch);
  Room<T> left(round_up(a.count, width) * longest), right(round_up(b.count, width) * longest);
  for (long first = 0; first < k; first += stretch, accumulate = true) {
    const long depth = std::min(stretch, k - first), panel = depth * width;
    pack_panels(a, first, depth, left.data());
    pack_panels(b, first, depth, right.data());
    const TileStrides inside{
        .a_row = 1, .a_k = width, .b_k = width, .b_pack = panel, .c_row = ldc, .c_pack = width};
    TileStrides apart = inside;
    apart.c_row = tile_packs * width;
    for (long column = 0; column < b.count; column += tile_packs * width)
      for (long row = 0; row < a.count; row += tile_rows) {
        const long rows = std::min(a.count - row, long(tile_rows)),
                   columns = std::min(b.count - column, tile_packs * width);
        const long packs = (columns + width - 1) / width;
        const T *from_a = left + row / width * panel + row % width, *from_b = right + column * depth;
        T* to = c + row * ldc + column;
        if (rows % std::min(tile_rows, 4) == 0 && columns % width == 0) {
          multiply_tile(rows, packs, depth, from_a, from_b, to, inside, accumulate);
        } else {  // over the edge: aside, and what is inside copied
          alignas(64) T tile[tile_rows * tile_packs * width];
          multiply_tile(rows, packs, depth, from_a, from_b, tile, apart, false);
          for (long i = 0; i < rows; ++i)
            for (long j = 0; j < columns; ++j) {
              const T sum = tile[i * apart.c_row + j];
              to[i * ldc + j] = accumulate ? to[i * ldc + j] + sum : sum;
            }
        }
      }
  }
}

/// How a product is cut for the threads: the longer side in halves. Its bits do not depend on that.
struct Cut {
  long rows, columns, down, across;  // of a part; parts
  Cut(long m, long n, long k) : rows(m), columns(n) {
    constexpr long least_work = 1 << 21, least_side = 32;
    const long most = std::min(4l * threads::count(), m * n * k / least_work);
    for (long parts = 2; parts <= most && std::max(rows, columns) >= 2 * least_side; parts *= 2) {
      long& side = rows >= columns ? rows : columns;
      side = round_up((side + 1) / 2, 16);
    }
    down = (m + rows - 1) / rows, across = (n + columns - 1) / columns;
  }
};

}  // namespace

template <class T>
void gemm(bool ta, bool tb, long m, long n, long k, const T* a, long lda, const T* b, long ldb,
          bool accumulate, T* c, long ldc) {
  multiply(Lines<T>{a, m, ta ? 1 : lda, ta ? lda : 1}, Lines<T>{b, n, tb ? ldb : 1, tb ? 1 : ldb}, k,
           accumulate, c, ldc);
}
template void gemm(bool, bool, long, long, long, const float*, long, const float*, long, bool, float*, long);
template void gemm(bool, bool, long, long, long, const double*, long, const double*, long, bool, double*,
                   long);

Array matmul(const Array& a, const Array& b, bool ta, bool tb, const Shape& batch) {
  const long m = a.dim(ta ? -1 : -2), k = a.dim(ta ? -2 : -1), n = b.dim(tb ? -2 : -1);
  Shape shape = batch;
  shape.push_back(m);
  shape.push_back(n);
  if (shape.size() == 0 || k == 0) return zeros(shape, a.dtype());
  const profile::Scope scope("matmul {}{} by {}{}", a.shape(), ta ? "'" : "", b.shape(), tb ? "'" : "");
  Array y(shape, a.dtype());
  auto leading = [&](const Array& x) {
    Shape lead(x.shape().begin(), x.shape().end() - 2);
    return broadcast_strides(lead, batch);
  };
  const Strides step_a = leading(a), step_b = leading(b);
  const Cut cut(m, n, k);
  dispatch_floating(a.dtype(), [&]<class T>() {
    const T *left = a.data<T>(), *right = b.data<T>();
    T* out = y.mutable_data<T>();
    auto task = [&](long i) {
      const long column = i % cut.across * cut.columns, row = i / cut.across % cut.down * cut.rows;
      const long stack = i / cut.across / cut.down;
      long rest = stack, at_a = 0, at_b = 0;
      for (int axis = batch.rank(); axis-- > 0; rest /= batch[axis]) {
        at_a += rest % batch[axis] * step_a[std::size_t(axis)] * m * k;
        at_b += rest % batch[axis] * step_b[std::size_t(axis)] * k * n;
      }
      gemm(ta, tb, std::min(cut.rows, m - row), std::min(cut.columns, n - column), k,
           left + at_a + row * (ta ? 1 : k), ta ? m : k, right + at_b + column * (tb ? k : 1), tb ? k : n,
           false, out + (stack * m + row) * n + column, n);
    };
    const long tasks = batch.size() * cut.down * cut.across;
    if (batch.size() * m * n * k < (1 << 18))
      for (long i = 0; i < tasks; ++i) task(i);
    else
      threads::for_each(tasks, task);
  });
  return y;
}

}  // namespace xgrad::kernels
