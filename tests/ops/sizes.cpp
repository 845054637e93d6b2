// Sizes that do not fit: elements and bytes are counted without overflow, and the Error names the operation.
#include <climits>

#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/memory.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"
#include "tests/memory_limit.hpp"

namespace xgrad::tests {
namespace {

constexpr long large = 1l << 32;
Variable f32(const Shape& shape) { return Variable(ones(shape)); }
Variable f64(const Shape& shape) { return Variable(ones(shape, DType::f64)); }
Variable repeated(const Shape& shape) { return broadcast_to(f64({}), shape); }

}  // namespace

/// What a call must say.
#define SAYS(call, message) CHECK(error_of([&] { (void)(call); }) == message)

TEST_CASE("sizes: no array has more elements or bytes than can be counted", "[core][sizes]") {
  SAYS(Array({large, large}), "array: an array of shape (4294967296, 4294967296) would be too large");
  SAYS(zeros({1l << 61}, DType::f64), "zeros: an array of shape (2305843009213693952,) would be too large");
  SAYS(ones({0, large, large}), "ones: an array of shape (0, 4294967296, 4294967296) would be too large");
  SAYS(full({large, large}, 1), "full: an array of shape (4294967296, 4294967296) would be too large");
  SAYS(arange(LONG_MAX, DType::u8), "arange: an array of shape (9223372036854775807,) would be too large");
  SAYS(arange(1l << 61), "arange: an array of shape (2305843009213693952,) would be too large");
  SAYS(one_hot(zeros({4}, DType::i64), 1l << 61),
       "one_hot: an array of shape (4, 2305843009213693952) would be too large");
  SAYS(Generator().uniform({large, large}),
       "uniform: an array of shape (4294967296, 4294967296) would be too large");
  SAYS(Generator().bernoulli({1l << 61}, .5),
       "bernoulli: an array of shape (2305843009213693952,) would be too large");
  SAYS(Generator().integers({1l << 61}, 0, 2),
       "integers: an array of shape (2305843009213693952,) would be too large");
  SAYS(Generator().normal({large, large}),
       "normal: an array of shape (4294967296, 4294967296) would be too large");
  SAYS((Shape{large, large}.size()),
       "shape: (4294967296, 4294967296) has more elements than a long can hold");
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
       "pad: (9223372036854775807, 9223372036854775807) is too large for shape (3,)");
  SAYS(pad(f64({3, 3}), {{large, 0}, {large, 0}}),
       "pad: an array of shape (4294967299, 4294967299) would be too large");
  SAYS(split(f64({3}), {LONG_MAX, LONG_MAX, 5}),
       "split: the lengths add up to more than axis 0 of shape (3,) has");
  SAYS(matmul(repeated({large, 1}), repeated({1, large})),
       "matmul: an array of shape (4294967296, 4294967296) would be too large");
  SAYS(one_hot(zeros({4}, DType::i64), LONG_MAX),
       "one_hot: an array of shape (4, 9223372036854775807) would be too large");
  SAYS(one_hot(zeros({0}, DType::i64), -1), "one_hot: the number of classes -1 is negative");
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

TEST_CASE("sizes: an empty array of long axes takes no time and no memory", "[ops][sizes]") {
  constexpr long n = 1l << 50;
  const MemoryLimit limit(1l << 30);
  const Variable rows(zeros({n, 0}), requires_grad), columns(zeros({0, n}), requires_grad);
  const Array first = zeros({1}, DType::i64), none({n, 0}, DType::i64);
  const auto is_empty = [](const Variable& y, const Variable& x) {
    CHECK(y.size() == 0);
    if (y.requires_grad()) CHECK(grad(y, {x})[0].shape() == x.shape());
  };
  for (const Variable& x : {rows, columns}) {
    const int along = x.shape()[0] ? 0 : 1;  // the axis that is long
    is_empty(cumsum(x, 0), x);
    is_empty(cumsum(x, 1), x);
    is_empty(take(x, first, along), x);
    is_empty(take(x, zeros({0}, DType::i64), 1 - along), x);
    is_empty(gather(x, along, Array(x.shape(), DType::i64)), x);
    is_empty(gather(x, 1 - along, Array(x.shape(), DType::i64)), x);
    is_empty(scatter_add(x, along, Array(x.shape(), DType::i64), x), x);
    is_empty(softmax(x, along), x);
    is_empty(logsumexp(x, Axes(along)), x);
    is_empty(sum(x, along), x);
    is_empty(prod(x, along), x);
    is_empty(x * 2 + x, x);
    is_empty(transpose(flip(x)), x);
    is_empty(pad(slice(x, along, 1, n, 3), {{0, 0}, {0, 0}}), x);
    is_empty(concat({x, x}, along), x);
    is_empty(stack({x, x}, 0), x);
    is_empty(broadcast_to(unsqueeze(x, 0), {2, x.shape()[0], x.shape()[1]}), x);
    is_empty(layer_norm(unsqueeze(x, 2), Variable(ones({1}))), x);
    is_empty(dropout(x, .5), x);
    CHECK(argmax(x, along).size() == 0);
    CHECK((x < 1).size() == 0);
  }
  is_empty(embedding(rows, first), rows);
  is_empty(take(Variable(zeros({n, 3, 0})), first, 1), {});
  is_empty(scatter_add(columns, 1, zeros({0, 2}, DType::i64), Variable(zeros({0, 2}))), columns);
  is_empty(matmul(rows, Variable(zeros({0, 0}))), rows);
  is_empty(matmul(reshape(rows, {n, 0, 1}), Variable(zeros({1, 0}))), rows);
  is_empty(linear(rows, Variable(zeros({0, 0}))), rows);
  CHECK(one_hot(none, 1).size() == 0);
}

TEST_CASE("sizes: empty images, empty kernels and their windows take no time", "[ops][sizes]") {
  constexpr long n = 1l << 44;
  const MemoryLimit limit(1l << 30);
  const auto works = [](const Shape& shape, auto f) {
    const Variable x(zeros(shape), requires_grad), y = f(x);
    CHECK(grad(y, {x})[0].shape() == shape);
  };
  for (const Shape& shape : {Shape{n, 0, 3, 3}, Shape{0, n, 3, 3}, Shape{0, 1, 1l << 28, 3}}) {
    const long taps = shape[2] > 3 ? 1l << 22 : 2;
    works(shape, [](auto& x) { return max_pool2d(x, 2, {.stride = 1}); });
    works(shape, [=](auto& x) { return avg_pool2d(x, {taps, 1}, {.stride = 1}); });
    works(shape, [](auto& x) { return unfold(x, 2); });
  }
  works({n, 0, 1}, [](auto& x) { return fold(x, 1, 1); });
  works({0, 0, 3, 3}, [](auto& w) { return conv2d(Variable(zeros({n, 0, 5, 5})), w); });
  works({n, 0, 5, 5}, [](auto& x) { return conv2d(x, Variable(zeros({0, 0, 3, 3}))); });
  works({0, 0, 3, 3}, [](auto& w) { return conv_transpose2d(Variable(zeros({n, 0, 5, 5})), w); });
  works({0, 1, 1, 1}, [](auto& w) { return conv2d(f32({1, 1, 1, 1}), w, {}, {.padding = 1l << 24}); });
}

TEST_CASE("sizes: pooling by windows that are much longer than the image", "[ops][sizes]") {
  constexpr long many = 1l << 24;
  const MemoryLimit limit(1l << 30);
  const auto check = [](const Variable& y, const Variable& x, double value, double slope) {
    for (double v : values(y)) CHECK(v == value);
    for (double v : values(grad(y, {x})[0])) CHECK(v == slope);
  };
  for (long taps : {many, many << 16}) {
    const Variable x(ones({1, 1, 1, 1}, DType::f64), requires_grad);
    check(avg_pool2d(x, {taps, 1}, {.padding = {taps / 2, 0}}), x, 1. / double(taps), 1. / double(taps));
    check(max_pool2d(x, {taps, 1}, {.padding = {taps / 2, 0}}), x, 1, 1);
    // Windows of one column: from row -taps / 2 on, and the next, each of which has both rows.
    const Variable tall(ones({1, 1, 2, 3}, DType::f64), requires_grad);
    const Variable y = avg_pool2d(tall, {taps, 1}, {.stride = {1, 1}, .padding = {taps / 2, 0}});
    CHECK(y.shape() == Shape{1, 1, 3, 3});
    check(y, tall, 2. / double(taps), 3. / double(taps));
  }
}

}  // namespace xgrad::tests
