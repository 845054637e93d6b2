#pragma once
// Matrix products by BLAS: one thread a call, work cut by its shape, so that results do not depend on
// threads.
#include "core/array.hpp"

namespace xgrad::kernels {

/// C (m, n) = alpha op(A) op(B) + beta C, row-major, on the calling thread. lda, ldb and ldc are the rows'
/// lengths in memory.
void gemm(bool ta, bool tb, long m, long n, long k, const float* a, long lda, const float* b, long ldb,
          float beta, float* c, long ldc);
void gemm(bool ta, bool tb, long m, long n, long k, const double* a, long lda, const double* b, long ldb,
          double beta, double* c, long ldc);

/// op(a) op(b) for stacks of matrices whose leading axes broadcast to `batch`.
Array matmul(const Array& a, const Array& b, bool ta, bool tb, const Shape& batch);

/// The BLAS in use and the core it is tuned for, for reports: "OpenBLAS 0.3.21 Cooperlake".
const char* blas_name();

}  // namespace xgrad::kernels
