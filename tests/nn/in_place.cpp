// Updates in place: what they write to, and where they are refused.
#include <fmt/format.h>

#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/optim.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using tests::error_of;
using tests::values;

namespace {

const std::vector<double> one_two{1, 2};

/// Calls f with a compound assignment of each kind, its name and what it makes of {1, 2} and 2.
void for_each_update(auto f) {
  f([](auto& a, const auto& b) { a += b; }, "+=", std::vector<double>{3, 4});
  f([](auto& a, const auto& b) { a -= b; }, "-=", std::vector<double>{-1, 0});
  f([](auto& a, const auto& b) { a *= b; }, "*=", std::vector<double>{2, 4});
  f([](auto& a, const auto& b) { a /= b; }, "/=", std::vector<double>{.5, 1});
}

}  // namespace

TEST_CASE("PyTorch's first tutorial: a parameter is updated by its gradient, and stays one") {
  Linear l(2, 1);
  const Variable x(ones({1, 2}));
  double last = INFINITY;
  for (int i = 0; i < 10; ++i) {
    const Variable loss = sum(square(l(x) - 3));
    CHECK(loss.item() < last);
    last = loss.item();
    loss.backward();
    {
      NoGrad off;
      l.weight -= .1 * l.weight.grad();
      for (auto& p : parameters(l))
        if (p.name == "bias") p.value -= .1 * p.value.grad();  // a handle to the same parameter
    }
    for (auto& p : parameters(l)) p.value.clear_grad();
  }
  CHECK(last < 1e-3);
  CHECK(l.weight.requires_grad());
  SGD sgd(parameters(l), {.lr = .1});
  sum(l(x)).backward();
  const auto before = values(l.weight);
  sgd.step();
  CHECK(values(l.weight) != before);
}

TEST_CASE("compound assignments write into parameters and leaves, from Variables, arrays and numbers") {
  for_each_update([](auto update, const char*, const std::vector<double>& result) {
    auto check = [&](auto make, auto operand) {
      auto leaf = make();
      const Variable handle = leaf;
      NoGrad off;
      update(leaf, operand);
      CHECK(values(leaf) == result);
      CHECK(values(handle) == result);
      CHECK(leaf.node() == handle.node());
      CHECK(leaf.requires_grad());
    };
    auto parameter = [] { return Parameter(array<float>({1, 2})); };
    auto leaf = [] { return Variable(array<float>({1, 2}), requires_grad); };
    auto all = [&](auto make) {
      check(make, 2.);
      check(make, full({2}, 2));
      check(make, full({1}, 2));
      check(make, Variable(full({2}, 2)));
      check(make, Variable(full({2}, 2), requires_grad));
      check(make, Variable(full({2}, 2, DType::f64)));  // the leaf keeps its dtype
      check(make, full({2}, 2, DType::i64));
    };
    all(parameter);
    all(leaf);
  });
}

TEST_CASE("while operations are recorded an update in place is an error that says what to do") {
  for_each_update([](auto update, const char* op, const std::vector<double>& result) {
    Parameter p(array<float>({1, 2}));
    const std::string error = error_of([&] { update(p, 2.); });
    CHECK(error ==
          fmt::format(
              "{}: a parameter of shape (2,) is written in place, which cannot be recorded; put the "
              "update under NoGrad, `{{ NoGrad off; w {} ...; }}`, or give the result to a new Variable",
              op, op));
    Variable leaf(array<float>({1, 2}), requires_grad);
    CHECK(error_of([&] { update(leaf, 2.); }).starts_with(std::string(op) + ": a leaf that requires"));
    CHECK(values(p) == one_two);
    CHECK(values(leaf) == one_two);
    set_requires_grad(p, false);
    CHECK(error_of([&] { update(p, Variable(2., requires_grad)); }) != "");
    update(p, 2.);  // nothing to be recorded
    CHECK(values(p) == result);
    CHECK(parameters(p)[0].value.node() == p.node());
    CHECK_FALSE(p.requires_grad());
  });
}

TEST_CASE("a compound assignment to a result or a constant is recorded as before") {
  const Variable x(array<float>({1, 2}), requires_grad);
  Variable total = 0, y = x * 2;
  const Variable held = y;
  total += sum(x);
  total += sum(y);
  y *= y;
  CHECK(values(held) == std::vector<double>{2, 4});
  (total + sum(y)).backward();
  CHECK(values(x.grad()) == std::vector<double>{11, 19});
}

TEST_CASE("what is assigned to a parameter is written into it") {
  Parameter p(array<float>({1, 2}));
  const Node* node = p.node();
  {
    NoGrad off;
    p = 3;
    CHECK(values(p) == std::vector<double>{3, 3});
    p = array<float>({4, 5});
    CHECK(values(p) == std::vector<double>{4, 5});
    p = p - .5 * Variable(ones({2}));
    CHECK(values(p) == std::vector<double>{3.5, 4.5});
    CHECK(error_of([&] { p = zeros({3}); }) ==
          "=: the result has shape (3,), which cannot be written into (2,)");
    CHECK(error_of([&] {
            p -= zeros({2, 2});
          }) == "-=: the result has shape (2, 2), which cannot be written into (2,)");
    CHECK(error_of([&] { p = Variable(); }) != "");
    Parameter none;
    CHECK(error_of([&] { none = 1.; }) == "variable: it is undefined");
  }
  CHECK(error_of([&] { p = p * 2; }).starts_with("=: a parameter of shape (2,) is written in place"));
  CHECK(error_of([&] { p = 0.; }).starts_with("=: a parameter of shape (2,) is written in place"));
  CHECK(p.node() == node);
  CHECK(p.requires_grad());
}

TEST_CASE("an update in place of what a gradient still needs is noticed") {
  Parameter w(array<float>({1, 2}));
  const Variable y = sum(square(w));
  {
    NoGrad off;
    w += 1;
  }
  CHECK(error_of([&] { y.backward(); }).find("was written to after square used it") != std::string::npos);
}
