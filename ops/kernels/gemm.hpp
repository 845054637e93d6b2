#pragma once
// Matrix products. The bits of a result depend neither on the threads nor on how the work is cut: each
// element is summed in the same order.
#include <algorithm>

#include <xgrad/core/array/array.hpp>
#include <xgrad/core/base/threads.hpp>

namespace xgrad::kernels {

/// C (m, n) = op(A) op(B), or C + op(A) op(B), row-major, on the calling thread. lda, ldb and ldc are the
/// rows' lengths in memory. T is float or double; k is not 0.
template <class T>
void gemm(bool ta, bool tb, long m, long n, long k, const T* a, long lda, const T* b, long ldb,
          bool accumulate, T* c, long ldc);

/// out = the sum of so many parts of `size` elements, one after the other, in this order.
template <class T>
void add_parts(const T* sums, long parts, long size, T* out) {
  threads::for_ranges(size, 1 << 14, [=](long first, long last) {
    std::copy(sums + first, sums + last, out + first);
    for (long part = 1; part < parts; ++part)
      for (long i = first; i < last; ++i) out[i] += sums[part * size + i];
  });
}

/// op(a) op(b) for stacks of matrices whose leading axes broadcast to `batch`.
Array matmul(const Array& a, const Array& b, bool ta, bool tb, const Shape& batch);

}  // namespace xgrad::kernels
