// Sizes that do not fit: elements and bytes are counted without overflow, and the Error names the operation.
#include <climits>

#include "core/memory.hpp"
#include "core/random.hpp"
#include "ops/ops.hpp"
#include "tests/catch.hpp"

namespace xgrad::tests {
namespace {

constexpr long large = 1l << 32;
Variable f64(const Shape& shape) { return Variable(ones(shape, DType::f64)); }
Variable repeated(const Shape& shape) { return broadcast_to(f64({}), shape); }
std::vector<double> values(const Variable& v) {
  const Array doubles = v.data().cast(DType::f64);
  return {doubles.data<double>(), doubles.data<double>() + doubles.size()};
}

}  // namespace

/// What a call must say.
#define SAYS(call, message) CHECK(error_of([&] { (void)(call); }) == message)

TEST_CASE("sizes: no array has more elements or bytes than can be counted", "[core][sizes]") {
  SAYS(Array({large, large}), "array: an array of shape (4294967296, 4294967296) would be too large");
  SAYS(zeros({1l << 61}, DType::f64), "array: an array of shape (2305843009213693952,) would be too large");
  SAYS(ones({0, large, large}), "array: an array of shape (0, 4294967296, 4294967296) would be too large");
  SAYS(arange(LONG_MAX, DType::u8), "array: an array of shape (9223372036854775807,) would be too large");
  SAYS(Generator().normal({large, large}),
       "array: an array of shape (4294967296, 4294967296) would be too large");
  SAYS((Shape{large, large}.size()),
       "shape: (4294967296, 4294967296) has more elements than a long can count");
  SAYS(Generator().permutation(LONG_MAX),
       "permutation: an array of shape (9223372036854775807,) would be too large");
  CHECK(Array({0, 1l << 50}).size() == 0);
}

TEST_CASE("sizes: memory that cannot be had is an Error, and does not count", "[core][sizes]") {
  const std::size_t before = memory::in_use();
  memory::reset_peak();
  for (std::size_t bytes : {std::size_t(-1), std::size_t(-64), std::size_t(1) << 63, std::size_t(1) << 56})
    CHECK(error_of([=] { memory::allocate(bytes); }).starts_with("memory: cannot allocate"));
  CHECK(memory::in_use() == before);
  CHECK(memory::peak() == before);
}

TEST_CASE("sizes: operations that enlarge count without overflow", "[ops][sizes]") {
  SAYS(broadcast_to(f64({1}), {1l << 62}),
       "broadcast_to: an array of shape (4611686018427387904,) would be too large");
  SAYS(broadcast_to(f64({1}), {-1}), "broadcast_to: shape (-1,) has a negative length");
  SAYS(repeated({large, 1}) + repeated({1, large}),
       "add: an array of shape (4294967296, 4294967296) would be too large");
  SAYS(reshape(f64({4}), {(1l << 62) + 1, 4}),
       "reshape: an array of shape (4611686018427387905, 4) would be too large");
  SAYS(reshape(f64({4}), {1l << 62, 4, -1}),
       "reshape: an array of shape (4611686018427387904, 4, 1) would be too large");
  SAYS(pad(f64({3}), {{LONG_MAX, LONG_MAX}}),
       "pad: (9223372036854775807, 9223372036854775807) is too much for shape (3,)");
  SAYS(pad(f64({3, 3}), {{large, 0}, {large, 0}}),
       "pad: an array of shape (4294967299, 4294967299) would be too large");
  SAYS(split(f64({3}), {LONG_MAX, LONG_MAX, 5}),
       "split: the lengths add up to more than axis 0 of shape (3,) has");
  SAYS(matmul(repeated({large, 1}), repeated({1, large})),
       "matmul: an array of shape (4294967296, 4294967296) would be too large");
  SAYS(one_hot(zeros({4}, DType::i64), LONG_MAX),
       "one_hot: an array of shape (4, 9223372036854775807) would be too large");
  SAYS(one_hot(zeros({0}, DType::i64), -1), "one_hot: there are no -1 classes");
  SAYS(take(Variable(zeros({1, 0, 1l << 40})), zeros({1l << 20}, DType::i64)),
       "take: an array of shape (1048576, 0, 1099511627776) would be too large");
  const Variable many = repeated({0, 1l << 53});
  SAYS(concat({many, many}, 1), "concat: an array of shape (0, 18014398509481984) would be too large");
  SAYS(stack({many, many}, 0), "stack: an array of shape (2, 0, 9007199254740992) would be too large");
}

TEST_CASE("sizes: a slice by a step longer than the axis is its first element", "[ops][sizes]") {
  const Variable x(array<double>({1, 2, 3}), requires_grad);
  for (long step : {3l, 1l << 32, LONG_MAX}) {
    const Variable y = slice(x, 0, 1, LONG_MAX, step);
    CHECK(values(y) == std::vector<double>{2});
    CHECK(values(grad(y, {x})[0]) == std::vector<double>{0, 1, 0});
    CHECK(values(slice(reshape(x, {3, 1}), 0, LONG_MIN, LONG_MAX, step)) == std::vector<double>{1});
  }
  CHECK(values(slice(x, 0, LONG_MIN, LONG_MAX, 2)) == std::vector<double>{1, 3});
  CHECK(values(slice(x, 0, 3, LONG_MAX, LONG_MAX)).empty());
}

TEST_CASE("sizes: windows are counted without overflow", "[ops][sizes]") {
  const Variable x = f64({1, 1, 4, 4}), weight = f64({1, 1, 3, 3});
  SAYS(fold(f64({1, 1, 1}), 4, large),
       "fold: (1, 1, 1) of f64 are not columns (N, C KH KW, L) of a kernel (4294967296, 4294967296)");
  SAYS(fold(f64({1, 1, 0}), large, 1),
       "fold: an array of shape (1, 1, 4294967296, 4294967296) would be too large");
  SAYS(conv2d(x, weight, {}, {.padding = LONG_MAX}), "conv2d: a padding of 9223372036854775807 is too large");
  SAYS(conv2d(x, weight, {}, {.padding = 1l << 30}),
       "conv2d: an array of shape (1, 1, 3, 3, 2147483650, 2147483650) would be too large");
  SAYS(conv2d(x, weight, {}, {.dilation = LONG_MAX}),
       "conv2d: kernel (3, 3) does not fit into images (1, 1, 4, 4)");
  SAYS(unfold(x, 1, {.padding = 1l << 31}),
       "unfold: an array of shape (1, 1, 1, 1, 4294967300, 4294967300) would be too large");
  SAYS(conv_transpose2d(x, weight, {}, {.stride = LONG_MAX}),
       "conv_transpose2d: images (1, 1, 4, 4) would become (27670116110564327424, 27670116110564327424)");
  SAYS(conv_transpose2d(f64({1, 1, 0, 4}), weight), "conv_transpose2d: images (1, 1, 0, 4) are empty");
  SAYS(max_pool2d(x, 3, {.padding = LONG_MAX}),
       "max_pool2d: padding (9223372036854775807, 9223372036854775807) is more than half of the kernel (3, "
       "3)");
  SAYS(max_pool2d(x, LONG_MAX),
       "max_pool2d: kernel (9223372036854775807, 9223372036854775807) does not fit into images (1, 1, 4, 4)");
  CHECK(values(conv2d(x, weight, {}, {.stride = LONG_MAX})) == std::vector<double>{9});
  CHECK(values(max_pool2d(x, 2, {.stride = LONG_MAX})) == std::vector<double>{1});
  CHECK(values(avg_pool2d(x, 2, {.stride = LONG_MAX})) == std::vector<double>{1});
  CHECK(unfold(x, 3, {.stride = LONG_MAX}).shape() == Shape{1, 9, 1});
  CHECK(values(conv_transpose2d(f64({1, 1, 1, 1}), f64({1, 1, 1, 1}), {}, {.stride = LONG_MAX})) ==
        std::vector<double>{1});
  CHECK(conv2d(x, f64({1, 1, 1, 1}), {}, {.dilation = LONG_MAX}).shape() == x.shape());
}

}  // namespace xgrad::tests
