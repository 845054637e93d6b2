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
  // Large products are cut along their longer side, small ones are not.
  constexpr long work = 1 << 21;
  const long side = std::max(m, n);
  const long parts = std::clamp(m * n * k / work, 1l, std::clamp(side / 96, 1l, 16l));
  const long part = (side + parts - 1) / parts;
  dispatch_floating(a.dtype(), [&]<class T>() {
    const T *left = a.data<T>(), *right = b.data<T>();
    T* out = y.mutable_data<T>();
    auto task = [&](long i) {
      long rest = i / parts, at_a = 0, at_b = 0;
      const long stack = rest, first = i % parts * part, count = std::min(part, side - first);
      if (count <= 0) return;
      for (int axis = batch.rank(); axis-- > 0; rest /= batch[axis]) {
        at_a += rest % batch[axis] * step_a[std::size_t(axis)] * m * k;
        at_b += rest % batch[axis] * step_b[std::size_t(axis)] * k * n;
      }
      const long lda = ta ? m : k, ldb = tb ? k : n;
      const T *pa = left + at_a, *pb = right + at_b;
      T* pc = out + stack * m * n;
      if (m >= n)
        gemm(ta, tb, count, n, k, pa + first * (ta ? 1 : k), lda, pb, ldb, 0, pc + first * n, n);
      else
        gemm(ta, tb, m, count, k, pa, lda, pb + first * (tb ? k : 1), ldb, 0, pc + first, n);
    };
    const long tasks = batch.size() * parts;
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
