// Optimizers against their formulas in plain numbers, and what surrounds them.
#include "nn/optim.hpp"

#include <cmath>

#include "core/memory.hpp"
#include "nn/layers.hpp"
#include "ops/ops.hpp"
#include "tests/catch.hpp"

using namespace xgrad;
using tests::error_of;

namespace {

/// One parameter x (f64) with loss x^2 (1 + x) / 2, whose gradient is x + 1.5 x^2.
double gradient(double x) { return x + 1.5 * x * x; }
struct Problem {
  Parameter x{full({1}, .7, DType::f64)};
  Variable loss() const { return sum(square(x) * (x + 1)) * .5; }
};
/// The course of the parameter under an optimizer.
template <class Make>
std::vector<double> course(Make make, int steps = 20) {
  Problem problem;
  auto optimizer = make(parameters(problem));
  std::vector<double> values;
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    problem.loss().backward();
    optimizer.step();
    values.push_back(problem.x.item());
  }
  return values;
}
/// The same by a formula: f(x, g, t) gives the new x.
template <class F>
std::vector<double> formula(F f, int steps = 20) {
  double x = .7;
  std::vector<double> values;
  for (int t = 1; t <= steps; ++t) values.push_back(x = f(x, gradient(x), t));
  return values;
}
void check_equal(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).epsilon(1e-12));
}

}  // namespace

TEST_CASE("optimizers follow their formulas") {
  check_equal(course([](auto p) { return SGD(p, {.lr = .1}); }),
              formula([](double x, double g, int) { return x - .1 * g; }));
  check_equal(course([](auto p) { return SGD(p, {.lr = .1, .weight_decay = .3}); }),
              formula([](double x, double g, int) { return x - .1 * (g + .3 * x); }));
  check_equal(course([](auto p) { return Momentum(p, {.lr = .1}); }),
              formula([v = 0.](double x, double g, int) mutable {
                v = .9 * v - .1 * g;  // as the book writes it
                return x + v;
              }));
  check_equal(course([](auto p) { return Nesterov(p, {.lr = .1}); }),
              formula([v = 0.](double x, double g, int) mutable {
                const double step = .9 * .9 * v - 1.9 * .1 * g;  // as the book writes it
                v = .9 * v - .1 * g;
                return x + step;
              }));
  check_equal(course([](auto p) { return AdaGrad(p, {.lr = .1, .eps = 1e-7}); }),
              formula([h = 0.](double x, double g, int) mutable {
                h += g * g;
                return x - .1 * g / (std::sqrt(h) + 1e-7);
              }));
  check_equal(course([](auto p) { return RMSprop(p, {.lr = .1, .eps = 1e-7}); }),
              formula([h = 0.](double x, double g, int) mutable {
                h = .99 * h + .01 * g * g;
                return x - .1 * g / (std::sqrt(h) + 1e-7);
              }));
}

TEST_CASE("Adam follows the paper, and the book where that is asked for") {
  auto adam = [m = 0., v = 0.](double x, double g, int t, bool book) mutable {
    m += .1 * (g - m);
    v += .001 * (g * g - v);
    const double c1 = 1 - std::pow(.9, t), c2 = 1 - std::pow(.999, t);
    if (book) return x - .1 * std::sqrt(c2) / c1 * m / (std::sqrt(v) + 1e-7);
    return x - .1 * (m / c1) / (std::sqrt(v / c2) + 1e-8);
  };
  check_equal(course([](auto p) { return Adam(p, {.lr = .1}); }),
              formula([=](double x, double g, int t) mutable { return adam(x, g, t, false); }));
  check_equal(course([](auto p) { return Adam(p, {.lr = .1, .eps = 1e-7, .book = true}); }),
              formula([=](double x, double g, int t) mutable { return adam(x, g, t, true); }));
  check_equal(
      course([](auto p) { return AdamW(p, {.lr = .1, .weight_decay = .2}); }),
      formula([=](double x, double g, int t) mutable { return adam(x * (1 - .1 * .2), g, t, false); }));
}

TEST_CASE("groups have learning rates of their own, and a schedule scales them all") {
  Problem a, b;
  SGD sgd(parameters(a), {.lr = .1});
  sgd.add_group(parameters(b), {.lr = .2, .weight_decay = 1});
  sgd.set_lr_factor(.5);
  (a.loss() + b.loss()).backward();
  sgd.step();
  CHECK(a.x.item() == Approx(.7 - .05 * gradient(.7)));
  CHECK(b.x.item() == Approx(.7 - .1 * (gradient(.7) + .7)));
  CHECK(error_of([&] { sgd.add_group(parameters(a), {}); }) == "optimizer: parameter x is in two groups");
}

TEST_CASE("a parameter without a gradient stays as it is") {
  Problem used, unused;
  Momentum momentum(parameters(used));
  momentum.add_group(parameters(unused), {});
  used.loss().backward();
  momentum.step();
  CHECK(unused.x.item() == .7);
}

TEST_CASE("a step writes parameters and moments in place, unless somebody holds them") {
  const long size = 100'000;
  struct {
    Parameter x{full({size}, 1)};
  } model;
  Parameter& x = model.x;
  Adam adam(parameters(model));
  x.mutable_grad() = full({size}, .5);
  adam.step();
  memory::reset_peak();
  const std::size_t before = memory::in_use();
  adam.step();
  CHECK(memory::peak() < before + size * 2);
  const Array held = x.data();
  const float old = held.data<float>()[7];
  adam.step();
  CHECK(held.data<float>()[7] == old);
  CHECK(x.data().data<float>()[7] < old);
}

TEST_CASE("gradients are clipped by their common norm and by value") {
  Parameter a(zeros({2})), b(zeros({1}));
  const Parameters both{{"a", a}, {"b", b}};
  auto set = [&] {
    a.mutable_grad() = full({2}, 2);
    b.mutable_grad() = full({1}, -1);
  };
  set();
  CHECK(clip_grad_norm(both, 6) == Approx(3));
  CHECK(a.grad().data<float>()[0] == 2);
  CHECK(clip_grad_norm(both, 1.5) == Approx(3));
  CHECK(a.grad().data<float>()[1] == Approx(1));
  CHECK(b.grad().data<float>()[0] == Approx(-.5));
  set();
  clip_grad_value(both, 1.25);
  CHECK(a.grad().data<float>()[0] == Approx(1.25));
  CHECK(b.grad().data<float>()[0] == -1);
}

TEST_CASE("an optimizer's state can be saved and taken back: the run goes on bit for bit") {
  auto train = [](Problem& p, Adam& adam, int steps) {
    for (int i = 0; i < steps; ++i) {
      adam.zero_grad();
      p.loss().backward();
      adam.step();
    }
  };
  Problem whole, part;
  Adam adam(parameters(whole)), first(parameters(part));
  train(whole, adam, 10);
  train(part, first, 4);
  Problem resumed = part;
  Adam second(parameters(resumed));
  second.load_state(first.state());
  train(resumed, second, 6);
  CHECK(resumed.x.item() == whole.x.item());

  auto state = first.state();
  CHECK(state[0].name == "adam.step");
  CHECK(state[1].name == "adam.x.m");
  state.push_back({"adam.y.m", zeros({1})});
  CHECK(error_of([&] { second.load_state(state); }) ==
        "adam: adam.y.m belongs to no parameter of this optimizer");
  state = first.state();
  state[1].value = zeros({3}, DType::f64);
  CHECK(error_of([&] { second.load_state(state); }) ==
        "adam: adam.x.m is (3,) of f64, parameter x (1,) of f64");
  CHECK(error_of([&] { second.load_state({}); }) == "adam: the state has no adam.step");
}
