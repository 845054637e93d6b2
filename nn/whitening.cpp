// Whitening filters by the symmetric eigen-decomposition of xtensor-blas.
#include <xgrad/nn/whitening.hpp>

#include <xtensor-blas/xlinalg.hpp>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/xtensor.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/conv.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {

Array whitening_filters(const Array& images, long k, double eps, long kept) {
  expect(images.rank() == 4 && images.dtype() == DType::f32,
         "whitening_filters: images {} {} are not (N, C, H, W) of f32", images.dtype(), images.shape());
  const long n = images.dim(0), c = images.dim(1), h = images.dim(2), w = images.dim(3);
  expect(k >= 1 && k <= h && k <= w && n > 0, "whitening_filters: {} has no patches of {}x{}", images.shape(),
         k, k);
  const long size = c * k * k;
  expect(kept >= 0 && kept <= size, "whitening_filters: patches of {} numbers have no {} directions", size,
         kept);
  if (kept == 0) kept = size;
  NoGrad off;
  constexpr long chunk = 250;  // images whose patches are written out at a time
  Variable moments(zeros({size, size}, DType::f64));
  for (long first = 0; first < n; first += chunk) {
    const Variable some = slice(Variable(images), 0, first, std::min(n, first + chunk));
    const Variable patches = unfold(cast(some, DType::f64), k);  // (images, C k k, places)
    moments = moments + sum(matmul(patches, patches, {.transpose_b = true}), 0);
    evaluate(moments.data());
  }
  moments = moments / (double(n) * double(h - k + 1) * double(w - k + 1));
  const xt::xarray<double> mean_moments = as_xtensor<double>(moments.data());
  const auto [values, vectors] = xt::linalg::eigh(mean_moments);  // smallest eigenvalue first
  const Variable scale = rsqrt(Variable(to_array(values)) + eps);
  const Variable rows = flip(transpose(Variable(to_array(vectors)) * scale), 0);
  const Variable largest = slice(rows, 0, 0, kept);
  return cast(reshape(concat({largest, -largest}, 0), {2 * kept, c, k, k}), DType::f32).data();
}

}  // namespace xgrad
