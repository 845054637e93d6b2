// Sums, however they come about, against exact ones: their errors do not grow with the number of terms.
#include <cmath>
#include <functional>
#include <random>

#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/conv.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/pool.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

namespace xgrad::tests {
namespace {

__extension__ typedef __int128 Whole;  // what sums of whole numbers are exact in
constexpr double inf = INFINITY;

/// Whole numbers of many magnitudes that T holds exactly: of both signs, or positive.
Array whole_numbers(const Shape& shape, DType dtype, bool both_signs, unsigned seed = 1) {
  std::mt19937_64 random(seed);
  Array x(shape, dtype);
  dispatch_arithmetic(dtype, [&]<class T>() {
    constexpr int digits = std::is_same_v<T, float> ? 24 : std::is_same_v<T, double> ? 53 : 40;
    T* out = x.mutable_data<T>();
    for (long i = 0; i < x.size(); ++i) {
      const std::uint64_t bits = random();
      const auto number = std::int64_t(bits >> (64 - digits)) >> (bits % 20);
      out[i] = T(both_signs && (bits & 32) ? -number : number);
    }
  });
  return x;
}

/// Exact sums and what they may err by: terms are added to numbered places.
class Exact {
 public:
  explicit Exact(long places) : sums_(std::size_t(places)) {}
  void add(long place, double term) {
    sums_[std::size_t(place)].total += Whole(term);
    sums_[std::size_t(place)].magnitudes += std::abs(term);
  }
  /// Lets a sum go on from another.
  void continue_from(long before, long place) { sums_[std::size_t(place)] = sums_[std::size_t(before)]; }
  /// The largest error of the results, in u sum |x|.
  double worst(const Array& results) const {
    const double u = results.dtype() == DType::f32 ? 0x1p-24 : 0x1p-53;
    double worst = results.size() == long(sums_.size()) ? 0 : inf;
    dispatch(results.dtype(), [&]<class T>() {
      const T* result = results.data<T>();
      for (std::size_t i = 0; i < sums_.size(); ++i) {
        const double error = std::abs(double(Whole(result[i]) - sums_[i].total));
        if (error > 0) worst = std::max(worst, error / (u * sums_[i].magnitudes));
      }
    });
    return worst;
  }

 private:
  struct Sum {
    Whole total = 0;
    double magnitudes = 0;
  };
  std::vector<Sum> sums_;
};

/// The sums of x along axes.
Exact exact_sums(const Array& x, const Axes& axes) {
  const Shape kept = keep_axes(x.shape(), normalize_axes("exact", axes, x.rank()));
  const Strides strides = broadcast_strides(kept, x.shape());
  Exact sums(kept.size());
  std::vector<long> index(std::size_t(x.rank()), 0);
  const auto elements = values(x);
  long place = 0;
  for (double v : elements) {
    sums.add(place, v);
    for (int i = x.rank(); i-- > 0;) {
      place += strides[std::size_t(i)];
      if (++index[std::size_t(i)] < x.shape()[i]) break;
      place -= strides[std::size_t(i)] * x.shape()[i];
      index[std::size_t(i)] = 0;
    }
  }
  return sums;
}

struct Case {
  Shape shape;
  Axes axes;
};
const std::vector<Case> cases = {
    {{1'000'003}, {}},
    {{40}, {}},
    {{7, 9}, {}},
    {{100'003, 3}, {0}},
    {{3, 100'003}, {1}},
    {{3, 100'003}, {0}},
    {{100'003, 3}, {1}},
    {{50'000, 17}, {1}},
    {{200, 129, 31}, {1}},
    {{3, 5001, 33}, {1}},
    {{3, 5001, 33}, {0, 2}},
    {{3000, 5, 3, 3}, {0, 2, 3}},
    {{64, 5, 37, 41}, {0, 2, 3}},
    {{300, 2, 3, 65}, {0, 3}},
};

/// Holds what `worst` finds for terms of a dtype, of both signs or positive, to a bound.
void check_each(double bound, const std::function<double(DType, bool)>& worst) {
  for (DType dtype : {DType::f32, DType::f64})
    for (bool both_signs : {false, true}) {
      INFO(fmt::format("{}, {}", dtype, both_signs ? "of both signs" : "positive"));
      CHECK(worst(dtype, both_signs) <= bound);
    }
}

}  // namespace

TEST_CASE("sums along any axes are within 4 u sum |x|, those of integers exact", "[ops]") {
  for (auto& [shape, axes] : cases)
    for (DType dtype : {DType::f32, DType::f64, DType::i64})
      for (bool both_signs : {false, true}) {
        const Array x = whole_numbers(shape, dtype, both_signs);
        INFO(fmt::format("{} of {} to {}", dtype, shape, sum(x, axes, keepdims).shape()));
        CHECK(exact_sums(x, axes).worst(sum(x, axes).data()) <= (dtype == DType::i64 ? 0 : 4));
      }
}

TEST_CASE("gradients of what is broadcast are sums within 4 u sum |x|", "[ops]") {
  check_each(4, [](DType dtype, bool both_signs) {
    const Array gy = whole_numbers({100'003, 3}, dtype, both_signs);
    const Variable bias(zeros({3}, dtype), requires_grad), weight(zeros({3, 1}, dtype));
    const Variable y = linear(Variable(zeros({100'003, 1}, dtype)), weight, bias);
    return exact_sums(gy, {0}).worst(grad(y, {bias}, {.grad_output = gy})[0].data());
  });
}

TEST_CASE("sums of a hundred million numbers have an error of at most 4 u", "[ops]") {
  const long n = 100'000'000;
  const float v = .1f;
  const double exact = double(v) * n;
  const Array x = full({n}, v);
  CHECK(std::abs(sum(x).item() - exact) <= 4 * 0x1p-24 * exact);
  CHECK(std::abs(mean(x).item() - v) <= 6 * 0x1p-24 * v);
  for (double column : values(sum(x.reshape({n / 2, 2}), 0)))
    CHECK(std::abs(column - exact / 2) <= 4 * 0x1p-24 * exact / 2);
}

TEST_CASE("each running sum is within 2 u sum |x|, that of integers exact", "[ops]") {
  const long n = 100'003;
  for (DType dtype : {DType::f32, DType::f64, DType::i64})
    for (bool both_signs : {false, true}) {
      const Array x = whole_numbers({n, 2}, dtype, both_signs), y = cumsum(x, 0).data();
      const auto elements = values(x);
      Exact prefixes(2 * n);
      for (long i = 0; i < 2 * n; ++i) {
        if (i >= 2) prefixes.continue_from(i - 2, i);
        prefixes.add(i, elements[std::size_t(i)]);
      }
      CHECK(prefixes.worst(y) <= (dtype == DType::i64 ? 0 : 2));
      CHECK(same_bits(cumsum(transpose(x), 1).data(), transpose(y).data()));
    }
  const Array counts = cumsum(ones({20'000'000}), 0).data();
  CHECK(counts.data<float>()[19'999'999] == 20'000'000);
}

TEST_CASE("terms that meet in one place are added up within 2 u sum |x|", "[ops]") {
  const long n = 300'000, places = 3;
  Array index({n, 1}, DType::i64);
  for (long i = 0; i < n; ++i) index.mutable_data<std::int64_t>()[i] = i * i % 7 % places;
  auto sums_of = [&](const Array& terms) {
    const auto elements = values(terms);
    Exact sums(places);
    for (long i = 0; i < n; ++i) sums.add(index.data<std::int64_t>()[i], elements[std::size_t(i)]);
    return sums;
  };
  check_each(2, [&](DType dtype, bool both_signs) {
    const Array terms = whole_numbers({n, 1}, dtype, both_signs);
    Variable grown(zeros({n, 1}, dtype));  // as long as the index elsewhere, and along it
    return sums_of(terms).worst(slice(scatter_add(grown, 0, index, terms), 0, 0, places).data());
  });
  check_each(2, [&](DType dtype, bool both_signs) {
    const Array terms = whole_numbers({n, 1}, dtype, both_signs);
    const Variable weight(zeros({places, 1}, dtype), requires_grad);
    const Variable rows = embedding(weight, index.reshape({n}));
    return sums_of(terms).worst(grad(rows, {weight}, {.grad_output = terms})[0].data());
  });
}

TEST_CASE("gradients of windows that overlap are added up within 2 u sum |x|", "[ops]") {
  const long kernel = 31, size = 2 * kernel - 1, middle = size * size / 2;  // in all windows
  check_each(2, [=](DType dtype, bool both_signs) {
    Array image = zeros({1, 1, size, size}, dtype);
    dispatch_floating(dtype, [&]<class T>() { image.mutable_data<T>()[middle] = T(1); });
    const Variable x(image, requires_grad);
    const Array gy = whole_numbers({1, 1, kernel, kernel}, dtype, both_signs);
    const Variable gx = grad(max_pool2d(x, kernel, {.stride = 1}), {x}, {.grad_output = gy})[0];
    return exact_sums(gy, {}).worst(slice(flatten(gx), 1, middle, middle + 1).data());
  });
  check_each(2, [=](DType dtype, bool both_signs) {
    const Variable x(zeros({1, 1, size, size}, dtype), requires_grad);
    const Variable columns = unfold(x, kernel);
    const Array gy = whole_numbers(columns.shape(), dtype, both_signs);
    Exact sum(1);  // the k-th column has the middle in its k-th row from the end
    const auto elements = values(gy);
    const long count = kernel * kernel;
    for (long k = 0; k < count; ++k) sum.add(0, elements[std::size_t((count - 1 - k) * count + k)]);
    const Variable gx = grad(columns, {x}, {.grad_output = gy})[0];
    return sum.worst(slice(flatten(gx), 1, middle, middle + 1).data());
  });
}

TEST_CASE("the gradient of a convolution adds up its taps within 2 u sum |x|", "[ops]") {
  const long kernel = 2001, size = 2 * kernel - 1;
  check_each(2, [=](DType dtype, bool both_signs) {
    const Array weight = whole_numbers({1, 1, 1, kernel}, dtype, both_signs);
    const Variable x(zeros({1, 1, 1, size}, dtype), requires_grad);
    const Variable gx = grad(conv2d(x, weight), {x})[0];
    return exact_sums(weight, {}).worst(slice(flatten(gx), 1, kernel - 1, kernel).data());
  });
}

TEST_CASE("long sums of products are cut into parts whose errors do not add up", "[ops]") {
  // Each stretch of 256 loses just less than half of a unit while its part is about to double last.
  const long k = 8'000'000;
  const float v = (1 + .49f * 0x1p-11f) / 256;
  const double sum = matmul(Variable(full({1, k}, v)), Variable(ones({k, 1}))).item();
  CHECK(std::abs(sum / (double(v) * k) - 1) <= (512 + double(k) / 65536) * 0x1p-24);
}

TEST_CASE("means of what is equal are it, and their gradients exactly 1 / n", "[ops]") {
  for (DType dtype : {DType::f32, DType::f64})
    for (long n = 1; n <= 300; ++n) {
      const Variable x(ones({n, 2}, dtype), requires_grad);
      const Variable y = mean(x, 0);
      const auto share = values((Variable(ones({}, dtype)) / double(n)));
      if (values(y) != std::vector<double>{1, 1} ||
          values(grad(y, {x})[0]) != std::vector<double>(std::size_t(2 * n), share[0]))
        FAIL(fmt::format("mean of {} of {}", n, dtype));
    }
  for (long k : {2, 3, 5, 6, 7, 11, 41, 49})
    for (DType dtype : {DType::f32, DType::f64}) {
      const Variable x(ones({1, 1, 50, 50}, dtype), requires_grad);
      const Variable y = avg_pool2d(x, k);
      CHECK(values(y) == std::vector<double>(std::size_t(y.size()), 1));
      CHECK(values(grad(y, {x})[0])[0] == values((Variable(ones({}, dtype)) / double(k * k)))[0]);
      CHECK(values(global_avg_pool(x)) == std::vector<double>{1});
    }
}

TEST_CASE("sums of infinities and beyond the range are those of IEEE arithmetic", "[ops]") {
  for (DType dtype : {DType::f32, DType::f64})
    for (long n : {5l, 100l, 70'000l}) {
      auto with = [&](double first, double last) {
        Array x = zeros({n, 2}, dtype);
        dispatch_floating(dtype, [&]<class T>() {
          T* e = x.mutable_data<T>();
          e[0] = e[1] = T(first), e[2 * n - 2] = e[2 * n - 1] = T(last);
        });
        return Variable(x);
      };
      const double huge = dtype == DType::f32 ? 3e38 : 1.5e308;
      for (auto [x, expected] :
           {std::pair(with(inf, 1), inf), {with(-inf, -huge), -inf}, {with(huge, huge), inf}}) {
        CHECK(values(sum(x, 0)) == std::vector<double>{expected, expected});
        CHECK(sum(x).item() == expected);
        CHECK(values(cumsum(x, 0)).back() == expected);
      }
      CHECK(std::isnan(sum(with(inf, -inf)).item()));
      CHECK(std::isnan(values(sum(with(inf, -inf), 0))[1]));
      CHECK(std::isnan(values(cumsum(with(NAN, 1), 0)).back()));
    }
}

}  // namespace xgrad::tests
