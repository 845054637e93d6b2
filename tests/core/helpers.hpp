#pragma once
// What the core tests share: arrays of random numbers, elements as doubles, and comparison to the bit.
#include <cmath>
#include <cstring>
#include <vector>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/core/tape/variable.hpp>

namespace xgrad::tests {

/// The elements, whatever their dtype.
inline std::vector<double> values(const Array& a) {
  const Array wide = a.cast(DType::f64);
  return {wide.data<double>(), wide.data<double>() + wide.size()};
}
inline std::vector<double> values(const Variable& x) { return values(x.data()); }

inline bool same_bits(const Array& a, const Array& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.bytes(), b.bytes(), std::size_t(a.byte_size())) == 0;
}

/// The largest difference, relative beyond 1; infinite where shapes or dtypes differ, or something is a NaN.
inline double distance(const Array& a, const Array& b) {
  if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) return INFINITY;
  double worst = 0;
  const auto x = values(a), y = values(b);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double d = std::abs(x[i] - y[i]) / std::max(1.0, std::abs(y[i]));
    worst = d <= worst ? worst : std::isnan(d) ? INFINITY : d;
  }
  return worst;
}

/// Uniform in [-1, 1).
inline Array random_array(const Shape& shape, std::uint64_t seed = 1, DType dtype = DType::f64) {
  return Generator(seed).uniform(shape, -1, 1, dtype);
}

/// Whether the elements have been computed, without asking for them.
inline bool is_ready(const Array& a) { return Value::of(a)->ready(); }

/// Restores fusion, the number of threads and that programs are not checked at the end of a test.
struct Restore {
  bool fusion = lazy::fusion();
  int threads = threads::count();
  ~Restore() {
    lazy::set_fusion(fusion);
    lazy::set_checking(false);
    threads::set(threads);
  }
};

}  // namespace xgrad::tests
