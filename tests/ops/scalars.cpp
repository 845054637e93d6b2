// Numbers and integers: what an integer cannot hold is an Error, a comparison is that of mathematics, and
// what is made of numbers alone stays one.
#include <climits>
#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

namespace xgrad::tests {
namespace {

using V = std::vector<double>;
Variable i64(std::initializer_list<std::int64_t> v) { return Variable(array(v)); }
std::vector<std::int64_t> integers_of(const Variable& v) {
  return {v.data().data<std::int64_t>(), v.data().data<std::int64_t>() + v.size()};
}

/// What a call must say.
#define SAYS(call, message) CHECK(error_of([&] { (void)(call); }) == message)

}  // namespace

TEST_CASE("a number that integers cannot hold is an Error", "[ops][scalars]") {
  const Variable x = i64({1, 2});
  for (double n : {1e300, -1e300, 0x1p63, -0x1.0000000000001p63, double(INFINITY), -double(INFINITY)}) {
    SAYS(x + n, fmt::format("add: i64 cannot hold {}; cast the array first", n));
    SAYS(n - x, fmt::format("sub: i64 cannot hold {}; cast the array first", n));
    SAYS(x * n, fmt::format("mul: i64 cannot hold {}; cast the array first", n));
    SAYS(maximum(x, n), fmt::format("maximum: i64 cannot hold {}; cast the array first", n));
    SAYS(minimum(n, x), fmt::format("minimum: i64 cannot hold {}; cast the array first", n));
    SAYS(where(x, x, n), fmt::format("where: i64 cannot hold {}; cast the array first", n));
    SAYS(pad(x, {{1, 1}}, n), fmt::format("pad: i64 cannot hold {}; cast the array first", n));
    SAYS(full({2}, n, DType::i64), fmt::format("full: i64 cannot hold {}", n));
  }
  SAYS(x + NAN, "add: i64 cannot hold nan; cast the array first");
  SAYS(pad(x, {{1, 1}}, .5), "pad: i64 cannot hold 0.5; cast the array first");
  SAYS(pad(Variable(zeros({2}, DType::u8)), {{1, 1}}, 256), "pad: u8 cannot hold 256; cast the array first");
  SAYS(full({2}, -1, DType::u8), "full: u8 cannot hold -1");
  SAYS(arange(300, DType::u8), "arange: u8 cannot hold 299");
  CHECK(arange(256, DType::u8).size() == 256);
  CHECK(integers_of(x + -0x1p63) == std::vector<std::int64_t>{LONG_MIN + 1, LONG_MIN + 2});
  CHECK(integers_of(x * 0x1p53) == std::vector<std::int64_t>{1l << 53, 1l << 54});
}

TEST_CASE("clip of integers: a limit beyond all of them is none", "[ops][scalars]") {
  const Variable x = i64({LONG_MIN, -3, 0, 5, LONG_MAX});
  using I = std::vector<std::int64_t>;
  for (double beyond : {double(INFINITY), 1e300, 0x1p63}) {
    CHECK(integers_of(clip(x, 0, beyond)) == I{0, 0, 0, 5, LONG_MAX});
    CHECK(integers_of(clip(x, -beyond * 1.5, 0)) == I{LONG_MIN, -3, 0, 0, 0});
    CHECK(integers_of(clip(x, -INFINITY, beyond)) == I{LONG_MIN, -3, 0, 5, LONG_MAX});
    CHECK(error_of([&] { clip(x, beyond, INFINITY); }).starts_with("clip: i64 cannot hold "));
    CHECK(error_of([&] { clip(x, -INFINITY, -beyond * 1.5); }).starts_with("clip: i64 cannot hold "));
  }
  SAYS(clip(x, .5, 3), "clip: i64 cannot hold 0.5; cast the array first");
  CHECK(values(clip(Variable(array<float>({-1, 2})), 0, INFINITY)) == V{0, 2});
}

TEST_CASE("integers are compared with any number as mathematics has it", "[ops][scalars]") {
  const std::int64_t all[] = {LONG_MIN, LONG_MIN + 1, -3, -2, -1, 0, 1, 2, 3, LONG_MAX - 1, LONG_MAX};
  const Variable x(Array(Shape{11}, std::span<const std::int64_t>(all)));
  const double numbers[] = {
      -INFINITY, -1e300, -0x1.0000000000001p63, -0x1p63, -2.5, -2, -.5, 0, .5, 1, 2.5, 0x1p62, 0x1p63, 1e300,
      INFINITY,  NAN};
  for (double n : numbers) {
    INFO(n);
    V equal, not_equal, less, less_equal, greater, greater_equal;
    for (std::int64_t v : all) {
      const long double a = v, b = n;  // which has all digits of both
      equal.push_back(a == b), not_equal.push_back(a != b), less.push_back(a < b);
      less_equal.push_back(a <= b), greater.push_back(a > b), greater_equal.push_back(a >= b);
    }
    CHECK(values(x == n) == equal);
    CHECK(values(n == x) == equal);
    CHECK(values(x != n) == not_equal);
    CHECK(values(n != x) == not_equal);
    CHECK(values(x < n) == less);
    CHECK(values(n > x) == less);
    CHECK(values(x <= n) == less_equal);
    CHECK(values(n >= x) == less_equal);
    CHECK(values(x > n) == greater);
    CHECK(values(n < x) == greater);
    CHECK(values(x >= n) == greater_equal);
    CHECK(values(n <= x) == greater_equal);
    CHECK((x < n).dtype() == DType::boolean);
    CHECK((x != n).shape() == x.shape());
    // The same number as an array, and beside others.
    const Variable one(reshape(Variable(n), {1})),
        pair = concat({Variable(reshape(Variable(1e300), {1})), one});
    CHECK(values(x < one) == less);
    CHECK(values(one >= x) == less_equal);
    const Variable both = reshape(x, {11, 1}) >= pair;
    CHECK(both.dtype() == DType::boolean);
    CHECK(values(slice(both, 1, 0, 1)) == V(11, 0));
    CHECK(values(slice(both, 1, 1, 2)) == greater_equal);
  }
}

TEST_CASE("integers are compared with an array of numbers as with a number", "[ops][scalars]") {
  const Variable mask = i64({1, 0, 1}), x = i64({0, 0, 1});
  CHECK(values(x < where(mask, INFINITY, 0)) == V{1, 0, 1});
  CHECK(values(x < where(mask, .5, 0)) == V{1, 0, 0});
  CHECK(values(where(mask, .5, 0) < x) == V{0, 0, 1});
  CHECK(values(x != where(mask, NAN, 0)) == V{1, 0, 1});
  CHECK(values(x <= reshape(Variable(-.5), {1})) == V{0, 0, 0});
  SAYS(i64({1, 2}) < where(mask, .5, 0), "less: shapes (2,) and (3,) do not broadcast");
}

TEST_CASE("sums of u8 do not wrap", "[ops][scalars]") {
  const Variable pixels(full({3}, 200, DType::u8));
  CHECK(values(cumsum(pixels, 0)) == V{200, 400, 600});
  CHECK(sum(pixels).item() == 600);
  SAYS(scatter_add(pixels, 0, zeros({3}, DType::i64), pixels), "scatter_add: not defined for u8; cast first");
}

TEST_CASE("cast to integers stops at the ends of their range, and NaN becomes 0", "[core][scalars]") {
  for (DType from : {DType::f64, DType::f32}) {
    V given{-INFINITY, -1e30, -1.9, -.5, NAN, .5, 254.9, 255, 256, 1e30, INFINITY};
    given.resize(100, 1e30);  // more than a pack
    const Array a = Array({100}, given).cast(from), wide = a.cast(DType::i64), bytes = a.cast(DType::u8);
    const std::int64_t want[] = {LONG_MIN, LONG_MIN, -1, 0, 0, 0, 254, 255, 256, LONG_MAX, LONG_MAX};
    const int small[] = {0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 255};
    for (long i = 0; i < 11; ++i) {
      INFO(given[std::size_t(i)]);
      CHECK(wide.data<std::int64_t>()[i] == want[i]);
      CHECK(int(bytes.data<std::uint8_t>()[i]) == small[i]);
    }
    CHECK(wide.data<std::int64_t>()[99] == LONG_MAX);
  }
  CHECK(array<double>({-0x1p63}).to_vector<std::int64_t>()[0] == LONG_MIN);
}

TEST_CASE("where of two numbers by a mask of integers is a number of the mask's shape", "[ops][scalars]") {
  for (DType of_mask : {DType::i64, DType::u8})
    for (long n : {3l, 6000l}) {
      const Variable mask(arange(n).cast(of_mask));
      const Variable y = where(mask, 1.5, 0);
      CHECK(y.shape() == Shape{n});
      CHECK(y.dtype() == DType::f64);
      CHECK(y.data().is_number());
      CHECK(y.data().data<double>()[0] == 0);
      CHECK(y.data().data<double>()[2] == 1.5);
      for (DType dtype : {DType::f32, DType::f64}) {
        const Variable x(full({2, n}, 2, dtype), requires_grad);
        const Variable z = y * x;
        CHECK(z.dtype() == dtype);
        CHECK_FALSE(z.data().is_number());
        CHECK(values(slice(z, 1, 0, 3)) == V{0, 3, 3, 0, 3, 3});
        const auto gx = grad(x - y, {x})[0];
        CHECK(gx.dtype() == dtype);
        CHECK(where(y, x, 0).dtype() == dtype);
        CHECK(maximum(x, y).dtype() == dtype);
        CHECK(values(slice(sqrt(y * 6) + x, 1, 0, 2)) == V{2, 5, 2, 5});
      }
      CHECK((y * 2).data().is_number());
      CHECK(error_of([&] { y + Variable(ones({n}, DType::i64)); }) ==
            "add: i64 cannot hold 1.5; cast the array first");
      CHECK(values(slice(where(mask, 7, 1) + Variable(ones({n}, DType::i64)), 0, 0, 2)) == V{2, 8});
    }
}

TEST_CASE("what is made of a number by moving, repeating or summing is one", "[ops][scalars]") {
  const Variable y = where(i64({1, 0, 1}), 2, 0), x(ones({3}));
  for (const Variable& z : {reshape(y, {3, 1}), flip(y), slice(y, 0, 0, 2), pad(y, {{1, 0}}), concat({y, y}),
                            stack({y, y}), transpose(stack({y, y})), broadcast_to(y, {2, 3}), sum(y), mean(y),
                            max(y), Variable(y.data().copy())}) {
    CHECK(z.data().is_number());
    CHECK((sum(z) * x).dtype() == DType::f32);
  }
  const Array index = array<std::int64_t>({2, 0});
  const Variable image = reshape(y, {1, 1, 1, 3}), row = reshape(y, {1, 3}), one = reshape(Variable(1), {1});
  for (const Variable& z :
       {take(y, index), embedding(row, zeros({1}, DType::i64)), gather(y, 0, index), cumsum(y, 0),
        scatter_add(y, 0, index, take(y, index)), max_pool2d(image, 1), avg_pool2d(image, 1), matmul(y, y),
        linear(row, row, one), conv2d(image, image), conv_transpose2d(image, image), unfold(image, 1),
        fold(reshape(row, {1, 1, 3}), {1, 3}, 1), dropout(y, .5), softmax(y), prod(y),
        batch_norm(image, {}, {}).y, layer_norm(row), mse_loss(y, y)}) {
    CHECK(z.data().is_number());
    CHECK((sum(z) * x).dtype() == DType::f32);
  }
  CHECK_FALSE(cast(y, DType::f64).data().is_number());
  CHECK_FALSE(concat({y, Variable(ones({1}, DType::f64))}).data().is_number());
  CHECK(where(Variable(ones({3})), 1, 0).data().is_number());
  CHECK(values(where(Variable(.5), i64({1}), i64({2}))) == V{1});  // .5 is not 0
  Variable set = y;
  set.set_data(array<double>({1, 2, 3}));
  CHECK((set * x).dtype() == DType::f32);
  CHECK(values(set) == V{1, 2, 3});
  const Variable a(2.0, requires_grad), b(3.0, requires_grad);
  const auto g = grad(where(i64({1, 0, 1}), a, b) * x, {a, b});
  CHECK(g[0].item() == 2);
  CHECK(g[1].item() == 1);
}

TEST_CASE("an array of numbers takes the dtype of what it meets in every operation", "[ops][scalars]") {
  const Variable w(where(i64({1, 0, 1}), 1, 0));
  const Array index = array<std::int64_t>({2, 0, 1});
  const Variable row = reshape(w, {1, 3}), image = reshape(w, {1, 1, 1, 3});
  for (DType dtype : {DType::f32, DType::f64}) {
    const Variable f(array<double>({.5, 2, 1}).cast(dtype), requires_grad);
    const Variable f_row = reshape(f, {1, 3}), f_image = reshape(f, {1, 1, 1, 3}), f_one = slice(f, 0, 1, 2);
    const Variable one = slice(w, 0, 0, 1), zero = slice(w, 0, 1, 2);
    auto check = [&](const Variable& y, const V& expected) {
      CHECK(y.dtype() == dtype);
      CHECK_FALSE(y.data().is_number());
      CHECK(values(y) == expected);
      CHECK(grad(y, {f})[0].dtype() == dtype);
    };
    check(matmul(f, w), {1.5});
    check(matmul(w, f), {1.5});
    check(linear(f_row, row), {1.5});
    check(linear(row, f_row), {1.5});
    check(linear(f_row, row, one), {2.5});
    check(linear(row, row, f_one), {4});
    check(concat({w, f}), {1, 0, 1, .5, 2, 1});
    check(concat({f, w}), {.5, 2, 1, 1, 0, 1});
    check(stack({w, f}), {1, 0, 1, .5, 2, 1});
    check(scatter_add(f, 0, index, w), {.5, 3, 2});
    check(scatter_add(w, 0, index, f), {3, 1, 1.5});
    check(conv2d(f_image, image), {1.5});
    check(conv2d(image, f_image, one), {2.5});
    check(conv2d(image, image, f_one), {4});
    check(conv_transpose2d(f_image, slice(image, 3, 0, 1), zero), {.5, 2, 1});
    check(conv_transpose2d(slice(image, 3, 0, 1), f_image), {.5, 2, 1});
    check(mse_loss(f, w, Reduction::sum), {4.25});
    check(mse_loss(w, f, Reduction::sum), {4.25});
    check(layer_norm(f_row, w, w) * 0 + f_row, {.5, 2, 1});
    check(layer_norm(row, f, w) * 0 + f_row, {.5, 2, 1});
    check(batch_norm(reshape(f, {3, 1}), one, zero).y * 0 + reshape(f, {3, 1}), {.5, 2, 1});
    check(batch_norm(reshape(w, {3, 1}), f_one, zero).y * 0 + reshape(f, {3, 1}), {.5, 2, 1});
    check(batch_norm(reshape(w, {3, 1}), f_one, zero, zero, one, 0), {2, 0, 2});
    check(batch_norm(reshape(f, {3, 1}), {}, zero, zero, one, 0), {.5, 2, 1});
    for (const Variable& loss :
         {binary_cross_entropy_with_logits(f, w), binary_cross_entropy_with_logits(w, f),
          cross_entropy(f_row, row), cross_entropy(row, f_row)}) {
      CHECK(loss.dtype() == dtype);
      CHECK(grad(loss, {f})[0].dtype() == dtype);
    }
    CHECK(values(binary_cross_entropy_with_logits(f, w)) ==
          values(binary_cross_entropy_with_logits(f, cast(w, dtype))));
    CHECK(values(cross_entropy(f_row, row)) == values(cross_entropy(f_row, cast(row, dtype))));
    const Variable a(2.0, requires_grad), learnt = where(i64({1, 0, 1}), a, 0);  // as a number that learns
    CHECK(grad(matmul(f, learnt), {a})[0].item() == 1.5);
    CHECK(grad(sum(concat({learnt, f})), {a})[0].item() == 2);
  }
  const Variable integers = i64({5, 6, 7});
  CHECK(integers_of(concat({w, integers})) == std::vector<std::int64_t>{1, 0, 1, 5, 6, 7});
  CHECK(integers_of(scatter_add(integers, 0, index, w)) == std::vector<std::int64_t>{5, 7, 8});
  SAYS(concat({w * .5, integers}), "concat: i64 cannot hold 0.5; cast the array first");
  SAYS(stack({integers, w * .5}), "stack: i64 cannot hold 0.5; cast the array first");
  SAYS(scatter_add(integers, 0, index, w * .5), "scatter_add: i64 cannot hold 0.5; cast the array first");
  SAYS(matmul(w, integers), "matmul: cannot multiply i64 by i64; cast to f32 or f64");
  SAYS(mse_loss(w, integers), "mse_loss: targets are i64, not f64");
}

}  // namespace xgrad::tests
