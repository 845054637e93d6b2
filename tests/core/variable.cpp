// Variables: handles, leaves and constants, detaching, replacing data, hooks and when they run, names,
// NoGrad.
#include <xgrad/core/tape/variable.hpp>

#include <xgrad/core/tape/tape.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

TEST_CASE("variable: copies are handles to one node") {
  Variable x(array<double>({1, 2}), requires_grad), same = x;
  CHECK(same.node() == x.node());
  same.mutable_data().mutable_data<double>()[0] = 5;
  CHECK(x.data().data<double>()[0] == 5);
  sum(x * x).backward();
  CHECK(values(same.grad()) == std::vector<double>{10, 4});
  Variable moved = std::move(same);
  CHECK_FALSE(same.defined());
  CHECK(moved.node() == x.node());
}

TEST_CASE("variable: an empty one says so") {
  const Variable none;
  CHECK_FALSE(none.defined());
  CHECK(error_of([&] { none.data(); }) == "variable: it is undefined");
  CHECK(error_of([&] { none.shape(); }) == "variable: it is undefined");
  CHECK(error_of([&] { none.requires_grad(); }) == "variable: it is undefined");
  CHECK(error_of([&] { none + 1; }) == "add: operand 1 is undefined");
  CHECK(error_of([] { Variable{Array()}; }) == "array: it is undefined");
  CHECK(error_of([&] { none.backward(); }) ==
        "backward: the result depends on nothing that requires a gradient");
  CHECK(error_of([&] { graphviz(none); }) == "graphviz: the Variable is undefined");
}

TEST_CASE("variable: what can require a gradient") {
  Variable x(zeros({2}));
  CHECK_FALSE(x.requires_grad());
  x.set_requires_grad(true);
  CHECK(x.requires_grad());
  Variable y = x * 2;
  CHECK(y.requires_grad());
  CHECK(y.op() == std::string("mul"));
  CHECK(x.op() == std::string());
  CHECK(error_of([&] { y.set_requires_grad(false); }) ==
        "set_requires_grad: this Variable is the result of mul; only leaves can be set");
  CHECK(error_of([] { Variable(arange(3), requires_grad); }) ==
        "requires_grad: i64 cannot have a gradient; use f32 or f64");
  CHECK(error_of([] { Variable(zeros({2}, DType::u8)).set_requires_grad(true); }) ==
        "requires_grad: u8 cannot have a gradient; use f32 or f64");
  x.set_requires_grad(false);
  CHECK_FALSE((x * 2).requires_grad());
}

TEST_CASE("variable: detach shares the data and knows no history") {
  Variable x(full({20}, 3, DType::f64), requires_grad);
  const Variable y = x * x;
  Variable d = y.detach();
  CHECK_FALSE(d.requires_grad());
  CHECK(d.op() == std::string());
  CHECK(d.data().bytes() == y.data().bytes());
  CHECK(values(grad(sum(y * d), {x})[0]) == std::vector<double>(20, 54));  // 2 x d, not 4 x^3
  d.mutable_data().mutable_data<double>()[0] = 7;
  CHECK(y.data().data<double>()[0] == 9);
}

TEST_CASE("variable: data is replaced by its like only") {
  Variable x(zeros({2, 3}), requires_grad);
  x.set_data(ones({2, 3}));
  CHECK(values(x) == std::vector<double>(6, 1));
  CHECK(error_of([&] {
          x.set_data(ones({3, 2}));
        }) == "set_data: (3, 2) of f32 cannot replace (2, 3) of f32");
  CHECK(error_of([&] {
          x.set_data(ones({2, 3}, DType::f64));
        }) == "set_data: (2, 3) of f64 cannot replace (2, 3) of f32");
  CHECK(error_of([&] { x.set_data(Array()); }) == "array: it is undefined");
  CHECK(values(x) == std::vector<double>(6, 1));
}

TEST_CASE("variable: a number that is trained still takes the dtype of what it meets") {
  const Variable x(full({3}, 2), requires_grad);
  Variable slope(.5, requires_grad);
  for (int step = 0; step < 3; ++step) {
    const Variable y = slope * x;
    CHECK(y.dtype() == DType::f32);
    const auto gs = grad(sum(y * y), {slope, x});
    CHECK(gs[0].dtype() == DType::f64);
    CHECK(gs[0].shape() == Shape{});
    CHECK(std::abs(gs[0].item() - 24 * slope.item()) < 1e-5);
    CHECK(gs[1].dtype() == DType::f32);
    if (step)
      slope.set_data((slope.detach() - gs[0] * .001).data());
    else
      slope.mutable_data().mutable_data<double>()[0] += .25;
  }
  CHECK(std::abs(slope.item() - .75 * .976 * .976) < 1e-7);
}

TEST_CASE("variable: backward adds up, clear_grad empties") {
  Variable x(array<double>({1, 2}), requires_grad);
  CHECK_FALSE(x.grad().defined());
  const Variable y = sum(x * 3);
  y.backward();
  y.backward();
  CHECK(values(x.grad()) == std::vector<double>{6, 6});
  x.mutable_grad().mutable_data<double>()[0] = 100;
  sum(x).backward();
  CHECK(values(x.grad()) == std::vector<double>{101, 7});
  x.clear_grad();
  CHECK_FALSE(x.grad().defined());
  CHECK_FALSE(y.grad().defined());  // of a leaf only
}

TEST_CASE("variable: gradients that share an array are values") {
  Variable a(array<double>({1}), requires_grad), b(array<double>({2}), requires_grad);
  (a + b).backward();
  a.mutable_grad().mutable_data<double>()[0] = 50;
  CHECK(b.grad().item() == 1);
}

TEST_CASE("variable: hooks see the gradient or replace it, in their order, on leaves and within") {
  Variable x(array<double>({1, 2}), requires_grad);
  Variable h = x * 3;
  std::vector<std::string> calls;
  auto note = [&](const char* who, const Variable& g) {
    calls.push_back(fmt::format("{} {}", who, g.data().data<double>()[0]));
  };
  h.register_hook([&](const Variable& g) { return note("h", g), g * 10; });
  h.register_hook([&](const Variable& g) { return note("h again", g), Variable(); });
  x.register_hook([&](const Variable& g) { return note("x", g), Variable(); });
  const Variable y = sum(h * h);
  y.backward();
  CHECK(calls == std::vector<std::string>{"h 6", "h again 60", "x 180"});
  CHECK(values(x.grad()) == std::vector<double>{180, 360});
  CHECK(values(grad(y, {h})[0]) == std::vector<double>{60, 120});
  x.register_hook([](const Variable&) { return Variable(7); });
  CHECK(error_of([&] { y.backward(); }) ==
        "hook: the rule for an input of shape (2,) returned a gradient of shape ()");
  CHECK(error_of([] { Variable(zeros({2})).register_hook(nullptr); }) ==
        "register_hook: this Variable does not require a gradient");
}

TEST_CASE("variable: a hook sees the whole gradient once, however often its Variable is used") {
  Variable x(array<double>({3}), requires_grad);
  Variable h = x * 1;
  int calls = 0;
  h.register_hook([&](const Variable& g) {
    ++calls;
    CHECK(g.item() == 2 * 3 + 5);
    return g;
  });
  (h * h + h * 5).backward();
  CHECK(calls == 1);
}

TEST_CASE("variable: what a hook returns is differentiated with create_graph") {
  Variable x(array<double>({3}), requires_grad);
  Variable h = x * 1;
  h.register_hook([&](const Variable& g) { return g * x; });
  const Variable g = grad(h * h, {x}, {.create_graph = true})[0];  // 2 h x
  CHECK(g.item() == 18);
  CHECK(grad(g, {x})[0].item() == 2 * 3 + 2 * 3 * 3);  // x directly, and through h, where the hook acts again
}

TEST_CASE("variable: a hook on a leaf runs as soon as its gradient is complete, before the rules below") {
  std::vector<std::string> order;
  auto layer = [&](const char* name, const Variable& x, const Variable& w) {
    auto rule = [&order, name](const Variable& other) {
      return [=, &order](const Variable& gy) {
        order.push_back(name);
        return gy * other;
      };
    };
    return record(name, (x * w).data(), {{x, rule(w)}, {w, rule(x)}});
  };
  auto leaf = [&](const char* name) {
    Variable w(array<double>({2}), requires_grad);
    w.register_hook([&order, name](const Variable&) {
      order.push_back(name);
      return Variable();
    });
    return w;
  };
  const Variable x(array<double>({3})), first = leaf("w1"), second = leaf("w2"), twice = leaf("w");
  Variable y = layer("1", x, first);
  y = layer("2", y, twice);
  y = layer("3", y, second);
  y = layer("4", y, twice);
  y.backward();
  CHECK(order == std::vector<std::string>{"4", "4", "3", "3", "w2", "2", "2", "w", "1", "w1"});
  CHECK(twice.grad().item() == 2 * 3 * 2 * 2 * 2);
  order.clear();
  const auto gradients = grad(y, {twice, second});  // what leads to others does not run
  CHECK(order == std::vector<std::string>{"4", "4", "3", "3", "w2", "2", "w"});
  CHECK(gradients[0].item() == 2 * 3 * 2 * 2 * 2);
}

TEST_CASE("variable: a hook may write to its parameter where no rule is left that reads it") {
  Variable w(array<double>({2}), requires_grad), x(array<double>({3}), requires_grad);
  auto descend = [&](const Variable& g) {
    w.set_data((w - g).data());
    return Variable();
  };
  w.register_hook(descend);
  (sin(x) * w).backward();
  CHECK(w.item() == 2 - std::sin(3));
  // This rule reads w too, but w's gradient does not wait for it: nobody said that it depends on w.
  const Variable hidden = record("hidden", (x * 2).data(), {{x, [w](auto& gy) { return gy * w; }}});
  CHECK(error_of([&] {
          (hidden * w).backward();
        }).starts_with("hidden: a Variable of shape (1,) that its gradient needs was written to"));
}

TEST_CASE("variable: NoGrad ends with its scope, also by an exception, and nests") {
  const Variable x(zeros({2}), requires_grad);
  CHECK(recording());
  try {
    NoGrad off;
    CHECK_FALSE(recording());
    CHECK_FALSE((x * 2).requires_grad());
    { NoGrad again; }
    CHECK_FALSE(recording());
    throw 1;
  } catch (int) {
  }
  CHECK(recording());
  CHECK((x * 2).requires_grad());
}

TEST_CASE("variable: under NoGrad create_graph records all the same, and then no more") {
  const Variable x(array<double>({2}), requires_grad), y = x * x * x;
  NoGrad off;
  const Variable g = grad(y, {x}, {.create_graph = true})[0];
  CHECK_FALSE(recording());
  CHECK(grad(g, {x})[0].item() == 12);
}
