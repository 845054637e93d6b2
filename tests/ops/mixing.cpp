// Numbers, arrays and xtensor expressions on either side of the operators, and which dtype comes of it.
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include <xgrad/ops/ops.hpp>
#include <xgrad/ops/xtensor.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

namespace xgrad::tests {
namespace {

using V = std::vector<double>;

}  // namespace

TEST_CASE("numbers stand on either side of each operator and take the array's dtype", "[ops]") {
  for (DType dtype : {DType::f32, DType::f64, DType::i64}) {
    const Variable x(array<double>({1, 2, 4}).cast(dtype));
    auto is_of = [&](DType type, const Variable& y, const V& want) {
      CHECK(values(y) == want);
      CHECK(y.dtype() == type);
      CHECK_FALSE(y.data().is_number());
    };
    auto is = [&](const Variable& y, const V& want) { is_of(dtype, y, want); };
    auto holds = [&](const Variable& y, const V& want) { is_of(DType::boolean, y, want); };
    is(x + 1, {2, 3, 5});
    is(1 + x, {2, 3, 5});
    is(x - 1, {0, 1, 3});
    is(1 - x, {0, -1, -3});
    is(x * 3, {3, 6, 12});
    is(3. * x, {3, 6, 12});
    is(-x, {-1, -2, -4});
    holds(x == 2, {0, 1, 0});
    holds(2 == x, {0, 1, 0});
    holds(x != 2, {1, 0, 1});
    holds(x < 2, {1, 0, 0});
    holds(x <= 2, {1, 1, 0});
    holds(x > 2, {0, 0, 1});
    holds(x >= 2, {0, 1, 1});
    holds(2 > x, {1, 0, 0});
    is(maximum(x, 2), {2, 2, 4});
    is(minimum(2, x), {1, 2, 2});
    is(clip(x, 2, 3), {2, 2, 3});
    is(where(x > 1, x, 0), {0, 2, 4});
    is(where(x > 1, 7, x), {1, 7, 7});
    Variable y = x;
    y += 1;
    y *= x;
    y -= 2;
    is(y, {0, 4, 18});
    is(x, {1, 2, 4});
    if (dtype == DType::i64) continue;
    is(x / 2, {.5, 1, 2});
    is(4 / x, {4, 2, 1});
    is(pow(x, 2), {1, 4, 16});
    is(pow(2, x), {2, 4, 16});
    CHECK(values(where(x > 1, 1, 0)) == V{0, 1, 1});
    y = x;
    y /= 2;
    is(y, {.5, 1, 2});
  }
}

TEST_CASE("numbers alone make numbers, which still take the dtype of what they meet", "[ops]") {
  const Variable two(2.0), six = two * 3;
  CHECK(six.item() == 6);
  CHECK(six.dtype() == DType::f64);
  CHECK((six * Variable(ones({2}))).dtype() == DType::f32);
  CHECK(values(six * Variable(ones({2}, DType::i64))) == V{6, 6});
  CHECK(error_of([&] { six / 4 * Variable(ones({2}, DType::i64)); }) ==
        "mul: i64 cannot hold 1.5; cast the array first");
}

TEST_CASE("a number that learns has a gradient of its own dtype", "[ops]") {
  const Variable scale(3.0, requires_grad), x(array<float>({1, 2}), requires_grad);
  const Variable y = x * scale;
  CHECK(y.dtype() == DType::f32);
  const auto g = grad(y, {scale, x});
  CHECK(g[0].item() == 3);
  CHECK(g[0].dtype() == DType::f64);
  CHECK(values(g[1]) == V{3, 3});
  CHECK(g[1].dtype() == DType::f32);
}

TEST_CASE("integers have arithmetic, but neither division nor gradients", "[ops]") {
  const Variable a(array<std::int64_t>({-3, 0, 5})), b(array<std::int64_t>({2, 7, -1}));
  CHECK(values(a + b) == V{-1, 7, 4});
  CHECK(values(a - b) == V{-5, -7, 6});
  CHECK(values(a * b) == V{-6, 0, -5});
  CHECK(values(abs(a)) == V{3, 0, 5});
  CHECK(values(square(a)) == V{9, 0, 25});
  CHECK(values(maximum(a, b)) == V{2, 7, 5});
  CHECK(values(sum(a)) == V{2});
  CHECK(values(max(a)) == V{5});
  CHECK(values(prod(b)) == V{-14});
  CHECK(values(cumsum(a, 0)) == V{-3, -3, 2});
  CHECK(sum(a).dtype() == DType::i64);
  // Beyond what a double can hold.
  const std::int64_t large = (1ll << 62) + 1;
  CHECK((Variable(array<std::int64_t>({large})) - 1).to_vector<std::int64_t>()[0] == large - 1);
  CHECK(error_of([&] { Variable(a.data(), requires_grad); }) ==
        "requires_grad: i64 cannot have a gradient; use f32 or f64");
}

TEST_CASE("a condition may have any dtype", "[ops]") {
  const Variable a(array<std::int64_t>({1, 2, 3})), b(array<std::int64_t>({-1, -2, -3}));
  CHECK(values(where(Variable(array<std::uint8_t>({0, 1, 255})), a, b)) == V{-1, 2, 3});
  CHECK(values(where(Variable(array<float>({0, .5f, -0.f})), a, b)) == V{-1, 2, -3});
  CHECK(values(where(Variable(array<std::int64_t>({5, 0, -5})), cast(a, DType::f32), cast(b, DType::f32))) ==
        V{1, -2, 3});
  CHECK(values(where(Variable(array<double>({1e-300, 0, 1})), cast(a, DType::f32), 0)) == V{1, 0, 3});
}

TEST_CASE("xtensor expressions stand on either side of each operator", "[ops]") {
  const xt::xarray<double> e{{1, 2}, {4, 8}};
  for (DType dtype : {DType::f32, DType::f64}) {
    const Variable x(array<double>({2, 4}).cast(dtype), requires_grad);
    auto is = [&](const Variable& y, const V& want, const V& gradient) {
      CHECK(values(y) == want);
      CHECK(y.dtype() == dtype);
      CHECK(y.shape() == Shape{2, 2});
      CHECK(values(grad(y, {x})[0]) == gradient);
    };
    is(x + e, {3, 6, 6, 12}, {2, 2});
    is(e + x, {3, 6, 6, 12}, {2, 2});
    is(x - e, {1, 2, -2, -4}, {2, 2});
    is(e - x, {-1, -2, 2, 4}, {-2, -2});
    is(x * e, {2, 8, 8, 32}, {5, 10});
    is(e * x, {2, 8, 8, 32}, {5, 10});
    is(x / e, {2, 2, .5, .5}, {1.25, .625});
    is(e / x, {.5, .5, 2, 2}, {-1.25, -.625});
    // Unevaluated expressions, of other types, ranks and lifetimes.
    is(x + e * 2.0, {4, 8, 10, 20}, {2, 2});
    is(xt::pow(e, 2) - x, {-1, 0, 14, 60}, {-2, -2});
    is(x * xt::ones<float>({2, 2}), {2, 4, 2, 4}, {2, 2});
    is(xt::xtensor<int, 2>{{3}, {5}} * x, {6, 12, 10, 20}, {8, 8});
    is(x + xt::view(e, xt::all(), xt::range(0, 1)), {3, 5, 6, 8}, {2, 2});
    is((e < 3.0) * x, {2, 4, 0, 0}, {1, 1});
  }
}

TEST_CASE("mixing: a number that was cast is a number no longer") {
  const Variable fixed = cast(Variable(2.0), DType::f64);
  CHECK_FALSE(fixed.data().is_number());
  CHECK((fixed + Variable(ones({2}))).dtype() == DType::f64);
}

}  // namespace xgrad::tests
