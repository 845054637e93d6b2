// Every integer argument of the operations, of arrays and of generators at the ends of its range.
#include "tests/integers.hpp"
#include <xgrad/core/array/random.hpp>
#include <xgrad/ops/ops.hpp>

namespace xgrad::tests {
namespace {

Variable f64(const Shape& shape) { return Variable(ones(shape, DType::f64)); }
Array zeros_i64(const Shape& shape) { return zeros(shape, DType::i64); }

using V = const Variable&;

}  // namespace

TEST_CASE("integers: axes", "[ops][integers]") {
  const std::pair<const char*, std::function<Variable(V, int)>> ops[] = {
      {"sum", [](V x, int n) { return sum(x, n); }},
      {"mean", [](V x, int n) { return mean(x, n); }},
      {"var", [](V x, int n) { return var(x, n); }},
      {"max", [](V x, int n) { return max(x, n); }},
      {"min", [](V x, int n) { return min(x, n); }},
      {"prod", [](V x, int n) { return prod(x, n); }},
      {"logsumexp",
       [](V x, int n) {
         return logsumexp(x, {0, n});
       }},
      {"cumsum", [](V x, int n) { return cumsum(x, n); }},
      {"argmax", [](V x, int n) { return Variable(argmax(x, n)); }},
      {"softmax", [](V x, int n) { return softmax(x, n); }},
      {"log_softmax", [](V x, int n) { return log_softmax(x, n); }},
      {"flatten", [](V x, int n) { return flatten(x, n); }},
      {"transpose",
       [](V x, int n) {
         return transpose(x, {n, 0, 1});
       }},
      {"squeeze", [](V x, int n) { return squeeze(x, n); }},
      {"unsqueeze", [](V x, int n) { return unsqueeze(x, n); }},
      {"concat",
       [](V x, int n) {
         return concat({x, x}, n);
       }},
      {"stack", [](V x, int n) { return stack({x, x}, n); }},
      {"split", [](V x, int n) { return split(x, {1, 1}, n)[0]; }},
      {"slice", [](V x, int n) { return slice(x, n, 0, 1); }},
      {"flip", [](V x, int n) { return flip(x, n); }},
      {"gather", [](V x, int n) { return gather(x, n, zeros_i64({1, 1, 1})); }},
      {"scatter_add", [](V x, int n) { return scatter_add(x, n, zeros_i64({1, 1, 1}), f64({1, 1, 1})); }},
      {"take", [](V x, int n) { return take(x, zeros_i64({3}), n); }},
      {"dim", [](V x, int n) { return x * double(x.dim(n)); }}};
  for (auto& [name, op] : ops)
    try_op(name, {2, 1, 3}, [&op = op](V x, long n) { return op(x, static_cast<int>(n)); });
}

TEST_CASE("integers: shapes and positions", "[ops][integers]") {
  try_op("reshape", {4}, [](V x, long n) { return reshape(x, {n}); });
  try_op("reshape", {4}, [](V x, long n) { return reshape(x, {n, 4}); });
  try_op("reshape", {4}, [](V x, long n) { return reshape(x, {n, n, -1}); });
  try_op("reshape", {0, 4}, [](V x, long n) { return reshape(x, {0, n, n}); });
  try_op("broadcast_to", {1}, [](V x, long n) { return broadcast_to(x, {n}); });
  try_op("broadcast_to", {1, 1}, [](V x, long n) { return broadcast_to(x, {n, n}); });
  try_op("sum_to", {3}, [](V x, long n) { return sum_to(x, {n}); });
  try_op("split", {4}, [](V x, long n) { return split(x, {n, 4})[0]; });
  try_op("split", {4}, [](V x, long n) { return split(x, {n, n, 4, n, n})[2]; });
  try_op("slice", {5}, [](V x, long n) { return slice(x, 0, n, 4); });
  try_op("slice", {5}, [](V x, long n) { return slice(x, 0, 1, n); });
  try_op("slice", {5, 2}, [](V x, long n) { return slice(x, 0, 1, 4, n); });
  try_op("slice", {0, 2}, [](V x, long n) { return slice(x, 0, n, n, n); });
  try_op("pad", {3, 2}, [](V x, long n) { return pad(x, {{n, 0}}); });
  try_op("pad", {3, 2}, [](V x, long n) { return pad(x, {{0, n}, {n, 0}}); });
  try_op("pad", {3, 2}, [](V x, long n) { return pad(x, {{n, n}, {n, n}}); });
  try_op("pad", {3, 0}, [](V x, long n) { return pad(x, {{n, n}, {0, 0}}); });
  try_op("one_hot", {1}, [](V, long n) { return Variable(one_hot(zeros_i64({2, 3}), n)); });
  try_op("one_hot", {1}, [](V, long n) { return Variable(one_hot(zeros_i64({0}), n, DType::u8)); });
  try_op("take", {2}, [](V x, long n) { return take(x, array<std::int64_t>({0, n})); });
  try_op("gather", {2}, [](V x, long n) { return gather(x, 0, array<std::int64_t>({n, 1})); });
  try_op("scatter_add", {2}, [](V x, long n) {
    return scatter_add(x, 0, array<std::int64_t>({n, 1}), f64({2}));
  });
  try_op("embedding", {2, 2}, [](V x, long n) { return embedding(x, array<std::int64_t>({n})); });
  try_op("one_hot", {1}, [](V, long n) { return Variable(one_hot(array<std::int64_t>({n}), 2)); });
  try_op("cross_entropy", {1, 2}, [](V x, long n) { return cross_entropy(x, array<std::int64_t>({n})); });
  try_op("nll_loss", {1, 2}, [](V x, long n) { return nll_loss(x, array<std::int64_t>({n})); });
}

TEST_CASE("integers: what is broadcast, joined or multiplied", "[ops][integers]") {
  auto repeated = [](const Shape& shape) { return broadcast_to(Variable(ones({1}, DType::f64)), shape); };
  try_op("add", {1, 1}, [&](V x, long n) { return add(broadcast_to(x, {n, 1}), repeated({1, n})); });
  try_op("concat", {1}, [&](V x, long n) { return concat({x, repeated({n}), repeated({n})}); });
  try_op("stack", {1}, [&](V x, long n) { return stack({broadcast_to(x, {n}), repeated({n})}); });
  try_op("matmul", {1, 1}, [&](V x, long n) { return matmul(broadcast_to(x, {n, 1}), repeated({1, n})); });
  try_op("matmul", {1, 1}, [&](V x, long n) { return matmul(broadcast_to(x, {1, n}), repeated({n, 1})); });
  try_op("linear", {1, 1}, [&](V x, long n) { return linear(broadcast_to(x, {n, 1}), repeated({n, 1})); });
  try_op("linear", {1, 0}, [&](V x, long n) {
    return linear(broadcast_to(x, {1, 0}), Variable(zeros({n, 0}, DType::f64)));
  });
  try_op("cast", {1}, [&](V x, long n) { return cast(broadcast_to(x, {n}), DType::f32); });
  try_op("where", {1}, [&](V x, long n) { return where(repeated({n, 1}), x, repeated({1, n})); });
}

namespace {

/// Calls f(options) with n in each place of the geometry, for height, width and both.
template <class Options, class F>
void try_geometry(const char* name, const Shape& shape, std::initializer_list<Pair Options::*> places, F f) {
  for (auto place : places)
    for (int side = 0; side < 3; ++side)
      try_op(name, shape, [&](V x, long n) {
        Options options;
        (options.*place).h = side == 1 ? (options.*place).h : n;
        (options.*place).w = side == 0 ? (options.*place).w : n;
        return f(x, options);
      });
}

}  // namespace

TEST_CASE("integers: the geometry of convolutions", "[ops][integers]") {
  using C = Conv2dOptions;
  using T = ConvTranspose2dOptions;
  for (Pair kernel : {Pair(1), Pair(3, 2)}) {
    const Variable weight(ones({4, 2, kernel.h, kernel.w}, DType::f64), requires_grad);
    try_geometry<C>("conv2d", {1, 2, 5, 4}, {&C::stride, &C::padding, &C::dilation},
                    [&](V x, const C& o) { return conv2d(x, weight, {}, o); });
    try_op("conv2d", {1, 2, 5, 4}, [&](V x, long n) { return conv2d(x, weight, {}, {.groups = n}); });
    try_geometry<T>("conv_transpose2d", {1, 4, 3, 1},
                    {&T::stride, &T::padding, &T::dilation, &T::output_padding},
                    [&](V x, const T& o) { return conv_transpose2d(x, weight, {}, o); });
    try_op("conv_transpose2d", {1, 4, 3, 3}, [&](V x, long n) {
      return conv_transpose2d(x, weight, {}, {.output_padding = n / 2, .dilation = n});
    });
    try_op("conv_transpose2d", {1, 4, 3, 3},
           [&](V x, long n) { return conv_transpose2d(x, weight, {}, {.groups = n}); });
  }
  const Variable none(zeros({0, 0, 1, 1}, DType::f64), requires_grad);
  try_op("conv2d", {1, 0, 5, 4}, [&](V x, long n) { return conv2d(x, none, {}, {.groups = n}); });
  const Variable one(ones({1, 1, 1, 1}, DType::f64));
  try_op("conv2d", {1, 1, 5, 4}, [&](V x, long n) { return conv2d(x, broadcast_to(one, {1, 1, n, 1})); });
  try_op("conv2d", {1, 1, 5, 4}, [&](V x, long n) {
    return conv2d(x, Variable(zeros({0, 1, n, 1}, DType::f64)), {}, {.padding = n});
  });
  try_op("conv_transpose2d", {1, 1, 5, 4}, [&](V x, long n) {
    return conv_transpose2d(x, broadcast_to(one, {1, n, 1, n}));
  });
}

TEST_CASE("integers: the geometry of windows", "[ops][integers]") {
  using W = WindowOptions;
  using P = PoolOptions;
  const std::initializer_list<Pair W::*> windows = {&W::stride, &W::padding, &W::dilation};
  for (Pair kernel : {Pair(1), Pair(3, 2)}) {
    try_geometry<W>("unfold", {1, 2, 5, 4}, windows, [&](V x, const W& o) { return unfold(x, kernel, o); });
    try_geometry<W>("fold", {1, 6, 9}, windows, [&](V x, const W& o) { return fold(x, {5, 4}, kernel, o); });
    try_geometry<P>("max_pool2d", {1, 2, 5, 4}, {&P::stride, &P::padding},
                    [&](V x, const P& o) { return max_pool2d(x, kernel, o); });
    try_geometry<P>("avg_pool2d", {1, 2, 5, 4}, {&P::stride, &P::padding},
                    [&](V x, const P& o) { return avg_pool2d(x, kernel, o); });
  }
  for (auto sizes : {+[](long n) { return Pair(n); }, +[](long n) { return Pair(n, 2); },
                     +[](long n) { return Pair(1, n); }}) {
    try_op("unfold", {1, 2, 5, 4}, [&](V x, long n) { return unfold(x, sizes(n)); });
    try_op("unfold", {1, 2, 5, 4}, [&](V x, long n) { return unfold(x, sizes(n), {.padding = n}); });
    try_op("fold", {1, 6, 9}, [&](V x, long n) { return fold(x, {5, 4}, sizes(n)); });
    try_op("fold", {1, 6, 9}, [&](V x, long n) { return fold(x, sizes(n), {3, 2}); });
    try_op("fold", {1, 0, 1}, [&](V x, long n) { return fold(x, sizes(n), sizes(n)); });
    try_op("fold", {1, 1, 0}, [&](V x, long n) { return fold(x, sizes(n), 1); });
    try_op("max_pool2d", {1, 2, 5, 4}, [&](V x, long n) { return max_pool2d(x, sizes(n)); });
    try_op("max_pool2d", {1, 2, 5, 4},
           [&](V x, long n) { return max_pool2d(x, sizes(n), {.padding = n / 2}); });
    try_op("avg_pool2d", {1, 2, 5, 4}, [&](V x, long n) { return avg_pool2d(x, sizes(n)); });
  }
}

TEST_CASE("integers: arrays and random numbers", "[core][integers]") {
  auto all = [](const char* name, const std::function<Array(long)>& f) {
    try_integers(name, [&](long n) { compute(Variable(f(n))); });
  };
  for (DType dtype : {DType::f32, DType::f64, DType::i64, DType::u8}) {
    all("array", [=](long n) { return zeros({n}, dtype); });
    all("array", [=](long n) { return ones({n, n}, dtype); });
    all("array", [=](long n) { return full({0, n, n}, 7, dtype); });
    all("arange", [=](long n) { return arange(n, dtype); });
  }
  all("reshape", [](long n) { return ones({4}).reshape({n, 4}); });
  Generator random(1);
  all("array", [&](long n) { return random.uniform({n, n}); });
  all("array", [&](long n) { return random.normal({2, n}); });
  all("array", [&](long n) { return random.bernoulli({n}, .5); });
  all("array", [&](long n) { return random.integers({n}, 0, 3); });
  auto in = [&](long low, long high) {
    const Array drawn = random.integers({1000}, low, high);
    for (std::int64_t v : drawn.elements<std::int64_t>()) REQUIRE((low <= v && v < high));
  };
  try_integers("integers", [&](long n) { in(n, 0); });
  try_integers("integers", [&](long n) { in(0, n); });
  try_integers("integers", [&](long n) { in(n, LONG_MAX); });
  try_integers("integers", [&](long n) { in(LONG_MIN, n); });
  try_integers("random", [&](long n) {
    const long drawn = random.below(n);
    REQUIRE((0 <= drawn && drawn < n));
  });
  try_integers("permutation", [&](long n) {
    if (n > 1 << 20 && n < 1l << 40) return;  // would take long
    const auto order = random.permutation(n);
    REQUIRE(long(order.size()) == n);
  });
}

}  // namespace xgrad::tests
