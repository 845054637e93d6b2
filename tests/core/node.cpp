// The lives of nodes: none is left over, and activations go as soon as nobody can ask for them.
#include <xgrad/core/tape/node.hpp>

#include <xgrad/core/base/memory.hpp>
#include <xgrad/core/tape/tape.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

constexpr long length = 100'000;
constexpr std::size_t block = 106'496 * 8;  // what the pool hands out for so many numbers of f64

Variable large() { return Variable(full({length}, .5, DType::f64), requires_grad); }
/// Computed now, so that memory shows it.
Variable now(Variable x) { return x.data().bytes(), x; }
double blocks_since(std::size_t before) { return double(memory::in_use() - before) / double(block); }

}  // namespace

TEST_CASE("node: a graph goes with its last handle") {
  const long before = live_nodes();
  {
    const Variable x(zeros({2}), requires_grad);
    CHECK(live_nodes() == before + 1);
    Variable y = sum(tanh(x * x) + 1);
    CHECK(live_nodes() > before + 3);
    y = Variable();
    CHECK(live_nodes() == before + 1);
    y = x * 2;
    Variable z = y * 3;
    y = Variable();
    z.backward();
    CHECK(live_nodes() <= before + 5);  // x, y, z and two numbers
  }
  CHECK(live_nodes() == before);
}

TEST_CASE("node: none is left after backward and grad, of any order") {
  const long before = live_nodes();
  {
    Variable x(array<double>({.1, .2}), requires_grad);
    {
      const Variable y = sum(exp(x) * x);
      const long built = live_nodes();
      y.backward();
      CHECK(live_nodes() == built);
      grad(y, {x});
      CHECK(live_nodes() == built);
      {
        const Variable g = grad(y, {x}, {.create_graph = true})[0];
        CHECK(live_nodes() > built);
        grad(g, {x}, {.create_graph = true});
        sum(g).backward();
      }
      CHECK(live_nodes() == built);
    }
    CHECK(live_nodes() == before + 1);
  }
  CHECK(live_nodes() == before);
}

TEST_CASE("node: none is left after an exception in a rule, or in a hook") {
  const long before = live_nodes();
  for (const bool create_graph : {false, true}) {
    Variable x(array<double>({1, 2}), requires_grad);
    Variable h = record("bad", (x * 2).data(),
                        {{x, [](auto& gy, auto& y) -> Variable { fail("bad: {}", (gy * y).shape()); }}});
    {
      const Variable y = tanh(h) * x;
      const long built = live_nodes();
      CHECK(error_of([&] { grad(y, {x}, {.create_graph = create_graph}); }) == "bad: (2,)");
      CHECK(error_of([&] { y.backward(); }) == "bad: (2,)");
      CHECK(live_nodes() == built);
      CHECK(recording());
      CHECK(running_rule == nullptr);
      NoGrad off;
      CHECK(error_of([&] { grad(y, {x}, {.create_graph = create_graph}); }) == "bad: (2,)");
      CHECK_FALSE(recording());
    }
    Variable z = x * 2;
    z.register_hook([](auto&) -> Variable { fail("hook fails"); });
    CHECK(error_of([&] { grad(z, {x}, {.create_graph = create_graph}); }) == "hook fails");
    CHECK(recording());
  }
  CHECK(live_nodes() == before);
}

TEST_CASE("node: a rule that takes the result makes no cycle, and neither does a hook that holds its input") {
  const long before = live_nodes();
  {
    const Variable x(array<double>({1, 2}), requires_grad);
    Variable y = exp(sqrt(x));
    y.register_hook([x](const Variable& g) { return g * x; });
    y = grad(y, {x}, {.create_graph = true})[0];
    y.backward();
  }
  CHECK(live_nodes() == before);
}

TEST_CASE("node: data that no rule needs goes with the last handle") {
  const std::size_t before = memory::in_use();
  const Variable x = large();
  CHECK(blocks_since(before) == 1);
  {
    Variable h = now(x * 2);  // + 1, needed by none: sin keeps its input, here 3 h
    CHECK(blocks_since(before) == 2);
    Variable y = now(h + 1);
    CHECK(blocks_since(before) == 3);
    h = Variable();
    CHECK(blocks_since(before) == 2);
    Variable z = now(y * 3);
    y = Variable();
    CHECK(blocks_since(before) == 2);
    CHECK(grad(z, {x})[0].item(length - 1) == 6);
  }
  CHECK(blocks_since(before) == 1);
}

TEST_CASE("node: what a rule needs stays: captured inputs, and results that it asks for") {
  const std::size_t before = memory::in_use();
  const Variable x = large();
  {
    Variable h = now(x * 2), y = now(square(h));
    h = Variable();
    CHECK(blocks_since(before) == 3);  // square needs h
    CHECK(grad(y, {x})[0].item(0) == 4);
  }
  {
    Variable h = now(exp(x)), y = now(h * 2);
    h = Variable();
    CHECK(blocks_since(before) == 3);  // exp needs its result
    y = Variable();
    CHECK(blocks_since(before) == 1);
  }
  {
    const Variable constant(full({length}, 3, DType::f64));
    Variable h = now(constant * 2), y = now(h + x);
    h = Variable();
    CHECK(blocks_since(before) == 3);  // x, constant, y
  }
  {
    NoGrad off;
    Variable h = now(exp(x)), y = now(square(h));
    h = Variable();
    CHECK(blocks_since(before) == 2);
  }
  CHECK(blocks_since(before) == 1);
}

TEST_CASE("node: chains that wait take no memory but that of their ends") {
  const std::size_t before = memory::in_use();
  const Variable x = large();
  Variable y = x * 2;
  for (int i = 0; i < 20; ++i) y = y + 1;
  CHECK(blocks_since(before) == 1);
  evaluate(y.data());
  CHECK(blocks_since(before) == 2);
}

TEST_CASE("node: backward needs few gradients at a time, and keeps those of leaves only") {
  Variable x = large();
  Variable y = x;
  for (int i = 0; i < 30; ++i) y = now(y * 1.5);
  const std::size_t before = memory::in_use();
  memory::reset_peak();
  y.backward();
  CHECK(double(memory::peak() - before) <= 4. * block);
  CHECK(blocks_since(before) == 1);
}

TEST_CASE("node: gradients are computed when backward returns, so that they hold no activations") {
  Variable x = large();
  const std::size_t before = memory::in_use();
  sum(exp(x) * 3).backward();
  CHECK(is_ready(x.grad()));
  CHECK(blocks_since(before) == 1);
}
