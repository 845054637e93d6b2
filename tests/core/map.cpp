// map: lambdas over packs as operations on arrays, and the functions that packs and numbers share.
#include <xgrad/core/array/map.hpp>

#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

TEST_CASE("map: one to four operands, of every size from nothing to several tiles") {
  for (long n : {0l, 1l, 3l, 7l, 8l, 9l, 63l, 1000l, 1024l, 4096l, 4097l, 5119l}) {
    const Array a = arange(n, DType::f64), b = full({n}, 2, DType::f64), c = full({1}, 3, DType::f64);
    auto check = [&](const Array& y, auto expected) {
      const auto v = values(y);
      REQUIRE(long(v.size()) == n);
      long right = 0;
      for (long i = 0; i < n; ++i) right += v[std::size_t(i)] == expected(double(i));
      CHECK(right == n);
    };
    check(map(
              "f", [](auto x) { return -x; }, a),
          [](double i) { return -i; });
    check(map(
              "f", [](auto x, auto y) { return x * y; }, a, b),
          [](double i) { return 2 * i; });
    check(map(
              "f", [](auto x, auto y, auto z) { return x * y - z; }, a, b, c),
          [](double i) { return 2 * i - 3; });
    check(map(
              "f", [](auto x, auto y, auto z, auto u) { return x * y - z + u; }, a, b, c, a),
          [](double i) { return 3 * i - 3; });
  }
}

TEST_CASE("map: f32 and i64 give what f64 gives") {
  const Array a = arange(5000);
  auto f = [](auto x, auto y) { return x * y - x; };
  const auto expected = values(map("f", f, a.cast(DType::f64), number(3)));
  CHECK(values(map("f", f, a.cast(DType::f32), number(3))) == expected);
  CHECK(values(map_numeric("f", f, a, number(3))) == expected);
  CHECK(error_of([&] { map("f", f, a, number(3)); }) == "f: not defined for i64; cast to f32 or f64 first");
}

TEST_CASE("map: operands are broadcast, alone and in chains") {
  const Array column(Shape{70, 1}, values(arange(70, DType::f64))), row = arange(80, DType::f64);
  auto add = [](auto x, auto y) { return x + y; };
  const Array sum = map("add", add, column, row), twice = map("add", add, sum, sum);
  CHECK(sum.shape() == Shape{70, 80});
  long right = 0;
  for (long i = 0; i < 70; ++i)
    for (long k = 0; k < 80; ++k)
      right += sum.data<double>()[i * 80 + k] == double(i + k) &&
               twice.data<double>()[i * 80 + k] == 2. * double(i + k);
  CHECK(right == 5600);
}

TEST_CASE("map: numbers alone stay a number") {
  const Array n = map(
      "f", [](auto x, auto y) { return x / y; }, number(1), number(4));
  CHECK(n.is_number());
  CHECK(n.item() == .25);
}

TEST_CASE("map: select, mask and extremes for packs and for single elements") {
  const Array a = array<double>({1, NAN, 3, -4}), b = array<double>({2, 2, NAN, -5});
  auto text = [](const Array& y) {
    std::string s;
    for (double v : values(y)) s += fmt::format("{} ", v);
    return s;
  };
  CHECK(text(map(
            "max", [](auto x, auto y) { return pack::maximum(x, y); }, a, b)) == "2 nan nan -4 ");
  CHECK(text(map(
            "min", [](auto x, auto y) { return pack::minimum(x, y); }, a, b)) == "1 nan nan -5 ");
  CHECK(text(map(
            "mask", [](auto x) { return pack::mask(x, x > decltype(x)(0)); }, a)) == "1 0 1 0 ");
  CHECK(text(map(
            "select", [](auto x, auto y) { return pack::select(x > y, x, y); }, a, b)) == "2 2 nan -4 ");
  CHECK(pack::maximum(1., 2.) == 2);
  CHECK(std::isnan(pack::maximum(double(NAN), 2.)));
  CHECK(std::isnan(pack::minimum(2., double(NAN))));
  CHECK(pack::mask(5., true) == 1);
}
