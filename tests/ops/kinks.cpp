// Where functions have kinks, poles or NaNs: who gets the gradient, and what stays a NaN.
#include <cmath>

#include "tests/catch.hpp"
#include "tests/ops/values.hpp"

namespace xgrad::tests {
TEST_CASE("equal elements share the gradient evenly in maximum, minimum, max and min", "[ops]") {
  for (DType dtype : {DType::f32, DType::f64}) {
    const Variable a = leaf({1, 2, 3}, dtype), b = leaf({1, 3, 2}, dtype);
    CHECK(gradient(maximum(a, b), a) == V{.5, 0, 1});
    CHECK(gradient(maximum(a, b), b) == V{.5, 1, 0});
    CHECK(gradient(minimum(a, b), a) == V{.5, 1, 0});
    CHECK(gradient(minimum(a, b), b) == V{.5, 0, 1});
    const Variable x = leaf({2, 5, 5, 1, 1, 1, 5, 5}, dtype);
    CHECK(gradient(max(x), x) == V{0, .25, .25, 0, 0, 0, .25, .25});
    CHECK(gradient(min(reshape(x, {2, 4}), 1), x) == V{0, 0, 0, 1, .5, .5, 0, 0});
  }
}

TEST_CASE("the first of equal elements gets the gradient of max_pool2d, and is argmax", "[ops]") {
  const Variable x = leaf({3, 3, 3, 3, 1, 2, 2, 1, 5});
  CHECK(gradient(max_pool2d(reshape(x, {1, 1, 3, 3}), 2, {.stride = 1}), x) == V{1, 1, 0, 1, 0, 0, 0, 0, 1});
  CHECK(argmax(array<double>({1, 3, 3, 2}), 0).item() == 1);
  const Variable low = leaf({-inf, -inf, -inf, -inf});
  CHECK(gradient(max_pool2d(reshape(low, {1, 1, 2, 2}), 2), low) == V{1, 0, 0, 0});
}

TEST_CASE("the gradient at a kink is one of its sides or, for abs, 0", "[ops]") {
  const Variable x = leaf({-1, 0, 1});
  CHECK(gradient(relu(x), x) == V{0, 0, 1});
  CHECK(gradient(leaky_relu(x, .1), x) == V{.1, .1, 1});
  CHECK(gradient(abs(x), x) == V{-1, 0, 1});
  CHECK(gradient(clip(x, 0, 1), x) == V{0, 1, 1});
  CHECK(gradient(clip(x, -1, 0), x) == V{1, 1, 0});
}

TEST_CASE("powers have their gradients at 0 and of negative numbers", "[ops]") {
  const Variable x = leaf({-2, 0, 3});
  CHECK(values(pow(x, 2)) == V{4, 0, 9});
  CHECK(gradient(pow(x, 2), x) == V{-4, 0, 6});
  CHECK(gradient(pow(x, 3), x) == V{12, 0, 27});
  CHECK(gradient(pow(x, 1), x) == V{1, 1, 1});
  CHECK(gradient(pow(x, 0), x) == V{0, 0, 0});
  const Variable zero = leaf({0, 0}), b = leaf({2, 1});
  CHECK(gradient(pow(zero, b), b) == V{0, 0});
  CHECK(gradient(pow(zero, b), zero) == V{0, 1});
  // The second derivative of x^2 is 2 everywhere.
  const Variable g = grad(pow(x, 2), {x}, {.create_graph = true})[0];
  CHECK(gradient(g, x) == V{2, 2, 2});
}

TEST_CASE("products have their gradients where elements are 0", "[ops]") {
  const Variable one = leaf({2, 0, 5}), two = leaf({2, 0, 5, 0});
  CHECK(gradient(prod(one), one) == V{0, 10, 0});
  CHECK(gradient(prod(two), two) == V{0, 0, 0, 0});
  const Variable g = grad(prod(two), {two}, {.create_graph = true})[0];
  CHECK(gradient(g, two) == V{0, 10, 0, 10});  // of the sum of the gradients
}

TEST_CASE("NaN goes through and is not lost to a comparison", "[ops]") {
  for (DType dtype : {DType::f32, DType::f64}) {
    const Variable x = leaf({nan, 1, -1}, dtype);
    CHECK(same(values(maximum(x, 0)), {nan, 1, 0}));
    CHECK(same(values(maximum(0, x)), {nan, 1, 0}));
    CHECK(same(values(minimum(x, 0)), {nan, 0, -1}));
    CHECK(same(values(relu(x)), {nan, 1, 0}));
    CHECK(same(gradient(relu(x), x), {nan, 1, 0}));
    CHECK(same(values(clip(x, 0, 2)), {nan, 1, 0}));
    CHECK(same(values(max(x)), {nan}));
    CHECK(same(values(min(x)), {nan}));
    CHECK(same(values(abs(x)), {nan, 1, 1}));
    CHECK(same(values(x == x), {0, 1, 1}));
    CHECK(same(values(x != x), {1, 0, 0}));
    CHECK(same(values(x < 5), {0, 1, 1}));
    CHECK(same(values(x >= 5), {0, 0, 0}));
    CHECK(argmax(array<double>({1, nan, 3, nan}).cast(dtype), 0).item() == 1);
    CHECK(same(values(max_pool2d(reshape(leaf({1, nan, 3, 2}, dtype), {1, 1, 2, 2}), 2)), {nan}));
    CHECK(same(values(where(x > 0, x, 0)), {0, 1, 0}));
    CHECK(same(values(where(x, 1, 0)), {1, 1, 1}));
  }
}

TEST_CASE("where keeps the gradient of the branch not taken out, even when it is not finite", "[ops]") {
  const Variable x = leaf({0, 4});
  const Variable safe = where(x > 0, x, 1);
  CHECK(gradient(where(x > 0, log(safe), 0), x) == V{0, .25});
}

TEST_CASE("log-sums, softmax and losses bear huge and infinite numbers", "[ops]") {
  for (DType dtype : {DType::f32, DType::f64}) {
    auto at = [&](std::initializer_list<double> v) { return leaf(v, dtype); };
    CHECK(values(logsumexp(at({-inf, -inf}))) == V{-inf});
    CHECK(values(logsumexp(at({inf, 0}))) == V{inf});
    CHECK(values(logsumexp(at({1e30, 0}))) == values(at({1e30})));
    CHECK(values(softmax(at({-inf, 0, 0}))) == V{0, .5, .5});
    CHECK(values(softmax(at({1e30, 0}))) == V{1, 0});
    CHECK(values(log_softmax(at({1e5, 0}))) == V{0, -1e5});
    CHECK(values(log_softmax(at({12345, 12345}))) == values(log(at({.5, .5}))));
    CHECK(values(softplus(at({1e4, -1e4, inf}))) == V{1e4, 0, inf});
    const Variable x = at({1000, -1000});
    const Variable loss = binary_cross_entropy_with_logits(x, Variable(array<double>({1, 0}).cast(dtype)));
    CHECK(values(loss) == V{0});
    CHECK(gradient(loss, x) == V{0, 0});
    CHECK(values(cross_entropy(reshape(at({1e4, -1e4}), {1, 2}), array<std::int64_t>({1}))) == V{2e4});
  }
}

TEST_CASE("var and batch_norm are not fooled by a large mean", "[ops]") {
  const Variable x(array<float>({16777216, 16777218, 16777214, 16777216}));
  CHECK(var(x).item() == 2);
  const auto result = batch_norm(reshape(x, {4, 1}), {}, {}, 0);
  CHECK(result.var.item() == 2);
  CHECK(result.mean.item() == 16777216);
}

TEST_CASE("cast rounds to f32 and carries the gradient back", "[ops]") {
  const Variable x = leaf({1.0 / 3, 1e300, -2});
  const Variable y = cast(x, DType::f32);
  CHECK(y.dtype() == DType::f32);
  CHECK(values(y) == V{double(float(1.0 / 3)), inf, -2});
  const Variable g = grad(square(y), {x})[0];
  CHECK(g.dtype() == DType::f64);
  CHECK(values(g)[2] == -4);
  CHECK(values(cast(Variable(array<double>({-1.7, 2.9})), DType::i64)) == V{-1, 2});
}

TEST_CASE("dropout draws from its generator, or the default one, and keeps the mean", "[ops]") {
  const Variable x(ones({100, 100}));
  Generator a(1), b(1);
  CHECK(values(dropout(x, .3, {.generator = &a})) == values(dropout(x, .3, {.generator = &b})));
  manual_seed(5);
  const V first = values(dropout(x));
  CHECK(values(dropout(x)) != first);
  manual_seed(5);
  CHECK(values(dropout(x)) == first);
  CHECK(mean(dropout(x, .3)).item() == Approx(1).margin(.03));
  CHECK(mean(dropout(x, .3, {.inverted = false})).item() == Approx(.7).margin(.03));
  CHECK(values(dropout(x, 0)) == values(x));
}

}  // namespace xgrad::tests
