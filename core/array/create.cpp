// Random arrays and ranges.
#include <xgrad/core/array/create.hpp>

#include <algorithm>
#include <cmath>

#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace {

/// What draw(dtype) gives in f32 or f64, rounded to 16 bits where that is asked for.
template <class Draw>
Array drawn(const char* op, DType dtype, Draw draw) {
  expect(is_floating(dtype), "{}: makes floating-point numbers, not {}", op, dtype);
  return draw(arithmetic(dtype)).cast(dtype);
}

/// Whether the dtype can hold an integer, or one near it where it is a floating-point type.
bool holds(DType dtype, std::int64_t x) {
  return is_floating(dtype) ||
         dispatch(dtype, [=]<class T>() { return convert<std::int64_t>(convert<T>(x)) == x; });
}

/// n elements f(i), which the dtype must be able to hold.
template <class F>
Array sequence(const char* op, long n, DType dtype, F f) {
  check_shape(op, {n}, width(dtype));
  Array result({n}, dtype);
  dispatch(dtype, [&]<class T>() {
    T* out = result.mutable_data<T>();
    for (long i = 0; i < n; ++i) out[i] = convert<T>(f(i));
  });
  return result;
}

}  // namespace

Array randn(const Shape& shape, DType dtype) {
  return drawn("randn", dtype, [&](DType d) { return default_generator().normal(shape, 0, 1, d); });
}
Array rand(const Shape& shape, DType dtype) {
  return drawn("rand", dtype, [&](DType d) { return default_generator().uniform(shape, 0, 1, d); });
}
Array randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype) {
  expect(low < high, "randint: the range [{}, {}) is empty", low, high);
  expect(holds(dtype, low) && holds(dtype, high - 1), "randint: {} cannot hold [{}, {})", dtype, low, high);
  return default_generator().integers(shape, low, high).cast(dtype);
}
Array randint(std::int64_t high, const Shape& shape, DType dtype) { return randint(0, high, shape, dtype); }
Array randperm(long n) {
  expect(n >= 0, "randperm: the length {} is negative", n);
  return array(default_generator().permutation(n));
}

Array linspace(double start, double stop, long n, DType dtype) {
  expect(is_floating(dtype), "linspace: makes floating-point numbers, not {}", dtype);
  expect(std::isfinite(start) && std::isfinite(stop) && std::isfinite(stop - start),
         "linspace: [{}, {}] is not a finite range", start, stop);
  const double step = n > 1 ? (stop - start) / double(n - 1) : 0;
  return sequence("linspace", n, dtype, [=](long i) {  // from the nearer end, so that both are exact
    const long left = n - 1 - i;
    if (i == left && n > 1) return start + (stop - start) / 2;
    return i <= left ? start + double(i) * step : stop - double(left) * step;
  });
}

Array eye(long n, DType dtype) { return eye(n, n, dtype); }
Array eye(long n, long m, DType dtype) {
  check_shape("eye", {n, m}, width(dtype));
  Array result = zeros({n, m}, dtype);
  dispatch(dtype, [&]<class T>() {
    T* out = result.mutable_data<T>();
    for (long i = 0; i < std::min(n, m); ++i) out[i * m + i] = convert<T>(1);
  });
  return result;
}

Array detail::arange(std::int64_t start, std::int64_t stop, std::int64_t step, DType dtype) {
  __extension__ using Wide = __int128;
  expect(step != 0, "arange: the step is 0");
  const Wide distance = Wide(stop) - start;
  expect(distance == 0 || (distance > 0) == (step > 0), "arange: the step {} does not lead from {} to {}",
         step, start, stop);
  const Wide n = (distance + step + (step > 0 ? -1 : 1)) / step;
  expect(n <= max_array_bytes, "arange: [{}, {}) by {} has too many elements", start, stop, step);
  const auto at = [=](long i) { return std::int64_t(start + Wide(i) * step); };
  expect(n == 0 || (holds(dtype, start) && holds(dtype, at(long(n) - 1))), "arange: {} cannot hold [{}, {})",
         dtype, start, stop);
  return sequence("arange", long(n), dtype, at);
}
Array detail::arange(double start, double stop, double step, DType dtype) {
  expect(std::isfinite(start) && std::isfinite(stop) && std::isfinite(step) && step != 0,
         "arange: [{}, {}) by {} is not a finite range with a step", start, stop, step);
  const double n = std::ceil((stop - start) / step);
  expect(n >= 0, "arange: the step {} does not lead from {} to {}", step, start, stop);
  expect(n <= double(max_array_bytes), "arange: [{}, {}) by {} has too many elements", start, stop, step);
  return sequence("arange", long(n), dtype, [=](long i) {
    const double x = start + double(i) * step;
    expect(can_hold(dtype, x), "arange: {} cannot hold {}", dtype, x);
    return x;
  });
}

}  // namespace xgrad
