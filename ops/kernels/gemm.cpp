// Matrix products: operands are packed in panels for the tile of tile.hpp, a block of k at a time.
#include <xgrad/ops/kernels/gemm.hpp>

#include <xgrad/core/base/profile.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/ops/kernels/panels.hpp>

namespace xgrad::kernels {
namespace {

/// How a product is cut for the threads: the longer side in halves, up to four parts a thread, of which a
/// slower core takes fewer. Its bits do not depend on that.
struct Cut {
  long rows, columns, down, across;  // of a part; parts
  Cut(long m, long n, long k) : rows(m), columns(n) {
    constexpr long least_work = 1 << 21, least_side = 32, parts_a_thread = 4;
    const long most = std::min(parts_a_thread * threads::count(), m * n * k / least_work);
    for (long parts = 2; parts <= most && std::max(rows, columns) >= 2 * least_side; parts *= 2) {
      long& side = rows >= columns ? rows : columns;
      side = round_up((side + 1) / 2, &side == &rows ? 8 : 16);
    }
    down = (m + rows - 1) / rows, across = (n + columns - 1) / columns;
  }
};

/// Few results of long sums, such as a layer's of a small batch: the sums are cut, in four parts or, for no
/// sum to have too many terms, longer ones in more.
constexpr long sum_parts = 4, longest_part = 1 << 16;
bool long_sums(long m, long n, long k) {
  return m * n <= 1 << 14 && k >= sum_parts * k_block && m * n * k >= 1 << 20;
}

template <class T>
void multiply_in_parts(bool ta, bool tb, long m, long n, long k, const T* a, const T* b, T* c) {
  const long part = std::min(round_up((k + sum_parts - 1) / sum_parts, k_block), longest_part);
  const long parts = (k + part - 1) / part;
  const Scratch<T> scratch(parts * m * n);
  T* sums = scratch.data();
  threads::for_each(parts, [=](long i) {
    const long first = i * part;
    gemm(ta, tb, m, n, std::min(part, k - first), a + first * (ta ? m : 1), ta ? m : k,
         b + first * (tb ? 1 : n), tb ? k : n, false, sums + i * m * n, n);
  });
  add_parts(sums, parts, m * n, c);
}

}  // namespace

template <class T>
void gemm(bool ta, bool tb, long m, long n, long k, const T* a, long lda, const T* b, long ldb,
          bool accumulate, T* c, long ldc) {
  const Operand<T> columns{b, n, tb ? ldb : 1, tb ? 1 : ldb};
  multiply(
      Operand<T>{a, m, ta ? 1 : lda, ta ? lda : 1}, n,
      [&](long first, long depth, T* panels) { pack_panels(columns, first, depth, panels); }, k, accumulate,
      c, ldc);
}
template void gemm(bool, bool, long, long, long, const float*, long, const float*, long, bool, float*, long);
template void gemm(bool, bool, long, long, long, const double*, long, const double*, long, bool, double*,
                   long);

Array matmul(const Array& a, const Array& b, bool ta, bool tb, const Shape& batch) {
  const long m = a.dim(ta ? -1 : -2), k = a.dim(ta ? -2 : -1), n = b.dim(tb ? -2 : -1);
  Shape shape = batch;
  shape.push_back(m);
  shape.push_back(n);
  check_shape("matmul", shape, width(a.dtype()));
  if (shape.size() == 0 || k == 0) return zeros(shape, a.dtype());
  const profile::Scope scope("matmul {}{} by {}{}", a.shape(), ta ? "'" : "", b.shape(), tb ? "'" : "");
  evaluate(a);  // what is in memory has sizes whose products can be counted
  evaluate(b);
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
    if (batch.size() == 1 && long_sums(m, n, k)) return multiply_in_parts(ta, tb, m, n, k, left, right, out);
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
