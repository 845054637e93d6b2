// The tape: what is recorded, what grad() and backward() compute, and what they refuse.
#include <xgrad/core/tape/tape.hpp>

#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/core/tape/trace.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

/// x itself, by an operation whose rule counts how often it runs.
Variable counted(const Variable& x, int& calls) {
  return record("counted", x.data(), {{x, [&calls](auto& gy) { return ++calls, gy; }}});
}
Variable leaf(std::initializer_list<double> elements) { return Variable(array(elements), requires_grad); }

}  // namespace

TEST_CASE("tape: rules run only towards what requires a gradient") {
  int image = 0, weight = 0;
  const Variable x(array<double>({1, 2}));
  Variable w = leaf({3, 4});
  const Variable y = record(
      "product", (x * w).data(),
      {{x, [&](auto& gy) { return ++image, gy * w; }}, {w, [&](auto& gy) { return ++weight, gy * x; }}});
  y.backward();
  CHECK(weight == 1);
  CHECK(image == 0);
  CHECK(values(w.grad()) == std::vector<double>{1, 2});
  CHECK_FALSE(x.grad().defined());
  CHECK_FALSE(counted(x, image).requires_grad());
  w.set_requires_grad(false);
  CHECK_FALSE(counted(w, image).requires_grad());
}

TEST_CASE("tape: an edge without a rule carries nothing") {
  const Variable a = leaf({1}), b = leaf({2});
  const Variable y = record("first", a.data(), {{a, [](auto& gy) { return gy; }}, {b}});
  const auto gs = grad(y, {a, b});
  CHECK(gs[0].item() == 1);
  CHECK(gs[1].item() == 0);
  CHECK_FALSE(record("none", a.data(), {{a}}).requires_grad());
}

TEST_CASE("tape: grad computes what leads to the wanted Variables and nothing else") {
  int left = 0, right = 0, below = 0;
  const Variable a = leaf({1}), b = leaf({2});
  const Variable deep = counted(a * 2, below), l = counted(deep, left), r = counted(b, right), y = l * r;
  CHECK(grad(y, {b})[0].item() == 2);
  CHECK((left == 0 && right == 1 && below == 0));
  CHECK(grad(y, {deep})[0].item() == 2);  // stops at deep
  CHECK((left == 1 && right == 1 && below == 0));
  CHECK(grad(y, {a, b})[0].item() == 4);
  CHECK((left == 2 && right == 2 && below == 1));
  CHECK_FALSE(a.grad().defined());
  CHECK_FALSE(b.grad().defined());
}

TEST_CASE("tape: a Variable used several times gets the sum, by one visit") {
  int calls = 0;
  const Variable x = leaf({3});
  CHECK(grad(x * x, {x})[0].item() == 6);
  CHECK(grad(x * x * x + x, {x})[0].item() == 28);
  const Variable h = counted(x, calls);
  const Variable y = (h * 2) * (h * 3) + square(h + 1) * h;  // 6 h^2 + (h + 1)^2 h
  CHECK(grad(y, {x})[0].item() == 36 + 16 + 2 * 4 * 3);
  CHECK(calls == 1);
  Variable deep = x;  // 2^40 paths
  for (int i = 0; i < 40; ++i) deep = deep + deep;
  CHECK(grad(deep, {x})[0].item() == std::pow(2., 40));
}

TEST_CASE("tape: paths of different lengths meet in the right order") {
  const Variable x = leaf({2});
  Variable longer = x;
  for (int i = 0; i < 5; ++i) longer = longer * 2;
  CHECK(grad(longer * x + x, {x})[0].item() == 2 * 32 * 2 + 1);
}

TEST_CASE("tape: grad with respect to anything, in any order, also twice") {
  const Variable x = leaf({3}), other = leaf({1, 1}), constant(array<double>({5}));
  const Variable h = x * x, y = h * h;
  const auto gs = grad(y, {h, x, other, x, y, constant}, {.allow_constants = true});
  CHECK(gs[0].item() == 18);
  CHECK(gs[1].item() == 108);
  CHECK(values(gs[2]) == std::vector<double>{0, 0});
  CHECK(gs[3].item() == 108);
  CHECK(gs[4].item() == 1);
  CHECK(gs[5].item() == 0);
  CHECK(grad(x, {x})[0].item() == 1);
  CHECK(grad(y, {}).empty());
  CHECK(error_of([&] { grad(y, {Variable()}); }) == "grad: input 0 is undefined");
  CHECK(grad(constant, {x})[0].item() == 0);  // of what does not depend on x, as of what is linear, twice
  CHECK(error_of([&] { constant.backward(); }) ==
        "backward: the result depends on nothing that requires a gradient");
}

TEST_CASE("tape: a leaf is its own gradient") {
  Variable x = leaf({3, 4});
  x.backward();
  CHECK(values(x.grad()) == std::vector<double>{1, 1});
}

TEST_CASE("tape: the result may have any shape; grad_output weighs its elements") {
  const Variable x = leaf({1, 2, 3}), y = x * x;
  CHECK(values(grad(y, {x})[0]) == std::vector<double>{2, 4, 6});
  const Variable w = leaf({1, 10, 100});
  CHECK(values(grad(y, {x}, {.grad_output = w})[0]) == std::vector<double>{2, 40, 600});
  CHECK(error_of([&] { grad(y, {x}, {.grad_output = Variable(zeros({2}, DType::f64))}); }) ==
        "grad: grad_output has shape (2,), the result (3,)");
  // The gradient is linear in grad_output, and knows it: this is how derivatives in a direction are had.
  const Variable g = grad(y, {x}, {.create_graph = true, .grad_output = w})[0];
  CHECK(values(grad(sum(g), {w})[0]) == std::vector<double>{2, 4, 6});
  const Variable single(array<float>({1, 2}),
                        requires_grad);  // grad_output is converted to the dtype of the result
  CHECK(values(grad(single * single, {single}, {.grad_output = Variable(array<double>({1, 10}))})[0]) ==
        std::vector<double>{2, 40});
}

TEST_CASE("tape: broadcasting is undone for all operations alike") {
  const Variable a(random_array({2, 1, 3}), requires_grad), b(random_array({4, 1}), requires_grad),
      c(2., requires_grad);
  const auto gs = grad(a * b * c, {a, b, c});
  for (std::size_t i = 0; i < 3; ++i) CHECK(gs[i].shape() == std::vector<Shape>{{2, 1, 3}, {4, 1}, {}}[i]);
  double expected = 0;
  for (double u : values(a))
    for (double v : values(b)) expected += u * v;
  CHECK(std::abs(gs[2].item() - expected) < 1e-12);
}

TEST_CASE("tape: gradients come in the dtype of their input") {
  const Variable x(array<float>({1, 2}), requires_grad), w(array<double>({3, 4}), requires_grad),
      n(2., requires_grad);
  const Variable y = cast(x, DType::f64) * w * n;
  const auto gs = grad(y, {x, w, n});
  CHECK(gs[0].dtype() == DType::f32);
  CHECK(values(gs[0]) == std::vector<double>{6, 8});
  CHECK(gs[1].dtype() == DType::f64);
  CHECK(gs[2].dtype() == DType::f64);
  CHECK(error_of([&] { cast(x, DType::i64); }) ==
        "cast: a Variable that requires a gradient cannot become i64");
  CHECK(cast(x.detach(), DType::i64).dtype() == DType::i64);
  const Variable first(array<float>({1, 2}), requires_grad);  // a rule may return another floating dtype
  const Variable odd =
      record("odd", first.data(), {{first, [](auto& gy) { return cast(gy, DType::f64) * 2; }}});
  CHECK(grad(odd, {first})[0].dtype() == DType::f32);
}

TEST_CASE("tape: rules that are wrong are named with what is wrong") {
  const Variable x(zeros({2, 3}), requires_grad);
  auto with = [&](auto rule) { return record("mine", x.data(), {{x, rule}}); };
  CHECK(error_of([&] {
          with([](auto&) { return Variable(zeros({3, 2})); }).backward();
        }) == "mine: the rule for an input of shape (2, 3) returned a gradient of shape (3, 2)");
  CHECK(error_of([&] { with([](auto&) { return Variable(zeros({3})); }).backward(); }) ==
        "mine: the rule for an input of shape (2, 3) returned a gradient of shape (3,)");
  CHECK(error_of([&] { with([](auto&) { return Variable(); }).backward(); }) ==
        "mine: a rule returned no gradient");
  CHECK(error_of([&] {
          record("index", arange(3), {{x, [](auto& gy) { return gy; }}});
        }) == "index: a result of i64 cannot have a gradient");
  CHECK(values(grad(with([](auto&) {
                      return Variable(ones({4, 2, 3}));
                    }),
                    {x})[0]) == std::vector<double>(6, 4));
}

TEST_CASE("tape: an error in a rule leaves no gradient half done") {
  Variable a = leaf({1}), b = leaf({1});
  bool fails = true;
  const Variable shallow =
      record("fails", a.data(), {{a, [&](auto& gy) { return expect(!fails, "now"), gy; }}});
  Variable deep = b;
  for (int i = 0; i < 5; ++i) deep = deep * 2;
  const Variable y = shallow + deep;  // b is reached first
  CHECK(error_of([&] { y.backward(); }) == "now");
  CHECK_FALSE(b.grad().defined());
  fails = false;
  y.backward();
  CHECK(b.grad().item() == 32);
  CHECK(a.grad().item() == 1);
}

TEST_CASE("tape: backward never records, also not in rules") {
  const Variable x = leaf({2});
  bool recorded = false;
  const Variable y = record("look", x.data(), {{x, [&](auto& gy) { return recorded = recording(), gy; }}});
  y.backward();
  CHECK_FALSE(recorded);
  grad(y, {x});
  CHECK_FALSE(recorded);
  CHECK_FALSE(grad(x * x, {x})[0].requires_grad());
  grad(y, {x}, {.create_graph = true});
  CHECK(recorded);
  CHECK(recording());
}

TEST_CASE("tape: rules large and small, with the result and without") {
  const Variable x = leaf({2});
  struct Large {
    double factors[20] = {3};
  } large;
  CHECK(grad(record("large", x.data(), {{x, [large](auto& gy) { return gy * large.factors[0]; }}}), {x})[0]
            .item() == 3);
  const std::string text = "a string that is no short one, which moves with the rule";
  CHECK(grad(record("text", x.data(), {{x, [text](auto& gy) { return gy * double(text.size()); }}}), {x})[0]
            .item() == 56);
  CHECK(grad(record("y", (x * 5).data(), {{x, [](auto& gy, auto& y) { return gy * y; }}}), {x})[0].item() ==
        10);
  struct Inward {  // knows its own place
    const Inward* place = this;
    Inward() = default;
    Inward(const Inward&) noexcept {}
  } inward;
  const Variable moved =
      record("moved", x.data(), {{x, [inward](auto& gy) { return gy * (inward.place == &inward ? 7 : 0); }}});
  CHECK(grad(moved, {x})[0].item() == 7);
  std::vector<Edge> edges;  // as many as there are inputs
  for (int i = 0; i < 10; ++i) edges.emplace_back(x, [i](auto& gy) { return gy * i; });
  CHECK(grad(record("many", x.data(), std::span<Edge>(edges)), {x})[0].item() == 45);
}

TEST_CASE("tape: elementwise makes an operation of a lambda") {
  const Variable x = leaf({.3, -2}), w = leaf({2});
  auto wave = [](const Variable& a, const Variable& b) {
    return elementwise(
        "wave", [](auto u, auto v) { return u * u * v; },
        {{a, [=](auto& gy) { return gy * a * b * 2; }}, {b, [=](auto& gy) { return gy * a * a; }}});
  };
  const auto gs = grad(wave(x, w), {x, w}, {.create_graph = true});
  CHECK(values(gs[0]) == std::vector<double>{1.2, -8});
  CHECK(std::abs(gs[1].item() - 4.09) < 1e-12);
  CHECK(values(grad(gs[1], {x})[0]) == std::vector<double>{.6, -4});
}

TEST_CASE("grad: with respect to what requires no gradient is an Error, unless it is allowed") {
  const Variable x = leaf({1, 2}), unused = leaf({3}), constant(array<double>({4, 5}));
  const Variable y = x * constant;
  CHECK(error_of([&] {
          grad(y, {x, constant});
        }) ==
        "grad: input 1 of shape (2,) does not require a gradient, so nothing leads back to it; make it by "
        "Variable(data, requires_grad) before y is computed from it, or ask for zeros by "
        "{.allow_constants = true}");
  const auto allowed = grad(y, {x, constant}, {.allow_constants = true});
  CHECK(values(allowed[0]) == std::vector<double>{4, 5});
  CHECK(values(allowed[1]) == std::vector<double>{0, 0});
  CHECK(values(grad(y, {unused})[0]) == std::vector<double>{0});  // on which y does not depend
  Trace trace;
  const Variable traced = grad(sum(x * constant), {x, constant}, {.allow_constants = true})[1];
  CHECK(values(trace.program({x}, {traced})({x})[0]) == std::vector<double>{0, 0});
}
