// One rule for all inputs, and what is computed again instead of kept.
#include <xgrad/core/tape/recompute.hpp>

#include <xgrad/core/base/memory.hpp>
#include <xgrad/core/tape/gradcheck.hpp>
#include <xgrad/core/tape/mode.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

Variable leaf(std::initializer_list<double> elements) { return Variable(array(elements), requires_grad); }

/// a b exp(a) with one rule, which counts how often it runs.
Variable product(const Variable& a, const Variable& b, int& calls) {
  return record("product", (a * b * exp(a)).data(), {{a}, {b}}, JointRule([=, &calls](auto& gy) {
                  ++calls;
                  const Variable e = exp(a) * gy;
                  return std::vector<Variable>{b * (a + 1) * e, a * e};
                }));
}

}  // namespace

TEST_CASE("tape: a joint rule runs once for all inputs, to any order") {
  int calls = 0;
  const Variable a = leaf({.5, -1}), b = leaf({2, 3});
  const auto ours = grad(product(a, b, calls), {a, b}), theirs = grad(a * b * exp(a), {a, b});
  CHECK(calls == 1);
  for (int i = 0; i < 2; ++i)
    CHECK(values(ours[std::size_t(i)].data()) == values(theirs[std::size_t(i)].data()));
  auto f = [&](const std::vector<Variable>& in) { return product(in[0], in[1], calls); };
  CHECK(gradcheck(f, {a.data(), b.data()}).passed);
  calls = 0;  // only what is wanted, and what wants a gradient
  CHECK(grad(product(a, b.detach(), calls), {a})[0].size() == 2);
  CHECK(grad(product(a, b, calls), {b})[0].size() == 2);
  CHECK(calls == 2);
  product(a.detach(), b.detach(), calls);
  CHECK(calls == 2);
}

TEST_CASE("tape: a joint rule that asks for the result has it") {
  const Variable a = leaf({1, 2}), b = leaf({3, 4});
  const Variable y = record("exp(a + b)", exp(a + b).data(), {{a}, {b}}, JointRule([](auto& gy, auto& y) {
                              return std::vector<Variable>{gy * y, gy * y};
                            }));
  CHECK(values(grad(y, {b})[0].data()) == values(exp(a + b).data()));
}

TEST_CASE("tape: a joint rule says what is wrong with it") {
  const Variable a = leaf({1}), b = leaf({2});
  const Variable y =
      record("f", a.data(), {{a}, {b}}, JointRule([](auto& gy) { return std::vector<Variable>{gy}; }));
  CHECK_THROWS_WITH(grad(y, {a}), "f: the joint rule returned 1 gradients for 2 inputs");
  const Variable z = record("f", a.data(), {{a}, {b}}, JointRule([](auto& gy) {
                              return std::vector<Variable>{gy, {}};
                            }));
  CHECK_THROWS_WITH(grad(z, {b}), "f: a rule returned no gradient");
  CHECK_THROWS_WITH(record("f", a.data(), {{a, [](auto& gy) { return gy; }}},
                           JointRule([](auto& gy) { return std::vector<Variable>{gy}; })),
                    "f: an input has a rule of its own beside the joint one");
}

TEST_CASE("grad: of what is linear twice, zeros") {
  const Variable x = leaf({1, 2});
  const Variable g = grad(x * 3, {x}, {.create_graph = true})[0];
  CHECK(values(grad(g, {x})[0].data()) == std::vector<double>{0, 0});
  CHECK_THROWS_WITH(grad(g, {x.detach()}, {.allow_constants = true}),
                    "grad: the result depends on nothing that requires a gradient");
}

TEST_CASE("checkpoint: the values and gradients of the function itself, to second order") {
  const Variable a = leaf({.5, -1, 2}), b = leaf({2, 3, .25}), captured = leaf({1, -2, .5});
  const Variable between = tanh(captured);  // has a history
  auto f = [&](const Variable& x, const Variable& y) { return exp(x * between) * tanh(y) + captured * x; };
  auto again = [&](const std::vector<Variable>& in) { return checkpoint(f, in[0], in[1]); };
  CHECK(values(again({a, b}).data()) == values(f(a, b).data()));
  const std::vector<Variable> all{a, b, captured, between};
  const auto ours = grad(square(checkpoint(f, a, b)), all), theirs = grad(square(f(a, b)), all);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(values(ours[i].data()) == values(theirs[i].data()));
  CHECK(gradcheck(again, {a.data(), b.data()}).passed);
  auto twice = [&](const Variable& y) {  // also with respect to what f refers to
    const Variable g = grad(y, {captured}, {.create_graph = true})[0];
    return values(grad(g * g, {captured})[0].data());
  };
  const auto second = twice(checkpoint(f, a, b)), expected = twice(f(a, b));
  for (std::size_t i = 0; i < 3; ++i) CHECK(second[i] == Approx(expected[i]).epsilon(1e-13));
}

TEST_CASE("checkpoint: within a checkpoint, and of a checkpoint") {
  const Variable x = leaf({.5, -1});
  auto inner = [](const Variable& v) { return exp(tanh(v)); };
  auto outer = [&](const Variable& v) { return checkpoint(inner, v * 2) * v; };
  auto plain = [&](const Variable& v) { return inner(v * 2) * v; };
  CHECK(values(grad(checkpoint(outer, checkpoint(outer, x)), {x})[0].data()) ==
        values(grad(plain(plain(x)), {x})[0].data()));
}

TEST_CASE("checkpoint: what is computed is kept once, then dropped") {
  const Variable x(zeros({1 << 16}), requires_grad);
  auto chain = [](Variable v) {
    for (int i = 0; i < 20; ++i) {
      v = sin(v);
      evaluate(v.data());
    }
    return v;
  };
  auto kept = [&](auto f) {
    const long before = long(memory::in_use());
    const Variable y = f();
    return (long(memory::in_use()) - before) / (4 << 16);
  };
  CHECK(kept([&] { return chain(x); }) >= 20);
  CHECK(kept([&] { return checkpoint(chain, x); }) == 1);
}

TEST_CASE("checkpoint: dropout draws its mask again, batch statistics are counted once, hooks run once") {
  struct Net {
    Linear a{4, 8};
    BatchNorm norm{8};
    Dropout dropout{.p = .5};
    Linear b{8, 3};
    Variable operator()(const Variable& x) const { return b(dropout(relu(norm(a(x))))); }
  };
  manual_seed(1);
  const Variable x(default_generator().normal({16, 4}), requires_grad);
  Net plain, again = plain;
  int hooks = 0;
  again.a.weight.register_hook([&](const Variable&) { return ++hooks, Variable(); });
  auto gradient = [&](const Variable& parameter, auto forward) {
    manual_seed(2);
    const Variable y = forward();
    const auto drawn = default_generator().position();
    Variable(x).clear_grad();
    sum(square(y)).backward();
    CHECK(default_generator().position() == drawn);
    CHECK_FALSE(recomputing());
    return std::pair(values(x.grad()), values(parameter.grad()));
  };
  const auto expected = gradient(plain.a.weight, [&] { return plain(x); });
  const auto recomputed = gradient(again.a.weight, [&] { return checkpoint(std::cref(again), x); });
  CHECK(recomputed.first == expected.first);
  CHECK(recomputed.second == expected.second);
  CHECK(hooks == 1);
  CHECK(values(again.norm.running_mean.value) == values(plain.norm.running_mean.value));
  CHECK(values(again.norm.running_var.value) == values(plain.norm.running_var.value));
}

TEST_CASE("checkpoint: evaluation stays evaluation, without recording nothing is kept") {
  Dropout dropout{.p = .5};
  const Variable x = leaf({1, 2, 3});
  Variable y;
  {
    EvalMode eval;
    y = checkpoint([&](const Variable& v) { return dropout(v) * v; }, x);
  }
  CHECK(values(grad(y, {x})[0].data()) == std::vector<double>{2, 4, 6});
  NoGrad off;
  CHECK_FALSE(checkpoint([](const Variable& v) { return v * 2; }, x).requires_grad());
}

TEST_CASE("checkpoint: what cannot be computed again is an error, and nothing is half done") {
  Variable x = leaf({1, 2}), w = leaf({3, 4});
  auto f = [&](const Variable& v) { return exp(v * w); };
  const Variable y = checkpoint(f, x);
  w.set_data(array<double>({5, 6}));
  CHECK_THROWS_WITH(y.backward(), Catch::Contains("written to after checkpoint used it"));
  CHECK_FALSE(x.grad().defined());
  int runs = 0;
  const Variable other = checkpoint([&](const Variable& v) { return ++runs == 1 ? v * 2 : sum(v); }, x);
  CHECK_THROWS_WITH(other.backward(),
                    Catch::Contains("checkpoint: the function gave a result of shape (2,) at first"));
  const Variable third = checkpoint(
      [&](const Variable& v) {
        if (++runs > 3) throw Error("stop");
        return v * 2;
      },
      x);
  CHECK_THROWS_WITH(third.backward(), "stop");
  CHECK_FALSE(recomputing());
  CHECK(training());
}
