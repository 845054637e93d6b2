// Numbers and integers: what an integer cannot hold is an Error, a comparison is that of mathematics, and
// what is made of numbers alone stays one.
#include <climits>
#include <cmath>

#include "core/error.hpp"
#include "ops/ops.hpp"
#include "tests/catch.hpp"

namespace xgrad::tests {
namespace {

using V = std::vector<double>;
V values(const Array& a) {
  const Array doubles = a.cast(DType::f64);
  return {doubles.data<double>(), doubles.data<double>() + doubles.size()};
}
V values(const Variable& v) { return values(v.data()); }
Variable i64(std::initializer_list<std::int64_t> v) { return Variable(array<std::int64_t>(v)); }
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
    CHECK((x < n).dtype() == DType::i64);
    CHECK((x != n).shape() == x.shape());
  }
}

TEST_CASE("cumsum and scatter_add refuse u8, in which sums would wrap", "[ops][scalars]") {
  const Variable pixels(full({3}, 200, DType::u8));
  SAYS(cumsum(pixels, 0), "cumsum: not defined for u8; cast first");
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
  CHECK(array<double>({-0x1p63}).cast(DType::i64).data<std::int64_t>()[0] == LONG_MIN);
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
  CHECK_FALSE(cast(y, DType::f64).data().is_number());
  CHECK_FALSE(concat({y, Variable(ones({1}, DType::f64))}).data().is_number());
  CHECK_FALSE(where(Variable(ones({3})), 1, 0).data().is_number());
  CHECK(where(Variable(ones({3})), 1, 0).dtype() == DType::f32);
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

}  // namespace xgrad::tests
