#pragma once
// What tests of all parts share: arrays of random numbers, elements as doubles, comparison to the bit, whole
// files, and settings that come back.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/ops/conv.hpp>

namespace xgrad::tests {

/// The elements, whatever their dtype.
inline std::vector<double> values(const Array& a) {
  const Array wide = a.cast(DType::f64);
  return {wide.data<double>(), wide.data<double>() + wide.size()};
}
inline std::vector<double> values(const Variable& x) { return values(x.data()); }

/// The bytes of the elements.
inline std::string bits(const Array& a) { return {a.bytes(), std::size_t(a.byte_size())}; }

/// Bit for bit the same elements, in the same shape and dtype.
inline bool same_bits(const Array& a, const Array& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && bits(a) == bits(b);
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

/// The contents of a file; empty if it does not exist.
inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
/// Writes a file, and makes its folder first.
inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Restores fusion, the number of threads, Winograd's algorithm and that programs are not checked at the end
/// of a scope, also when a test fails there.
class Restore {
 public:
  Restore() = default;
  ~Restore() {
    lazy::set_fusion(fusion_);
    threads::set(threads_);
    lazy::set_checking(false);  // as every test finds this and the next
    set_direct_convolution(false);
  }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

 private:
  const bool fusion_ = lazy::fusion();
  const int threads_ = threads::count();
};

}  // namespace xgrad::tests
