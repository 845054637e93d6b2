// Operands of different dtypes, and elements of every width through what only moves them.
#include <xgrad/core/array/random.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

namespace xgrad::tests {
namespace {

using V = std::vector<double>;

/// Small integers, which every dtype but bool can hold.
Array numbers(const Shape& shape, DType dtype) {
  return Generator(7).integers(shape, 0, dtype == DType::boolean ? 2 : 100).cast(dtype);
}

}  // namespace

TEST_CASE("dtypes: operands promote, and gradients return in the dtype of each", "[ops][dtype]") {
  const Variable f(array<float>({1, 2}), requires_grad), d(array<double>({3, .1}), requires_grad);
  const Variable y = f * d;
  CHECK(y.dtype() == DType::f64);
  CHECK(values(y) == V{3, 2 * .1});
  const auto g = grad(y, {f, d}, {.create_graph = true});
  CHECK(g[0].dtype() == DType::f32);
  CHECK(values(g[0]) == V{3, double(.1f)});
  CHECK(g[1].dtype() == DType::f64);
  CHECK(values(g[1]) == V{1, 2});
  CHECK(values(grad(g[0], {d})[0]) == V{1, 1});

  const Variable i(array<std::int64_t>({2, 3})), small(array<std::uint8_t>({200, 100})),
      mask(array<bool>({true, false}));
  CHECK(values(f * i) == V{2, 6});
  CHECK((f * i).dtype() == DType::f32);
  CHECK(values(small + small) == V{400, 200});  // computed in i64: nothing wraps
  CHECK(values(mask + mask) == V{2, 0});
  CHECK(error_of([&] { small * .5; }) == "mul: i64 cannot hold 0.5; cast the array first");
}

TEST_CASE("dtypes: numbers of 16 bits are stored, and carry gradients in f32", "[ops][dtype]") {
  for (DType half : {DType::f16, DType::bf16}) {
    const Variable x(array<float>({1.0001f, 3}), requires_grad);
    const Variable h = cast(x, half), y = square(h);
    CHECK(h.dtype() == half);
    CHECK(values(h) == V{1, 3});
    CHECK(y.dtype() == DType::f32);
    CHECK(values(y) == V{1, 9});
    const auto g = grad(sum(y), {x, h});
    CHECK(values(g[0]) == V{2, 6});
    CHECK(g[0].dtype() == DType::f32);
    CHECK(g[1].dtype() == DType::f32);
    CHECK(sum(h).dtype() == DType::f32);
    CHECK(sum(h).item() == 4);
    CHECK(mean(h).item() == 2);
    CHECK(error_of([&] { Variable(h.data(), requires_grad); }) ==
          fmt::format("requires_grad: {} cannot have a gradient; use f32 or f64", half));
    CHECK(error_of([&] {
            softmax(cast(Variable(ones({2, 2})), half));
          }) == fmt::format("softmax: not defined for {}; cast to f32 or f64 first", half));
  }
  CHECK(values(cast(Variable(array<float>({65504, 65520})), DType::f16)) == V{65504, INFINITY});
}

TEST_CASE("dtypes: comparisons give bool, which counts, selects and multiplies", "[ops][dtype]") {
  const Variable x(Generator(3).uniform({300, 70}, -1, 1)), positive = x > 0;
  CHECK(positive.dtype() == DType::boolean);
  CHECK(positive.data().byte_size() == 300 * 70);
  const long count = long(std::count_if(x.data().elements<float>().begin(), x.data().elements<float>().end(),
                                        [](float v) { return v > 0; }));
  CHECK(sum(x > 0).dtype() == DType::i64);
  CHECK(sum(x > 0).item() == double(count));
  CHECK(sum(positive, 0).shape() == Shape{70});
  CHECK(same_bits((x * (x > 0)).data(), where(positive, x, 0 * x).data()));
  CHECK(max(positive).item() == 1);
  CHECK(min(positive).item() == 0);
  CHECK(argmax(positive, 1).dtype() == DType::i64);
  CHECK(values(cumsum(Variable(array<bool>({true, true, false, true})), 0)) == V{1, 2, 2, 3});
  CHECK(where(positive, positive, positive).dtype() == DType::boolean);
  CHECK((where(positive, 1, 0) + x).dtype() == DType::f32);
  CHECK(error_of([&] { mean(positive); }) == "mean: not defined for bool; cast to f32 or f64 first");
  CHECK(error_of([&] { exp(positive); }) == "exp: not defined for bool; cast to f32 or f64 first");
}

TEST_CASE("dtypes: elements of every width are moved unchanged", "[ops][dtype]") {
  for (DType dtype : all_dtypes) {
    INFO(name(dtype));
    const Array a = numbers({3, 5, 40}, dtype), wide = a.cast(DType::f64),
                index(array<std::int64_t>({2, 0, 2}));
    const Variable x(a), w(wide);
    auto check = [&](auto f) {
      const Variable moved = f(x), want = f(w);
      CHECK(moved.dtype() == dtype);
      CHECK(same_bits(moved.data(), want.data().cast(dtype)));
    };
    CHECK(same_bits(a.copy(), a));
    check([](auto& v) { return slice(v, 2, 1, 38, 3); });
    check([](auto& v) { return slice(v, 0, 2, 3); });
    check([](auto& v) { return flip(v, {0, 2}); });
    check([](auto& v) { return transpose(v, {2, 0, 1}); });
    check([](auto& v) { return transpose(v, {0, 2, 1}); });
    check([](auto& v) { return reshape(v, {15, 40}); });
    check([](auto& v) { return concat({v, v, flip(v, 1)}, 1); });
    check([](auto& v) { return stack({v, v}, 2); });
    check([](auto& v) { return split(v, {10, 30}, 2)[1]; });
    check([](auto& v) { return pad(v, {{1, 2}, {0, 1}}, 1); });
    check([](auto& v) { return pad(v, {{1, 2}}); });
    check([](auto& v) { return broadcast_to(slice(v, 0, 0, 1), {3, 5, 40}); });
    check([&](auto& v) { return take(v, index, 0); });
    check([&](auto& v) { return embedding(reshape(v, {15, 40}), index); });
    check([&](auto& v) { return gather(v, 1, Generator(5).integers({3, 2, 40}, 0, 5)); });
    check([](auto& v) { return where(Variable(ones({40})), v, v); });
    CHECK(same_bits(one_hot(index, 3, dtype), one_hot(index, 3, DType::f64).cast(dtype)));
    CHECK(same_bits(zeros({7}, dtype), zeros({7}, DType::f64).cast(dtype)));
    CHECK(same_bits(full({7}, 1, dtype), ones({7}, DType::f64).cast(dtype)));
    CHECK(same_bits(arange(2, dtype), arange(2, DType::f64).cast(dtype)));
    CHECK(full({}, 1, dtype).item() == 1);
  }
}

TEST_CASE("dtypes: arrays that are joined are promoted, numbers adapt", "[ops][dtype]") {
  const Variable f(array<float>({1, 2})), i(array<std::int64_t>({3})), h = cast(f, DType::f16);
  CHECK(concat({f, i}).dtype() == DType::f32);
  CHECK(values(concat({f, i})) == V{1, 2, 3});
  CHECK(concat({h, h}).dtype() == DType::f16);
  CHECK(concat({h, f}).dtype() == DType::f32);
  CHECK(stack({f, cast(f, DType::f64)}).dtype() == DType::f64);
  const Variable x(array<float>({1, 2}), requires_grad);
  const auto g = grad(sum(concat({x, Variable(array<double>({4}))}) * 3), {x});
  CHECK(g[0].dtype() == DType::f32);
  CHECK(values(g[0]) == V{3, 3});
}

TEST_CASE("dtypes: indices and labels may be integers of any type", "[ops][dtype]") {
  const Variable x(Generator(1).uniform({4, 3}, -1, 1));
  const Array labels(array<std::int64_t>({2, 0, 1, 1}));
  for (DType dtype : {DType::i64, DType::i32, DType::u8}) {
    CHECK(same_bits(take(x, labels.cast(dtype), 1).data(), take(x, labels, 1).data()));
    CHECK(cross_entropy(x, labels.cast(dtype)).item() == cross_entropy(x, labels).item());
    CHECK(same_bits(one_hot(labels.cast(dtype), 3), one_hot(labels, 3)));
  }
  CHECK(error_of([&] { take(x, labels.cast(DType::boolean), 1); }) ==
        "take: indices must be integers, not bool");
  CHECK(error_of([&] { take(x, labels.cast(DType::f32), 1); }) == "take: indices must be integers, not f32");
}

}  // namespace xgrad::tests
