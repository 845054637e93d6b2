// Matrix products by BLAS.
#include "ops/kernels/gemm.hpp"

#include <cblas.h>

#include <climits>
#include <string>

#include "core/error.hpp"
#include "core/profile.hpp"
#include "core/threads.hpp"

namespace xgrad::kernels {
namespace {

/// OpenBLAS would use threads of its own beside ours.
void use_one_thread() {
  static const bool once = (openblas_set_num_threads(1), true);
  (void)once;
}
int integer(long n) {
  expect(n <= INT_MAX, "matmul: a side of {} is too long for BLAS", n);
  return int(n);
}
CBLAS_TRANSPOSE transposed(bool t) { return t ? CblasTrans : CblasNoTrans; }

}  // namespace

void gemm(bool ta, bool tb, long m, long n, long k, const float* a, long lda, const float* b, long ldb,
          float beta, float* c, long ldc) {
  use_one_thread();
  cblas_sgemm(CblasRowMajor, transposed(ta), transposed(tb), integer(m), integer(n), integer(k), 1, a,
              integer(lda), b, integer(ldb), beta, c, integer(ldc));
}
void gemm(bool ta, bool tb, long m, long n, long k, const double* a, long lda, const double* b, long ldb,
          double beta, double* c, long ldc) {
  use_one_thread();
  cblas_dgemm(CblasRowMajor, transposed(ta), transposed(tb), integer(m), integer(n), integer(k), 1, a,
              integer(lda), b, integer(ldb), beta, c, integer(ldc));
}

/// How a product is cut: large ones into parts of about 256 rows, or columns where there are few rows, which
/// BLAS likes better than squares; small deep ones into four; others not. It follows from the shape alone.
struct Cut {
  long rows, columns, down, across;  // of a part; parts
  Cut(long m, long n, long k) : rows(m), columns(n) {
    constexpr long work = 1 << 21;
    const long most = m * n * k / work;
    auto part = [](long side, long parts) { return ((side + parts - 1) / parts + 7) / 8 * 8; };
    if (std::max(m, n) >= 256) {
      const bool by_rows = m >= n || m >= 512;
      long& side = by_rows ? rows : columns;
      side = part(side, std::clamp(most, 1l, std::clamp(side / 128, 1l, std::max(4l, side / 256))));
    } else if (most >= 4) {
      rows = part(m, 2), columns = part(n, 2);
    }
    down = (m + rows - 1) / rows, across = (n + columns - 1) / columns;
  }
};

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
           left + at_a + row * (ta ? 1 : k), ta ? m : k, right + at_b + column * (tb ? k : 1), tb ? k : n, 0,
           out + (stack * m + row) * n + column, n);
    };
    const long tasks = batch.size() * cut.down * cut.across;
    if (batch.size() * m * n * k < (1 << 18))
      for (long i = 0; i < tasks; ++i) task(i);
    else
      threads::for_each(tasks, task);
  });
  return y;
}

const char* blas_name() {
  static const std::string name = [] {
    std::string config = openblas_get_config();
    return config.substr(0, config.find(' ', 9)) + " " + openblas_get_corename();
  }();
  return name.c_str();
}

}  // namespace xgrad::kernels
