// Arrays: creation, reading, values that copy on write, conversion, and the words of their errors.
#include <xgrad/core/array/array.hpp>

#include <xgrad/core/array/map.hpp>
#include <xgrad/core/base/memory.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

Array twice(const Array& x) {
  return map_numeric(
      "twice", [](auto v) { return v + v; }, x);
}
bool is_aligned(const Array& a) { return reinterpret_cast<std::uintptr_t>(a.bytes()) % 64 == 0; }

}  // namespace

TEST_CASE("array: elements come in row-major order") {
  const Array a(Shape{2, 3}, std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(a.rank() == 2);
  CHECK(a.size() == 6);
  CHECK(a.dim(-1) == 3);
  CHECK(a.byte_size() == 48);
  CHECK(a.dtype() == DType::f64);
  CHECK(a.elements<double>()[4] == 5);
  CHECK(values(array<float>({1, 2.5f})) == std::vector<double>{1, 2.5});
  CHECK(values(arange(4)) == std::vector<double>{0, 1, 2, 3});
  CHECK(arange(4).dtype() == DType::i64);
  CHECK(values(full({2}, 7, DType::u8)) == std::vector<double>{7, 7});
  CHECK(values(zeros_like(a)) == std::vector<double>(6, 0));
  CHECK(values(ones_like(a)) == std::vector<double>(6, 1));
  CHECK(ones_like(a).dtype() == DType::f64);
}

TEST_CASE("array: wrong use says what is wrong") {
  const Array a = zeros({2, 3}), none;
  CHECK_FALSE(none.defined());
  CHECK(error_of([&] { none.shape(); }) == "array: it is undefined");
  CHECK(error_of([&] { none.dtype(); }) == "array: it is undefined");
  CHECK(error_of([&] { none.bytes(); }) == "array: it is undefined");
  CHECK(error_of([&] { none.data<float>(); }) == "array: it is undefined");
  CHECK(error_of([&] { none.cast(DType::f64); }) == "array: it is undefined");
  CHECK(error_of([&] { a.data<double>(); }) == "array: dtype is f32, not f64");
  CHECK(error_of([&] {
          Array copy(a);
          copy.mutable_data<double>();
        }) == "array: dtype is f32, not f64");
  CHECK(error_of([&] { a.item(); }) == "item: shape (2, 3) has 6 elements, not one");
  CHECK(error_of([&] { a.dim(2); }) == "dim: axis 2 is out of range for 2 axes");
  CHECK(error_of([&] { a.reshape({4}); }) == "reshape: 6 elements do not fit shape (4,)");
  CHECK(error_of([] { Array(Shape{2}, std::vector<double>{1}); }) ==
        "array: 1 elements do not fit shape (2,)");
  CHECK(error_of([] { zeros({3, -1}); }) == "zeros: shape (3, -1) has a negative length");
  CHECK(error_of([] { arange(-1); }) == "arange: shape (-1,) has a negative length");
}

TEST_CASE("array: the only element as a number") {
  CHECK(full({}, 2.5, DType::f64).item() == 2.5);
  CHECK(full({1, 1}, 3, DType::i64).item() == 3);
  CHECK(full({1}, 200, DType::u8).item() == 200);
}

TEST_CASE("array: a copy is a value, whichever of the two is written") {
  for (long size : {3l, 5000l}) {  // inline, and in a block of its own
    Array a = full({size}, 1, DType::f64), b = a;
    CHECK(a.bytes() == b.bytes());
    b.mutable_data<double>()[0] = 5;
    CHECK(a.data<double>()[0] == 1);
    CHECK(b.data<double>()[0] == 5);
    Array c = b;
    b.mutable_data<double>()[1] = 6;
    CHECK(c.data<double>()[1] == 1);
    const char* before = b.bytes();
    b.mutable_data<double>()[2] = 7;  // nobody shares it any more
    CHECK(b.bytes() == before);
  }
}

TEST_CASE("array: reshape shares the storage of large arrays, and still copies on write") {
  for (long size : {6l, 6000l}) {
    Array a = arange(size, DType::f64);
    Array b = a.reshape({2, -1});
    CHECK(b.shape() == Shape{2, size / 2});
    CHECK((a.bytes() == b.bytes()) == (size > 8));
    a.mutable_data<double>()[1] = -1;
    CHECK(b.data<double>()[1] == 1);
    Array c = b.reshape({size});
    c.mutable_data<double>()[2] = -2;
    CHECK(b.data<double>()[2] == 2);
    CHECK(c.data<double>()[2] == -2);
    CHECK(a.data<double>()[2] == 2);
  }
}

TEST_CASE("array: what is written does not reach results that are still to be computed") {
  for (long size : {6l, 6000l}) {
    Array a = full({size}, 1, DType::f64);
    const Array flat = a, shaped = a.reshape({3, -1});
    const Array y = twice(twice(a)), z = twice(shaped);
    CHECK(is_ready(y) == (size < 4097));
    a.mutable_data<double>()[0] = 100;
    a = twice(a);
    CHECK(values(y) == std::vector<double>(std::size_t(size), 4));
    CHECK(values(z) == std::vector<double>(std::size_t(size), 2));
    CHECK(values(flat) == std::vector<double>(std::size_t(size), 1));
    CHECK(a.data<double>()[0] == 200);
    CHECK(a.data<double>()[1] == 2);
  }
}

TEST_CASE("array: a result that waits is a value too") {
  Array y = twice(full({6000}, 1, DType::f64)), z = y;
  y.mutable_data<double>()[0] = 100;
  CHECK(z.data<double>()[0] == 2);
  CHECK(y.data<double>()[0] == 100);
  CHECK(y.data<double>()[5999] == 2);
}

TEST_CASE("array: cast") {
  const Array a = array<double>({-1.9, 0, 2.5, 250});
  CHECK(values(a.cast(DType::i64)) == std::vector<double>{-1, 0, 2, 250});
  CHECK(values(a.cast(DType::f32)) == std::vector<double>{float(-1.9), 0, 2.5, 250});
  CHECK(a.cast(DType::f64).identity() == a.identity());
  CHECK(values(array<std::uint8_t>({0, 255}).cast(DType::f32)) == std::vector<double>{0, 255});
  const Array large = arange(100000, DType::i64);
  CHECK(values(large.cast(DType::f32)) == values(large));
  CHECK(zeros({0}).cast(DType::i64).size() == 0);
}

TEST_CASE("array: nothing is an array too") {
  const Array a = zeros({0, 3});
  CHECK(a.size() == 0);
  CHECK(a.reshape({3, 0}).shape() == Shape{3, 0});
  CHECK(values(a.copy()).empty());
  Array written = a;
  CHECK(written.mutable_data<float>() != nullptr);
  CHECK(twice(a).shape() == Shape{0, 3});
}

TEST_CASE("array: few elements live in the handle's value, others in the pool; all are aligned") {
  const std::size_t before = memory::in_use();
  std::vector<Array> kept;
  for (long size = 0; size <= 16; ++size) kept.push_back(zeros({size}));
  CHECK(memory::in_use() == before);
  for (long size = 17; size <= 40; ++size) {
    kept.push_back(zeros({size}));
    kept.push_back(full({size / 2}, 0, DType::f64));
  }
  CHECK(memory::in_use() > before);
  std::size_t aligned = 0;
  for (auto& a : kept) aligned += is_aligned(a);
  CHECK(aligned == kept.size());
  kept.clear();
  CHECK(memory::in_use() == before);
}

TEST_CASE("array: a number takes the dtype of what it meets, also after it was written to") {
  Array n = number(3), shared = n;
  n.mutable_data<double>()[0] = 4;
  CHECK(shared.item() == 3);
  for (auto& a : {n, shared, n.copy()}) {
    CHECK(a.is_number());
    CHECK(map_numeric(
              "add", [](auto x, auto y) { return x + y; }, a, zeros({2}))
              .dtype() == DType::f32);
  }
  CHECK_FALSE(full({}, 3, DType::f64).is_number());
}
