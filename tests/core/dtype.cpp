// Types of elements: the list, what they are computed in, numbers of 16 bits, conversion of every pair alone
// and within programs.
#include <cstring>
#include <map>
#include <random>

#include <xgrad/core/array/map.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include "tests/catch.hpp"
#include "tests/fusion.hpp"
#include "tests/helpers.hpp"
#include "tests/run.hpp"

namespace xgrad::tests {
namespace {

/// The nearest number with so many bits of fraction, exponents from `least` on, and nothing from `end` on;
/// the definition, in doubles.
double nearest(double x, int fraction, int least, double end) {
  if (x == 0 || std::isnan(x) || std::isinf(x)) return x;
  const int exponent = std::max(std::ilogb(x), least);
  const double y = std::ldexp(std::nearbyint(std::ldexp(x, fraction - exponent)), exponent - fraction);
  return std::abs(y) >= end ? std::copysign(INFINITY, y) : y;
}
double nearest_f16(double x) { return nearest(x, 10, -14, 0x1p16); }
double nearest_bf16(double x) { return nearest(x, 7, -126, 0x1p128); }

bool same(double a, double b) { return (a == b && std::signbit(a) == std::signbit(b)) || (a != a && b != b); }

/// Every number of 16 bits, what lies half-way to the next, and what lies next to that.
template <class Half>
std::vector<double> around() {
  std::vector<double> all;
  for (int bits = 0; bits < 0x10000; ++bits) {
    const double x = float(std::bit_cast<Half>(std::uint16_t(bits)));
    const double next = float(std::bit_cast<Half>(std::uint16_t(bits + 1)));
    const double middle = (x + next) / 2;
    for (double y : {x, middle, std::nextafter(middle, x), std::nextafter(middle, next)}) all.push_back(y);
  }
  for (double y : {65519.999, 65520., 65535., 1e300, -1e300, 0x1.ffp127, 0x1p-150, -0x1p-1074, 3.4e38})
    all.push_back(y);
  return all;
}

template <class Half>
void check_rounding(double (*definition)(double)) {
  long wrong = 0;
  for (double x : around<Half>()) {
    wrong += !same(float(Half(x)), definition(x));
    wrong += !same(float(Half(float(x))), definition(double(float(x))));
  }
  CHECK(wrong == 0);
}

/// Numbers at which conversions differ, as an array of any dtype.
Array interesting(DType dtype, long count) {
  std::vector<double> list{0,     -0.,  1,           -1,       .5,        2.5,  127,        128,        255,
                           256,   -129, 65519,       65520,    70000,     1e-8, 3e9,        -3e9,       1e19,
                           -1e19, 1e39, 1 + 0x1p-12, INFINITY, -INFINITY, NAN,  2147483647, 2147483648.};
  Array all({count}, dtype);
  dispatch(dtype, [&]<class T>() {
    for (long i = 0; i < count; ++i)
      all.mutable_data<T>()[i] = convert<T>(list[std::size_t(i) % list.size()] * (i % 7 == 6 ? .37 : 1));
  });
  return all;
}

constexpr auto plus = [](auto a, auto b) { return a + b; };

}  // namespace

TEST_CASE("dtype: one list", "[core][dtype]") {
  std::vector<std::string> names;
  for (DType dtype : all_dtypes) {
    names.push_back(name(dtype));
    dispatch(dtype, [&]<class T>() {
      CHECK(dtype_of<T> == dtype);
      CHECK(width(dtype) == long(sizeof(T)));
      CHECK(is_element<T>);
    });
    CHECK(arithmetic(arithmetic(dtype)) == arithmetic(dtype));
  }
  CHECK(names == std::vector<std::string>{"f32", "f64", "i64", "i32", "u8", "bool", "f16", "bf16"});
  CHECK_FALSE(is_element<char>);
  CHECK_FALSE(is_element<std::uint16_t>);
}

TEST_CASE("dtype: promotion of every pair", "[core][dtype]") {
  const std::map<std::string, std::string> table{
      //        f32 f64 i64 i32 u8  bool f16 bf16
      {"f32", "f32 f64 f32 f32 f32 f32 f32 f32"}, {"f64", "f64 f64 f64 f64 f64 f64 f64 f64"},
      {"i64", "f32 f64 i64 i64 i64 i64 f32 f32"}, {"i32", "f32 f64 i64 i64 i64 i64 f32 f32"},
      {"u8", "f32 f64 i64 i64 i64 i64 f32 f32"},  {"bool", "f32 f64 i64 i64 i64 i64 f32 f32"},
      {"f16", "f32 f64 f32 f32 f32 f32 f32 f32"}, {"bf16", "f32 f64 f32 f32 f32 f32 f32 f32"}};
  for (DType a : all_dtypes) {
    std::string row;
    for (DType b : all_dtypes) {
      const Variable x(interesting(a, 26)), y(interesting(b, 26)), z = x + y;
      row += fmt::format("{}{}", row.empty() ? "" : " ", z.dtype());
      CHECK(z.dtype() == promote(a, b));
      CHECK(same_bits(z.data(), (cast(x, z.dtype()) + cast(y, z.dtype())).data()));
      CHECK((x < y).dtype() == DType::boolean);
    }
    CHECK(row == table.at(name(a)));
  }
}

TEST_CASE("dtype: f16 and bf16 are rounded to nearest, ties to even, once", "[core][dtype]") {
  check_rounding<Float16>(nearest_f16);
  check_rounding<BFloat16>(nearest_bf16);
  for (int bits = 0; bits < 0x10000; ++bits) {  // and back to the same bits, but for NaNs
    const auto h = std::bit_cast<Float16>(std::uint16_t(bits));
    const auto b = std::bit_cast<BFloat16>(std::uint16_t(bits));
    if (!(std::isnan(float(h)) ? std::isnan(float(Float16(float(h)))) : Float16(float(h)).bits == bits) ||
        !(std::isnan(float(b)) ? std::isnan(float(BFloat16(float(b)))) : BFloat16(float(b)).bits == bits))
      FAIL("bits " << bits);
  }
}

TEST_CASE("dtype: a cast of every pair converts element by element, small, large and in a program",
          "[core][dtype]") {
  for (DType from : all_dtypes)
    for (DType to : all_dtypes)
      for (long count : {1, 26, 5000, 40001}) {
        INFO(name(from) << " to " << name(to) << ", " << count);
        const Array x = interesting(from, count), y = x.cast(to);
        CHECK(y.dtype() == to);
        Array want({count}, to);
        dispatch(from, [&]<class From>() {
          dispatch(to, [&]<class To>() {
            for (long i = 0; i < count; ++i) want.mutable_data<To>()[i] = convert<To>(x.data<From>()[i]);
          });
        });
        const DType sum_dtype = arithmetic(to);
        const Array back = map_numeric("plus", plus, x.cast(to), zeros({}, sum_dtype));  // y is not stored
        CHECK(same_bits(y, want));
        CHECK(same_bits(back, map_numeric("plus", plus, want, zeros({}, sum_dtype))));
      }
}

TEST_CASE("dtype: a broadcast operand is converted", "[core][dtype]") {
  for (DType dtype : all_dtypes) {
    INFO(name(dtype));
    const Array row = interesting(dtype, 26).reshape({1, 26}),
                column = interesting(dtype, 500).reshape({500, 1});
    for (DType other : {DType::f32, DType::f64, DType::i64}) {
      const Array whole = Generator(1).integers({500, 26}, -9, 9).cast(other);
      const DType common = promote(dtype, other);
      for (const Array& part : {row, column, interesting(dtype, 1)})
        CHECK(same_bits(map_numeric("plus", plus, whole, part),
                        map_numeric("plus", plus, whole.cast(common), part.cast(common).copy())));
    }
    CHECK(same_bits(lazy::broadcast_to("f", row, {500, 26}),
                    lazy::broadcast_to("f", row.cast(DType::f64), {500, 26}).cast(dtype)));
  }
}

TEST_CASE("dtype: random programs of casts have the same bits with fusion, without, and on all threads",
          "[core][dtype]") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    auto run = [seed] {
      std::mt19937 random(seed);
      auto any = [&](std::size_t n) { return std::size_t(random() % unsigned(n)); };
      const Shape shapes[] = {{40, 500}, {1, 500}, {40, 1}, {}, {500}};
      std::vector<Array> nodes;
      for (int i = 0; i < 3; ++i)
        nodes.push_back(interesting(all_dtypes[any(std::size(all_dtypes))], 20000).reshape({40, 500}));
      for (int i = 0; i < 25; ++i) {
        const Array a = nodes[any(nodes.size())], b = nodes[any(nodes.size())];
        switch (any(7)) {
          case 0:
          case 1:
            nodes.push_back(a.cast(all_dtypes[any(std::size(all_dtypes))]));
            break;
          case 2:
            nodes.push_back(map_numeric(
                "max", [](auto x, auto y) { return pack::maximum(x, y); }, a, b));
            break;
          case 3:
            nodes.push_back((Variable(a) < Variable(b)).data());
            break;
          case 4: {
            const Array wide = a.cast(arithmetic(a.dtype()));
            const Shape& to = shapes[any(std::size(shapes))];
            if (broadcasts_to(to, wide.shape())) nodes.push_back(lazy::reduce_to(ReduceKind::max, wide, to));
            break;
          }
          case 5:
            nodes.push_back(lazy::broadcast_to("f", a, {40, 500}));
            break;
          case 6:
            evaluate(a);
            break;
        }
      }
      std::string all;
      if (seed % 2) evaluate(nodes);
      for (auto& node : nodes) all += fmt::format("{} {}", node.dtype(), node.shape()) + bits(node);
      return all;
    };
    INFO("seed " << seed);
    check_same_fused(run);
  }
}

TEST_CASE("dtype: computing in an unsupported dtype is an Error", "[core][dtype]") {
  CHECK(error_of([] { dispatch_arithmetic(DType::bf16, []<class T>() {}); }) ==
        "bf16: nothing is computed in it; cast first");
  CHECK(error_of([] { dispatch_floating(DType::i64, []<class T>() {}); }) ==
        "i64: nothing is computed in it; cast first");
}

TEST_CASE("dtype: what integers can hold", "[core][dtype]") {
  CHECK((can_hold(DType::i64, -0x1p63) && !can_hold(DType::i64, 0x1p63) && !can_hold(DType::i64, .5)));
  CHECK((can_hold(DType::i32, -0x1p31) && !can_hold(DType::i32, 0x1p31)));
  CHECK((can_hold(DType::u8, 255) && !can_hold(DType::u8, 256) && !can_hold(DType::u8, -1)));
  CHECK((can_hold(DType::boolean, 1) && can_hold(DType::boolean, 0) && !can_hold(DType::boolean, 2)));
  CHECK((can_hold(DType::f16, 1e9) && can_hold(DType::bf16, NAN)));
  CHECK_FALSE(can_hold(DType::boolean, NAN));
}

}  // namespace xgrad::tests
