// Means and variances of numbers far from 0, or of which a few are: no digits are lost, whatever the order.
#include <cmath>

#include <xgrad/core/tape/gradcheck.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/norm.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"
#include "tests/ops/definitions.hpp"

namespace xgrad::tests {
namespace {

using V = std::vector<double>;

/// offset + 0, 1, 0, 1, ... along the first axis.
Array alternating(const Shape& shape, double offset, DType dtype) {
  Array x(shape, DType::f64);
  const long row = x.size() / shape[0];
  for (long i = 0; i < x.size(); ++i) x.mutable_data<double>()[i] = offset + double(i / row % 2);
  return x.cast(dtype);
}
/// Zeros but for one row of the first axis.
Array outlier(const Shape& shape, long at, double value, DType dtype) {
  Array x = zeros(shape, dtype);
  const long row = x.size() / shape[0];
  dispatch_floating(dtype, [&]<class T>() { std::fill_n(x.mutable_data<T>() + at * row, row, T(value)); });
  return x;
}
/// Whether all are within a relative tolerance.
bool near(const V& got, double expected, double tolerance) {
  return std::all_of(got.begin(), got.end(),
                     [=](double v) { return std::abs(v - expected) <= tolerance * std::abs(expected); });
}
double largest(const Array& x) { return max(abs(Variable(x.cast(DType::f64)))).item(); }

}  // namespace

TEST_CASE("the variance far from 0 is that near 0", "[ops]") {
  for (auto [dtype, offset] : {std::pair(DType::f32, 1e6), {DType::f32, -8e6}, {DType::f64, 1e15}})
    for (long n : {10l, 82l, 1000l, 100'000l, 1'000'002l}) {
      INFO(fmt::format("{} of {}", n, dtype));
      const Array x = alternating({n, 3}, offset, dtype);
      CHECK(near(values(var(x, 0)), .25, 1e-6));
      CHECK(near(values(var(transpose(x), 1)), .25, 1e-6));
      CHECK(near(values(var(x)), .25, 1e-6));
      const BatchNormResult y = batch_norm(x, {}, {}, 0);
      CHECK(near(values(y.var), .25, 1e-6));
      CHECK(near(values(abs(y.y)), 1, 1e-6));
      CHECK(near(values(abs(layer_norm(transpose(x), {}, {}, 0))), 1, 1e-6));
    }
}

TEST_CASE("layer_norm far from 0 is that near 0", "[ops]") {
  for (long n : {10l, 82l, 1000l}) {
    const V y = values(layer_norm(alternating({n, 1}, 1e5, DType::f32).reshape({1, n})));
    for (long i = 0; i < n; ++i)
      CHECK(std::abs(y[std::size_t(i)] - (i % 2 ? 1 : -1) / std::sqrt(1 + 4e-5)) < 1e-6);
  }
}

TEST_CASE("batch_norm bears an outlier wherever it is", "[ops]") {
  const double eps = 1e-5;
  for (DType dtype : {DType::f32, DType::f64})
    for (long n : {40l, 4000l, 1'000'000l})
      for (long at : {0l, 1l, n / 32, n / 2, n - 1}) {
        INFO(fmt::format("{} of {}, one at {}", n, dtype, at));
        const double v = 1e4, mean = v / double(n), var = v * v / double(n) * (1 - 1 / double(n));
        const BatchNormResult y = batch_norm(outlier({n, 2}, at, v, dtype), {}, {}, eps);
        CHECK(near(values(y.mean), mean, 1e-6));
        CHECK(near(values(y.var), var, 1e-6));
        const V z = values(y.y);
        CHECK(std::abs(z[std::size_t(2 * at)] / ((v - mean) / std::sqrt(var + eps)) - 1) < 1e-6);
        CHECK(std::abs(z[std::size_t(2 * (at ? 0 : n - 1))] / (-mean / std::sqrt(var + eps)) - 1) < 1e-5);
      }
  const BatchNormResult y = batch_norm(outlier({10'000'000, 1}, 0, 1e4, DType::f32), {}, {});
  CHECK(near(values(y.var), 10, 1e-6));
}

TEST_CASE("derivatives of normalisation hold far from 0 and with outliers what they hold near 0", "[ops]") {
  auto inputs = [](double offset, double first) {
    Array x = (Variable(Generator(5).normal({64, 3, 2, 2}, 0, 1, DType::f64)) + offset).data().copy();
    x.mutable_data<double>()[0] = offset + first;
    return as({x, Generator(6).normal({3}, 1, .1, DType::f64), Generator(7).normal({3}, 0, 1, DType::f64)},
              DType::f32);
  };
  const TestFunction functions[] = {
      [](auto& x) { return batch_norm(x[0], x[1], x[2]).y; },
      [](auto& x) {
        return layer_norm(transpose(x[0], {0, 2, 3, 1}), x[1], x[2], .1);
      },
      [](auto& x) {
        return var(x[0], {0, 2, 3}) * x[1] + x[2];
      },
  };
  for (auto& f : functions)
    for (auto [offset, first] : {std::pair(0., 0.), {1e4, 0.}, {-3e5, 5.}, {0., 1e3}, {0., -1e5}}) {
      INFO("offset " << offset << ", the first " << first);
      const auto singles = inputs(offset, first);
      const auto got = derivatives(f, singles), want = derivatives(f, as(singles, DType::f64));
      for (std::size_t i = 0; i < got.size(); ++i) {
        const Variable difference = Variable(got[i].cast(DType::f64)) - Variable(want[i]);
        INFO("derivative " << i << " of " << got.size() << ": " << largest(difference.data()) << " of "
                           << largest(want[i]));
        CHECK(largest(difference.data()) <= 2e-4 * largest(want[i]));
      }
    }
}

TEST_CASE("a variance is never negative, and 0 of what is equal", "[ops]") {
  for (DType dtype : {DType::f32, DType::f64})
    for (long n : {2l, 3l, 41l, 10'000l, 100'003l})
      for (double v : {.1, -1e4 / 3, 16777217., 1e-30, 1e9 / 7}) {
        INFO(fmt::format("{} times {} of {}", n, v, dtype));
        const Array x = full({n, 2}, v, dtype);
        CHECK(values(var(x, 0)) == V{0, 0});
        const BatchNormResult y = batch_norm(x, {}, {});
        CHECK(values(y.var) == V{0, 0});
        CHECK(largest(y.y.data()) == 0);
        CHECK(largest(layer_norm(x.reshape({2, n})).data()) == 0);
      }
}

TEST_CASE("batch_norm with given statistics far from 0 loses no digits", "[ops]") {
  const Array x = alternating({10, 2}, 1e5, DType::f32);
  const Variable mean(full({2}, 1e5 + .5)), var(full({2}, .3));
  CHECK(near(values(abs(batch_norm(x, {}, {}, mean, var, 0))), .5 / std::sqrt(.3), 1e-6));
}

TEST_CASE("the second pass of batch_norm has the same bits on any number of threads", "[ops]") {
  Array x = random_array({4000, 3});
  x.mutable_data<double>()[1] = 1e4;
  CHECK(thread_dependence([](auto& v) { return batch_norm(v[0], v[1], v[2]).y; },
                          {x, random_array({3}, 2), random_array({3}, 3)}) == "");
}

}  // namespace xgrad::tests
