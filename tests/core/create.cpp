// New arrays: nested lists, vectors, ranges, random numbers; what cannot be is an Error.
#include <xgrad/core/array/create.hpp>

#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

using V = std::vector<double>;
template <class T, class U>
concept Holds = requires(U x) {
  array<T>({x});
};

}  // namespace

TEST_CASE("create: lists of lists") {
  const Array a = array<float>({{1, 2}, {3, 4.5}});
  CHECK(a.shape() == Shape{2, 2});
  CHECK(values(a) == V{1, 2, 3, 4.5});
  CHECK(array<double>({{1}, {2}}).shape() == Shape{2, 1});
  CHECK(array<std::int64_t>({{{1, 2, 3}}, {{4, 5, 6}}}).shape() == Shape{2, 1, 3});
  CHECK(array<float>({}).shape() == Shape{0});
  CHECK(array<float>({{}, {}}).shape() == Shape{2, 0});
  CHECK(values(array<bool>({{true, false}})) == V{1, 0});
  CHECK(array({1.5, 2.}).dtype() == DType::f64);
  CHECK(values(array<std::uint8_t>({0, 255})) == V{0, 255});
  CHECK(array<Float16>({Float16(1.5f)}).item() == 1.5);
}

TEST_CASE("create: lists that are ragged, or hold what the type cannot") {
  CHECK(error_of([] {
          array<float>({{1, 2}, {3}});
        }) == "array: the parts have different shapes, (2,) and (1,)");
  CHECK(error_of([] { array<float>({{1, 2}, 3}); }) == "array: the parts have different shapes, (2,) and ()");
  CHECK(error_of([] { array<std::uint8_t>({256}); }) == "array: u8 cannot hold 256");
  CHECK(error_of([] { array<std::uint8_t>({-1}); }) == "array: u8 cannot hold -1");
  CHECK(error_of([] { array<bool>({2}); }) == "array: bool cannot hold 2");
  CHECK((Holds<float, int> && Holds<float, double> && Holds<std::int64_t, int>));
  CHECK_FALSE(Holds<std::int64_t, double>);
}

TEST_CASE("create: to and from std::vector") {
  const std::vector<float> v{1, 2, 3};
  CHECK(array(v).to_vector<float>() == v);
  CHECK(Array({3, 1}, v).shape() == Shape{3, 1});
  CHECK(array(std::vector<bool>{true, false}).to_vector<bool>() == std::vector<bool>{true, false});
  CHECK(array<float>({1.5, -2}).to_vector<double>() == V{1.5, -2});
  CHECK((Variable(array<float>({1, 2})) * 2).to_vector<float>() == std::vector<float>{2, 4});
  CHECK(zeros({0}).to_vector<float>().empty());
}

TEST_CASE("create: elements by their place") {
  const Array a = arange(6).reshape({2, 3});
  CHECK(a.item(1, 2) == 5);
  CHECK(a.item(-1, -3) == 3);
  const Variable x = Variable(a) * 2;
  CHECK(x.item(0, 1) == 2);
  CHECK(sum(x).item() == 30);
  CHECK(error_of([&] { (void)a.item(2, 0); }) == "item: index 2 is out of range for axis 0 of shape (2, 3)");
  CHECK(error_of([&] { (void)x.item(0, -4); }) ==
        "item: index -4 is out of range for axis 1 of shape (2, 3)");
  CHECK(error_of([&] { (void)a.item(1); }) == "item: 1 indices for shape (2, 3)");
}

TEST_CASE("create: ranges") {
  CHECK(values(arange(2, 5)) == V{2, 3, 4});
  CHECK(arange(2, 5).dtype() == DType::i64);
  CHECK(values(arange(2, 10, 3)) == V{2, 5, 8});
  CHECK(values(arange(2, 11, 3)) == V{2, 5, 8});
  CHECK(values(arange(5, 0, -2)) == V{5, 3, 1});
  CHECK(values(arange(3, 3)).empty());
  CHECK(values(arange(0., 1., .25)) == V{0, .25, .5, .75});
  CHECK(arange(0., 1., .25).dtype() == DType::f32);
  CHECK(values(arange(2.5)) == V{0, 1, 2});
  CHECK(values(arange(1, 3, DType::f64)) == V{1, 2});
  CHECK(values(arange(0, 4, 2, DType::u8)) == V{0, 2});
  const auto most = std::numeric_limits<std::int64_t>::max();
  CHECK(arange(most - 2, most).to_vector<std::int64_t>() == std::vector<std::int64_t>{most - 2, most - 1});
}

TEST_CASE("create: ranges that cannot be") {
  const auto most = std::numeric_limits<std::int64_t>::max();
  CHECK(error_of([] { arange(0, 5, 0); }) == "arange: the step is 0");
  CHECK(error_of([] { arange(5, 0); }) == "arange: the step 1 does not lead from 5 to 0");
  CHECK(error_of([] { arange(0., 1., -.1); }) == "arange: the step -0.1 does not lead from 0 to 1");
  CHECK(error_of([] { arange(0., 1., NAN); }) == "arange: [0, 1) by nan is not a finite range with a step");
  CHECK(error_of([&] { arange(-most, most); }).find("has too many elements") != std::string::npos);
  CHECK(error_of([] { arange(0., 1e300, 1.); }).find("has too many elements") != std::string::npos);
  CHECK(error_of([] { arange(200, 300, DType::u8); }) == "arange: u8 cannot hold [200, 300)");
  CHECK(error_of([] { arange(0., 2., .5, DType::i64); }) == "arange: i64 cannot hold 0.5");
}

TEST_CASE("create: linspace holds both ends exactly, and is symmetric") {
  CHECK(values(linspace(0, 1, 5)) == V{0, .25, .5, .75, 1});
  CHECK(values(linspace(3, -3, 3, DType::f64)) == V{3, 0, -3});
  CHECK(values(linspace(2, 9, 1)) == V{2});
  CHECK(values(linspace(2, 9, 0)).empty());
  const auto x = values(linspace(-1, 1, 1001, DType::f64));
  CHECK(x.front() == -1);
  CHECK(x.back() == 1);
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == -x[x.size() - 1 - i]);
  CHECK(error_of([] { linspace(0, 1, -1); }) == "linspace: shape (-1,) has a negative length");
  CHECK(error_of([] { linspace(0, INFINITY, 3); }) == "linspace: [0, inf] is not a finite range");
  CHECK(error_of([] { linspace(-1e308, 1e308, 3); }) == "linspace: [-1e+308, 1e+308] is not a finite range");
  CHECK(error_of([] { linspace(0, 1, 3, DType::i64); }) == "linspace: makes floating-point numbers, not i64");
}

TEST_CASE("create: the identity") {
  CHECK(values(eye(2)) == V{1, 0, 0, 1});
  CHECK(values(eye(2, 3, DType::u8)) == V{1, 0, 0, 0, 1, 0});
  CHECK(eye(3, DType::f64).dtype() == DType::f64);
  CHECK(eye(0).shape() == Shape{0, 0});
  CHECK(error_of([] { eye(-1); }) == "eye: shape (-1, -1) has a negative length");
}

TEST_CASE("create: random arrays are those of the default generator") {
  manual_seed(3);
  const Array a = randn({2, 3}), b = rand({5}, DType::f64), c = randint(-2, 3, {100}), d = randint(4, {3}),
              e = randperm(6);
  Generator g(3);
  CHECK(same_bits(a, g.normal({2, 3})));
  CHECK(same_bits(b, g.uniform({5}, 0, 1, DType::f64)));
  CHECK(same_bits(c, g.integers({100}, -2, 3)));
  CHECK(same_bits(d, g.integers({3}, 0, 4)));
  CHECK(e.to_vector<std::int64_t>() == g.permutation(6));
  manual_seed(3);
  CHECK(same_bits(randn({2, 3}, DType::bf16), a.cast(DType::bf16)));
  CHECK(randint(0, 256, {3}, DType::u8).dtype() == DType::u8);
}

TEST_CASE("create: in the shape and dtype of an Array or a Variable") {
  const Array a = zeros({2, 3}, DType::f64);
  const Variable x(a, requires_grad);
  for (auto& y : {randn_like(a), randn_like(x), rand_like(x), zeros_like(x), ones_like(x), full_like(x, 7)}) {
    CHECK(y.shape() == a.shape());
    CHECK(y.dtype() == DType::f64);
  }
  CHECK(full_like(x, 7).item(1, 2) == 7);
  CHECK(values(ones_like(x)) == V(6, 1));
}

TEST_CASE("create: random arrays that cannot be") {
  CHECK(error_of([] { randn({2}, DType::i64); }) == "randn: makes floating-point numbers, not i64");
  CHECK(error_of([] { rand({2}, DType::boolean); }) == "rand: makes floating-point numbers, not bool");
  CHECK(error_of([] { randint(3, 3, {2}); }) == "randint: the range [3, 3) is empty");
  CHECK(error_of([] { randint(0, 257, {2}, DType::u8); }) == "randint: u8 cannot hold [0, 257)");
  CHECK(error_of([] { randint(-1, 5, {2}, DType::u8); }) == "randint: u8 cannot hold [-1, 5)");
  CHECK(error_of([] { randperm(-1); }) == "randperm: the length -1 is negative");
  CHECK(error_of([] { randn({-1}); }).find("has a negative length") != std::string::npos);
}
