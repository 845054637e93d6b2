// Optimizers against their formulas in plain numbers, and what surrounds them.
#include <xgrad/nn/optim.hpp>

#include <fmt/format.h>

#include <cmath>

#include <xgrad/core/base/memory.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/ops/ops.hpp>
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

TEST_CASE("groups have learning rates of their own, and a schedule scales them all", "[names]") {
  Problem a, b;
  SGD sgd(parameters(a), {.lr = .1});
  sgd.add_group(parameters(b), {.lr = .2, .weight_decay = 1});
  sgd.set_lr_factor(.5);
  (a.loss() + b.loss()).backward();
  sgd.step();
  CHECK(a.x.item() == Approx(.7 - .05 * gradient(.7)));
  CHECK(b.x.item() == Approx(.7 - .1 * (gradient(.7) + .7)));
  CHECK(error_of([&] { sgd.add_group(parameters(a), {}); }) == "optimizer: parameter x is given twice");
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

TEST_CASE("an optimizer's state can be saved and taken back: the run goes on bit for bit", "[names]") {
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
  CHECK(state[1].name == "adam.0.0.x.step");
  CHECK(state[2].name == "adam.0.0.x.m");
  state.push_back({"adam.0.1.y.m", zeros({1})});
  CHECK(error_of([&] { second.load_state(state); }) ==
        "adam: adam.0.1.y.m belongs to nothing that this optimizer keeps");
  state = first.state();
  state[2].value = zeros({3}, DType::f64);
  CHECK(error_of([&] { second.load_state(state); }) == "adam: adam.0.0.x.m is (3,) of f64, not (1,) of f64");
  CHECK(error_of([&] { second.load_state({}); }) == "adam: the state has no adam.step");
}

TEST_CASE("bias correction counts the steps of each parameter, however late it joins") {
  auto first_step = [](auto make) {
    Problem early, late, frozen;
    auto optimizer = make(parameters(early));
    optimizer.add_group(parameters(frozen));
    frozen.x.set_requires_grad(false);
    auto step = [&] {
      for (auto& p : optimizer.parameters())
        if (p.value.requires_grad()) p.value.mutable_grad() = full({1}, 1, DType::f64);
      optimizer.step();
    };
    for (int i = 0; i < 1000; ++i) step();
    optimizer.add_group(parameters(late));
    frozen.x.set_requires_grad(true);
    step();
    CHECK(late.x.item() == frozen.x.item());
    return .7 - late.x.item();
  };
  CHECK(first_step([](auto p) { return Adam(p, {.lr = .01}); }) == Approx(.01));
  CHECK(first_step([](auto p) { return Adam(p, {.lr = .01, .book = true}); }) == Approx(.01));
  CHECK(first_step([](auto p) { return AdamW(p, {.lr = .01, .weight_decay = 0}); }) == Approx(.01));
}

TEST_CASE("parameters of the same name in two groups keep states of their own", "[names]") {
  struct Two {
    Problem body, head;
  };
  auto make = [](Two& net) {
    Adam adam(parameters(net.body), {.lr = .1});
    adam.add_group(parameters(net.head), {.lr = .02});
    return adam;
  };
  auto train = [](Two& net, Optimizer& adam, int steps) {
    for (int i = 0; i < steps; ++i) {
      adam.zero_grad();
      (net.body.loss() + net.head.loss() * 3).backward();
      adam.step();
    }
  };
  Two whole, part;
  Adam undisturbed = make(whole), first = make(part);
  train(whole, undisturbed, 9);
  train(part, first, 4);
  Two resumed = part;
  Adam second = make(resumed);
  second.load_state(first.state());
  train(resumed, second, 5);
  CHECK(resumed.body.x.item() == whole.body.x.item());
  CHECK(resumed.head.x.item() == whole.head.x.item());

  auto without = [&](const std::string& name) {
    auto state = first.state();
    std::erase_if(state, [&](auto& entry) { return entry.name == name; });
    Two other;
    Adam adam = make(other);
    return error_of([&] { adam.load_state(state), train(other, adam, 1); });
  };
  CHECK(without("adam.1.0.x.step") == "adam: the state has no adam.1.0.x.step");
  CHECK(without("adam.1.0.x.v") == "adam: the state has no adam.1.0.x.v");
  Adam one(parameters(whole.body));
  CHECK(error_of([&] { one.load_state(first.state()); }) ==
        "adam: adam.1.0.x.m belongs to nothing that this optimizer keeps");
  CHECK(error_of([&] {
          one.load_state({{"adam.step", zeros({}, DType::i64)}, {"adam.x.m", zeros({1}, DType::f64)}});
        }) == "adam: adam.x.m belongs to nothing that this optimizer keeps");
}

TEST_CASE("parts of a joint optimizer may be of one kind; what two of them would step is refused",
          "[names]") {
  Problem a, b;
  Adam first(parameters(a)), second(parameters(b), {.lr = .1}), twice(parameters(a));
  JointOptimizer joint({&first, &second});
  (a.loss() + b.loss()).backward();
  joint.step();
  const auto state = joint.state();
  CHECK(state[0].name == "joint.0.adam.step");
  CHECK(state.back().name == "joint.1.adam.0.0.x.v");
  joint.step();
  joint.load_state(state);
  CHECK(first.state()[1].value.item() == 1);
  CHECK(error_of([&] { joint.load_state(first.state()); }) ==
        "joint: adam.step belongs to none of the 2 parts");
  CHECK(error_of([&] { JointOptimizer({&first, &twice}); }) == "optimizer: parameter x is given twice");
  second.add_group(parameters(a));
  CHECK(error_of([&] { joint.step(); }) == "optimizer: parameter x is given twice");
}

TEST_CASE("options outside of their range are refused by name", "[names]") {
  Problem a;
  const auto p = parameters(a);
  auto refused = [](auto make) { return error_of([&] { (void)make(); }); };
  CHECK(refused([&] { return SGD(p, {.lr = -1}); }) == "optimizer: lr is -1, not in [0, inf)");
  CHECK(refused([&] { return SGD(p, {.lr = NAN}); }) == "optimizer: lr is nan, not in [0, inf)");
  CHECK(refused([&] { return AdaGrad(p, {.weight_decay = INFINITY}); }) ==
        "optimizer: weight_decay is inf, not in [0, inf)");
  CHECK(refused([&] { return Momentum(p, {.momentum = 1.5}); }) ==
        "momentum: momentum is 1.5, not in [0, 1)");
  CHECK(refused([&] { return Nesterov(p, {.momentum = -.1}); }) ==
        "momentum: momentum is -0.1, not in [0, 1)");
  CHECK(refused([&] { return AdaGrad(p, {.eps = -1}); }) == "adagrad: eps is -1, not in [0, inf)");
  CHECK(refused([&] { return RMSprop(p, {.alpha = 1}); }) == "rmsprop: alpha is 1, not in [0, 1)");
  CHECK(refused([&] { return RMSprop(p, {.eps = NAN}); }) == "rmsprop: eps is nan, not in [0, inf)");
  CHECK(refused([&] { return Adam(p, {.beta1 = 1}); }) == "adam: beta1 is 1, not in [0, 1)");
  CHECK(refused([&] { return Adam(p, {.beta2 = NAN}); }) == "adam: beta2 is nan, not in [0, 1)");
  CHECK(refused([&] { return AdamW(p, {.eps = -1}); }) == "adam: eps is -1, not in [0, inf)");
  CHECK(refused([&] { return Muon({}, {.momentum = 2}); }) == "muon: momentum is 2, not in [0, 1)");
  CHECK(refused([&] { return Muon({}, {.newton_steps = 0}); }) == "muon: 0 steps of Newton's iteration");
  for (const MuonOptions& o : {MuonOptions{.a = NAN}, MuonOptions{.b = INFINITY}, MuonOptions{.c = NAN}})
    CHECK(refused([&] { return Muon({}, o); }).ends_with(", not finite"));
  Muon muon({});
  CHECK(error_of([&] { muon.add_group(p); }) ==
        "muon: parameter x of shape (1,) is not a matrix; give it to another optimizer");
  SGD sgd(p, {.schedule = [](long) { return NAN; }});
  CHECK(error_of([&] { sgd.step(); }) == "sgd: the learning rate is nan at step 1");
}
