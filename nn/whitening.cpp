// Whitening filters by the symmetric eigen-decomposition of xtensor-blas.
#include "nn/whitening.hpp"

#include <cmath>
#include <xtensor-blas/xlinalg.hpp>

#include "core/error.hpp"

namespace xgrad {

Array whitening_filters(const Array& images, long k, double eps, long kept) {
  expect(images.rank() == 4 && images.dtype() == DType::f32,
         "whitening_filters: images {} {} are not (N, C, H, W) of f32", images.dtype(), images.shape());
  const long n = images.dim(0), c = images.dim(1), h = images.dim(2), w = images.dim(3), size = c * k * k;
  expect(k >= 1 && k <= h && k <= w && n > 0, "whitening_filters: {} has no patches of {}x{}", images.shape(),
         k, k);
  expect(kept >= 0 && kept <= size, "whitening_filters: patches of {} numbers have no {} directions", size,
         kept);
  if (kept == 0) kept = size;
  // The sum over all patches of x[a] x[b], a row of patches at a time.
  xt::xtensor<double, 2> moments = xt::zeros<double>({std::size_t(size), std::size_t(size)});
  const float* pixels = images.data<float>();
  std::vector<const float*> line{std::size_t(size)};
  for (long i = 0; i < n; ++i)
    for (long y = 0; y + k <= h; ++y) {
      for (long a = 0; a < size; ++a)
        line[std::size_t(a)] = pixels + ((i * c + a / (k * k)) * h + y + a / k % k) * w + a % k;
      for (long a = 0; a < size; ++a)
        for (long b = 0; b <= a; ++b) {
          double sum = 0;
          for (long x = 0; x + k <= w; ++x) sum += double(line[std::size_t(a)][x]) * line[std::size_t(b)][x];
          moments(a, b) += sum;
        }
    }
  const double patches = double(n) * double(h - k + 1) * double(w - k + 1);
  for (long a = 0; a < size; ++a)
    for (long b = 0; b <= a; ++b) moments(b, a) = moments(a, b) /= patches;
  const auto [values, vectors] = xt::linalg::eigh(moments);  // smallest eigenvalue first
  Array filters({2 * kept, c, k, k});
  float* out = filters.mutable_data<float>();
  for (long f = 0; f < kept; ++f) {
    const long column = size - 1 - f;
    const double scale = 1 / std::sqrt(values(column) + eps);
    for (long a = 0; a < size; ++a) {
      out[f * size + a] = float(vectors(a, column) * scale);
      out[(kept + f) * size + a] = -out[f * size + a];
    }
  }
  return filters;
}

}  // namespace xgrad
