// The bridge to xtensor: views both ways, arrays from expressions, operations of one's own.
#include <xgrad/core/xtensor.hpp>

#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>

#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/gradcheck.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

/// log(1 + x^2), its value by xtensor.
Variable log_square(const Variable& x) {
  const Array y = dispatch_floating(
      x.dtype(), [&]<class T>() { return to_array(xt::log(1 + xt::square(as_xtensor<T>(x.data())))); });
  return record("log_square", y, {{x, [=](auto& gy) { return gy * x * 2 / (1 + x * x); }}});
}

}  // namespace

TEST_CASE("xtensor: an array is seen as an expression of its shape") {
  const Array a = arange(24, DType::f64).reshape({2, 3, 4});
  const auto v = as_xtensor<double>(a);
  CHECK(v.dimension() == 3);
  CHECK(v(1, 2, 3) == 23);
  CHECK(xt::sum(v)() == 276);
  CHECK(error_of([&] { as_xtensor<float>(a); }) == "array: dtype is f64, not f32");
}

TEST_CASE("xtensor: writing through a view copies what is shared") {
  Array a = zeros({2, 2}), b = a;
  as_mutable_xtensor<float>(a) = xt::xarray<float>{{1, 2}, {3, 4}};
  CHECK(values(a) == std::vector<double>{1, 2, 3, 4});
  CHECK(values(b) == std::vector<double>(4, 0));
}

TEST_CASE("xtensor: expressions become arrays of the nearest dtype, whatever their layout") {
  const xt::xarray<double> m{{1, 2, 3}, {4, 5, 6}};
  CHECK(values(to_array(m * 2)) == std::vector<double>{2, 4, 6, 8, 10, 12});
  CHECK(to_array(m).shape() == Shape{2, 3});
  CHECK(values(to_array(xt::transpose(m))) == std::vector<double>{1, 4, 2, 5, 3, 6});
  const xt::xarray<double, xt::layout_type::column_major> columns = m;
  CHECK(values(to_array(columns)) == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(values(to_array(xt::view(m, xt::all(), 1))) == std::vector<double>{2, 5});
  CHECK(to_array(xt::cast<float>(m)).dtype() == DType::f32);
  CHECK(to_array(m > 2).dtype() == DType::boolean);
  CHECK(values(to_array(m > 2)) == std::vector<double>{0, 0, 1, 1, 1, 1});
  CHECK(to_array(xt::cast<int>(m)).dtype() == DType::i32);
  CHECK(to_array(xt::cast<signed char>(m)).dtype() == DType::i64);
  CHECK(to_array(xt::cast<unsigned char>(m)).dtype() == DType::u8);
  CHECK(to_array(xt::sum(m)).item() == 21);
  CHECK(to_array(xt::xarray<double>(xt::zeros<double>({0, 3}))).shape() == Shape{0, 3});
}

TEST_CASE("xtensor: an operation of one's own, differentiated to second order") {
  CHECK_THAT(function(log_square), GradientsMatch({random_array({3, 4})}));
  const Variable x(array<float>({1}), requires_grad);
  CHECK(std::abs(log_square(x).item() - std::log(2)) < 1e-6);
  CHECK(grad(log_square(x), {x})[0].dtype() == DType::f32);
}
