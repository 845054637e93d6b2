// Lazy evaluation: what waits, what joins a pass, what is freed, how far programs grow, and reductions.
#include <xgrad/core/array/lazy.hpp>

#include <limits>

#include <xgrad/core/array/map.hpp>
#include <xgrad/core/base/memory.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"
#include "tests/memory_limit.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

constexpr long large = 10'000;  // elements, beyond what is computed at once

Array plus(const Array& a, const Array& b) {
  return map_numeric(
      "plus", [](auto x, auto y) { return x + y; }, a, b);
}
Array total(const Array& a, const Shape& shape = {}) { return lazy::reduce_to(ReduceKind::sum, a, shape); }

}  // namespace

TEST_CASE("lazy: small arrays are computed at once, large ones when asked for") {
  const Array one = number(1);
  CHECK(is_ready(plus(zeros({4096}), one)));
  const Array y = plus(zeros({4097}), one);
  CHECK_FALSE(is_ready(y));
  CHECK(y.shape() == Shape{4097});
  CHECK(y.data<float>()[4096] == 1);
  CHECK(is_ready(y));
  CHECK(is_ready(total(zeros({4096}))));
  const Array s = total(zeros({4097}));
  CHECK_FALSE(is_ready(s));
  CHECK_FALSE(is_ready(plus(s, one)));  // small work on a sum that waits waits too
}

TEST_CASE("lazy: without fusion everything is computed at once") {
  Restore restore;
  lazy::set_fusion(false);
  CHECK_FALSE(lazy::fusion());
  const Array y = plus(zeros({large}), number(1));
  CHECK(is_ready(y));
  CHECK(is_ready(total(y)));
  CHECK(is_ready(lazy::broadcast_to("f", y, {2, large})));
}

TEST_CASE("lazy: sums over the same domain join one pass") {
  const Array x = random_array({100, 100}), y = plus(x, x);
  const Array a = total(x), b = total(y), columns = total(y, {100}), other = total(random_array({large}));
  const Array late = total(plus(y, plus(b, number(1))));  // needs b first
  CHECK(a.item() != 0);
  CHECK(is_ready(b));
  CHECK_FALSE(is_ready(y));
  CHECK_FALSE(is_ready(columns));  // of another shape
  CHECK_FALSE(is_ready(other));    // over another domain
  CHECK_FALSE(is_ready(late));
  CHECK(std::abs(b.item() - 2 * a.item()) < 1e-10);
  CHECK(std::abs(total(columns).item() - b.item()) < 1e-10);
  CHECK(std::abs(late.item() - (b.item() + large * (b.item() + 1))) < 1e-7);
}

TEST_CASE("lazy: what is summed is kept if it is long to compute and somebody else holds it") {
  auto chain = [](int steps) {
    Array y = random_array({large});
    for (int i = 0; i < steps; ++i) y = plus(y, number(1));
    return y;
  };
  const Array held = chain(20), brief = chain(5);
  const Array a = total(held), b = total(brief), c = total(chain(20));
  CHECK(a.item() + b.item() + c.item() != 0);
  CHECK(is_ready(held));
  CHECK_FALSE(is_ready(brief));
  double expected = 0;
  for (double v : values(held)) expected += v;
  CHECK(std::abs(a.item() - expected) < 1e-9);
}

TEST_CASE("lazy: a program's length does not count what small operands were made of") {
  Array small = total(random_array({100, 100}), {1, 100});
  for (int i = 0; i < 30; ++i) small = plus(small, number(1));
  Array y = random_array({100, 100});
  for (int i = 0; i < 30; ++i) y = plus(y, small);
  CHECK_FALSE(is_ready(y));
  CHECK_FALSE(is_ready(small));
  CHECK(Value::of(y)->pending.steps == 30);
  evaluate(y);
  CHECK(is_ready(small));
}

TEST_CASE("lazy: an elementwise result takes pending sums of it along") {
  const Array y = plus(random_array({large}), number(1)), s = total(y);
  evaluate(y);
  CHECK(is_ready(s));
  double expected = 0;
  for (double v : values(y)) expected += v;
  CHECK(std::abs(s.item() - expected) < 1e-9);
}

TEST_CASE("lazy: work on repeated small arrays is done small") {
  const Array small = random_array({1, 1000}), wide = lazy::broadcast_to("f", small, {64, 1000});
  CHECK_FALSE(is_ready(wide));
  const Array y = plus(plus(wide, number(1)), wide);
  CHECK_FALSE(is_ready(y));
  CHECK(Value::of(y)->pending.steps == 1);  // repeats what has been computed
  CHECK(is_ready(Value::of(y)->pending.in[0]));
  CHECK(Value::of(y)->pending.in[0].shape() == Shape{1, 1000});
  CHECK(y.data<double>()[63'999] == small.data<double>()[999] + 1 + small.data<double>()[999]);
}

TEST_CASE("lazy: what has been computed lets go of its inputs") {
  const std::size_t before = memory::in_use();
  {
    Array y = plus(zeros({large}, DType::f64), number(1));
    CHECK(memory::in_use() >= before + large * 8);  // the zeros
    evaluate(y);
    CHECK(memory::in_use() < before + large * 12);  // y alone
  }
  CHECK(memory::in_use() == before);
}

TEST_CASE("lazy: a result is written over an operand that nobody else needs") {
  const std::size_t before = memory::in_use();
  const long room = large * 8;
  auto peak_of = [&](const Array& pending) {  // in arrays, while its program runs
    memory::reset_peak();
    evaluate(pending);
    return double(memory::peak() - before) / double(room);
  };
  Array x = full({large}, 3, DType::f64);
  Array y = plus(x, number(1));
  x = Array();
  CHECK(peak_of(y) < 1.5);
  CHECK(values(y) == std::vector<double>(large, 4));
  y = plus(y, y);
  CHECK(peak_of(y) < 1.5);
  CHECK(values(y) == std::vector<double>(large, 8));

  SECTION("not one that somebody holds") {
    const Array z = plus(y, number(1));
    CHECK(peak_of(z) > 1.5);
    CHECK(values(y)[5] == 8);
    CHECK(values(z)[5] == 9);
  }
  SECTION("nor one whose elements a reshape shares") {
    const Array shared = y.reshape({100, -1}), z = plus(std::exchange(y, {}), number(1));
    CHECK(peak_of(z) > 1.5);
    CHECK(values(shared)[5] == 8);
  }
  SECTION("nor one that a pending value needs") {
    const Array early = plus(y, number(1)), late = plus(early, number(1));
    y = Array();
    CHECK(peak_of(late) > 1.5);
    CHECK(values(early)[5] == 9);
    CHECK(values(late)[5] == 10);
  }
  SECTION("nor one that a later step of the program or a sum reads") {
    const Array a = plus(y, number(1)), b = plus(a, y), s = total(y);
    y = Array();
    const Array results[] = {a, b};
    evaluate(results);
    CHECK(values(a)[5] == 9);
    CHECK(values(b)[5] == 17);
    CHECK(s.item() == 8 * large);
  }
}

TEST_CASE("lazy: an operand outlives a program that would write over it and found no memory") {
  if (!MemoryLimit::holds) return skip("under the address sanitizer memory is not limited");
  const long n = 16 << 20;  // the second of the two results does not fit
  Array x = full({n}, 3, DType::f64);
  const Array a = plus(x, number(1)), b = plus(a, number(1)), results[] = {a, b};
  x = Array();
  memory::trim();
  {
    const MemoryLimit limit(n * 4);
    CHECK(error_of([&] { evaluate(results); }).starts_with("memory: cannot allocate"));
  }
  CHECK_FALSE(is_ready(a));
  CHECK(a.data<double>()[n - 1] == 4);
  CHECK(b.data<double>()[n - 1] == 5);
}

TEST_CASE("lazy: a chain of 200,000 pending steps is computed piece by piece") {
  Restore restore;
  threads::set(1);  // programs of this size would use all
  memory::reset_peak();
  const std::size_t before = memory::in_use();
  Array x = zeros({4097}, DType::f64);
  const Array one = number(1);
  for (int i = 0; i < 200'000; ++i) x = plus(x, one);
  CHECK(x.data<double>()[4096] == 200'000);
  CHECK(memory::peak() < before + 10 * 4097 * 8);
}

TEST_CASE("lazy: x = x + x does not grow a tree") {
  Array x = ones({large}, DType::f64);
  for (int i = 0; i < 1000; ++i) x = plus(x, x);
  CHECK(x.data<double>()[0] == std::pow(2., 1000));
}

TEST_CASE("lazy: chains through 20,000 reductions are computed without deep recursion") {
  Array x = full({5000}, 1, DType::f64);
  const Array scale = full({}, 1 / 5000., DType::f64);
  auto times = [](const Array& a, const Array& b) {
    return map(
        "times", [](auto u, auto v) { return u * v; }, a, b);
  };
  for (int i = 0; i < 20'000; ++i)
    x = plus(times(total(x), scale), i % 2 ? ones({5000}, DType::f64) : zeros({5000}, DType::f64));
  CHECK(std::abs(x.data<double>()[7] - 10'001) < 1e-3);
}

TEST_CASE("lazy: long pending chains that nobody reads are freed without recursion") {
  const std::size_t before = memory::in_use();
  for (int round = 0; round < 1000; ++round) {
    Array x = zeros({5000});
    for (int i = 0; i < 40; ++i) x = plus(total(x), x);
  }
  CHECK(memory::in_use() == before);
}

TEST_CASE("lazy: sums that nobody reads do not pile up memory") {
  const std::size_t before = memory::in_use();
  memory::reset_peak();
  std::vector<Array> losses;
  for (int i = 0; i < 500; ++i) losses.push_back(total(full({50'000}, i)));  // 100 MB in all
  CHECK(memory::peak() < before + 70 * 50'000 * 4);
  CHECK(is_ready(losses[0]));
  CHECK_FALSE(is_ready(losses[499]));
  long right = 0;
  for (int i = 0; i < 500; ++i) right += losses[std::size_t(i)].item() == i * 50'000.;
  CHECK(right == 500);
}

TEST_CASE("lazy: sums that have been dropped are not computed") {
  const std::size_t before = memory::in_use();
  for (int i = 0; i < 500; ++i) total(zeros({50'000}));
  CHECK(memory::in_use() == before);
}

TEST_CASE("lazy: when memory runs out the error passes, and everything else can still be computed") {
  const Array row = random_array({1 << 22}, 1, DType::f32);
  const Array huge = lazy::broadcast_to("f", row.reshape({1, -1}), {1 << 22, 1 << 22});
  const Array fine = plus(row, row), s = total(row);
  for (int attempt = 0; attempt < 2; ++attempt)
    CHECK(error_of([&] { huge.bytes(); }).starts_with("memory: cannot allocate 70368744.2 MB"));
  CHECK(fine.data<float>()[5] == 2 * row.data<float>()[5]);
  CHECK(s.item() != 0);
}

TEST_CASE("lazy: sums in f32 keep their digits") {
  const long n = 3'000'000;
  CHECK(std::abs(total(full({n}, .1f)).item() / (n * double(.1f)) - 1) < 1e-6);
  const Array columns = total(full({n / 3, 3}, .1f), {3});  // by blocks, within which rows are added up
  CHECK(std::abs(columns.data<float>()[2] / (n / 3 * double(.1f)) - 1) < 3e-4);
}

TEST_CASE("lazy: extremes of a single kind, of infinities and NaN") {
  for (long size : {5l, 5000l, 100'000l}) {
    auto extremes = [](const Array& a) {
      return std::pair(lazy::reduce_to(ReduceKind::max, a, {}).item(),
                       lazy::reduce_to(ReduceKind::min, a, {}).item());
    };
    CHECK(extremes(full({size}, -3)) == std::pair(-3., -3.));
    CHECK(extremes(full({size}, -INFINITY)) == std::pair<double, double>(-INFINITY, -INFINITY));
    CHECK(extremes(full({size}, INFINITY, DType::f64)) == std::pair<double, double>(INFINITY, INFINITY));
    const double least = double(std::numeric_limits<std::int64_t>::min());
    Array whole(Shape{size}, DType::i64);
    std::fill_n(whole.mutable_data<std::int64_t>(), size, std::numeric_limits<std::int64_t>::min());
    CHECK(extremes(whole) == std::pair(least, least));
    for (long at : {0l, size / 2, size - 1}) {
      Array a = full({size}, 1);
      a.mutable_data<float>()[at] = NAN;
      CHECK(std::isnan(extremes(a).first));
      CHECK(std::isnan(extremes(a).second));
    }
  }
}

TEST_CASE("lazy: reductions of nothing") {
  CHECK(total(zeros({0, 3}, DType::f64)).item() == 0);
  CHECK(values(total(zeros({0, 3}), {1, 3})) == std::vector<double>{0, 0, 0});
  CHECK(values(lazy::broadcast_to("f", zeros({1, 3}), {0, 3})).empty());
}

TEST_CASE("lazy: shapes and dtypes are checked at the call") {
  CHECK(error_of([] { plus(zeros({2, 3}), zeros({2})); }) == "plus: shapes (2, 3) and (2,) do not broadcast");
  CHECK(error_of([] { plus(zeros({large}), zeros({large + 1})); }) ==
        "plus: shapes (10000,) and (10001,) do not broadcast");
  CHECK(error_of([] { plus(arange(3), number(.5)); }) == "plus: i64 cannot hold 0.5; cast the array first");
  CHECK(error_of([] { plus(arange(3), Array()); }) == "plus: operand 2 is undefined");
  CHECK(error_of([] { total(zeros({2}, DType::u8)); }) == "reduce: not defined for u8; cast first");
  CHECK(error_of([] {
          lazy::broadcast_to("tile", zeros({2, 3}), {3, 3});
        }) == "tile: shape (2, 3) does not broadcast to (3, 3)");
}

TEST_CASE("lazy: bytes can be repeated") {
  const Array a = lazy::broadcast_to("f", array<std::uint8_t>({1, 255}), {3, 2});
  CHECK(a.dtype() == DType::u8);
  CHECK(values(a) == std::vector<double>{1, 255, 1, 255, 1, 255});
}
