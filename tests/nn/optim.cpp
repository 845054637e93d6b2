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

TEST_CASE("groups have learning rates of their own; a schedule is of all that have no other", "[names]") {
  Problem a, b, c;
  SGD sgd(parameters(a), {.lr = .1, .schedule = [](long step) { return step == 0 ? .5 : 0.; }});
  sgd.add_group(parameters(b), {.lr = .2, .weight_decay = 1});
  sgd.add_group(parameters(c), {.lr = .2, .schedule = constant_lr()});
  for (int i = 0; i < 2; ++i) {
    sgd.zero_grad();
    (a.loss() + b.loss() + c.loss()).backward();
    sgd.step();
  }
  CHECK(a.x.item() == Approx(.7 - .05 * gradient(.7)));
  CHECK(b.x.item() == Approx(.7 - .1 * (gradient(.7) + .7)));
  const double once = .7 - .2 * gradient(.7);
  CHECK(c.x.item() == Approx(once - .2 * gradient(once)));
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
  CHECK(state[0].name == "optimizer.step");
  CHECK(state[1].name == "adam.0.0.x.step");
  CHECK(state[2].name == "adam.0.0.x.m");
  state.push_back({"adam.0.1.y.m", zeros({1})});
  CHECK(error_of([&] { second.load_state(state); }) ==
        "optimizer: this optimizer keeps nothing called adam.0.1.y.m");
  state = first.state();
  state[2].value = zeros({3}, DType::f64);
  CHECK(error_of([&] { second.load_state(state); }) ==
        "optimizer: adam.0.0.x.m is (3,) of f64, not (1,) of f64");
  CHECK(error_of([&] {
          second.load_state({{"adam.step", state[0].value}});
        }) ==
        "optimizer: the state has no optimizer.step: it is not an optimizer's, or was saved by an earlier "
        "version");
  SGD sgd(parameters(part));
  CHECK(error_of([&] { sgd.load_state(first.state()); }) ==
        "optimizer: this optimizer keeps nothing called adam.0.0.x.m");
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
    return error_of([&] { adam.load_state(state); });
  };
  CHECK(without("adam.1.0.x.step") == "optimizer: the state has no adam.1.0.x.step");
  CHECK(without("adam.1.0.x.v") == "optimizer: the state has no adam.1.0.x.v");
  Adam one(parameters(whole.body));
  CHECK(error_of([&] { one.load_state(first.state()); }) ==
        "optimizer: this optimizer keeps nothing called adam.1.0.x.m");
  CHECK(error_of([&] {
          one.load_state({{"optimizer.step", zeros({}, DType::i64)}, {"adam.x.m", zeros({1}, DType::f64)}});
        }) == "optimizer: this optimizer keeps nothing called adam.x.m");
}

TEST_CASE("one optimizer steps groups by several rules, each as its own would", "[names]") {
  struct Three {
    Problem a, b, c;
  };
  auto train = [](Three& net, std::initializer_list<Optimizer*> optimizers, int steps) {
    for (int i = 0; i < steps; ++i) {
      for (Optimizer* optimizer : optimizers) optimizer->zero_grad();
      (net.a.loss() + net.b.loss() + net.c.loss()).backward();
      for (Optimizer* optimizer : optimizers) optimizer->step();
    }
  };
  auto adam = [](Three& net) { return Adam(parameters(net.a), {.schedule = cosine_lr(9)}); };
  auto momentum = [](Three& net) { return Momentum(parameters(net.b), {.lr = .1, .momentum = .5}); };
  auto sgd = [](Three& net) { return SGD(parameters(net.c), {.lr = .1, .schedule = linear_lr(5)}); };
  auto all = [&](Three& net) {
    Optimizer optimizer = adam(net);
    optimizer.add_groups(momentum(net));
    optimizer.add_groups(sgd(net));
    return optimizer;
  };
  Three apart, whole, part;
  Adam first = adam(apart);
  Momentum second = momentum(apart);
  SGD third = sgd(apart);
  second.groups()[0].options.schedule = cosine_lr(9);  // in `all` that of the first group, as it has none
  train(apart, {&first, &second, &third}, 6);
  Optimizer undisturbed = all(whole), before = all(part);
  train(whole, {&undisturbed}, 6);
  train(part, {&before}, 2);
  Three resumed = part;
  Optimizer after = all(resumed);
  after.load_state(before.state());
  train(resumed, {&after}, 4);
  for (Three* net : {&whole, &resumed}) {
    CHECK(net->a.x.item() == apart.a.x.item());
    CHECK(net->b.x.item() == apart.b.x.item());
    CHECK(net->c.x.item() == apart.c.x.item());
  }
  std::vector<std::string> names;
  for (auto& entry : after.state()) names.push_back(entry.name);
  CHECK(names == std::vector<std::string>{"optimizer.step", "adam.0.0.x.step", "adam.0.0.x.m", "adam.0.0.x.v",
                                          "momentum.1.0.x.step", "momentum.1.0.x.v", "sgd.2.0.x.step"});
  CHECK(error_of([&] { after.add_groups(SGD(parameters(resumed.b))); }) ==
        "optimizer: parameter x is given twice");
  CHECK(error_of([&] { after.add_groups(first); }) ==
        "optimizer: an optimizer that has taken 6 steps cannot give up its groups");
}

TEST_CASE("a rule of one's own is stepped like the others", "[names]") {
  Problem a;
  const UpdateRule sign{"sign",
                        [](const Variable& p, const Variable& g, double lr, UpdateRule::Slots& slots) {
                          slots.arrays.at("n") = (slots.arrays.at("n") + Variable(1)).data();
                          return p - g / abs(g) * lr;
                        },
                        {"n"}};
  Optimizer optimizer(parameters(a), sign, {.lr = .25});
  for (int i = 0; i < 2; ++i) {
    optimizer.zero_grad();
    a.loss().backward();
    optimizer.step();
  }
  CHECK(a.x.item() == Approx(.7 - .5));
  CHECK(optimizer.state().back().name == "sign.0.0.x.n");
  CHECK(optimizer.state().back().value.item() == 2);
  CHECK(error_of([&] { Optimizer(parameters(a), {.name = "none", .update = {}}); }) ==
        "optimizer: the rule 'none' has no update");
}

TEST_CASE("options outside of their range are refused by name", "[names]") {
  Problem a;
  const auto p = parameters(a);
  auto refused = [](auto make) { return error_of([&] { (void)make(); }); };
  CHECK(refused([&] { return SGD(p, {.lr = -1}); }) == "sgd: lr is -1, not in [0, inf)");
  CHECK(refused([&] { return SGD(p, {.lr = NAN}); }) == "sgd: lr is nan, not in [0, inf)");
  CHECK(refused([&] { return AdaGrad(p, {.weight_decay = INFINITY}); }) ==
        "adagrad: weight_decay is inf, not in [0, inf)");
  CHECK(refused([&] { return Momentum(p, {.momentum = 1.5}); }) ==
        "momentum: momentum is 1.5, not in [0, 1)");
  CHECK(refused([&] { return Nesterov(p, {.momentum = -.1}); }) ==
        "nesterov: momentum is -0.1, not in [0, 1)");
  CHECK(refused([&] { return AdaGrad(p, {.eps = -1}); }) == "adagrad: eps is -1, not in [0, inf)");
  CHECK(refused([&] { return RMSprop(p, {.alpha = 1}); }) == "rmsprop: alpha is 1, not in [0, 1)");
  CHECK(refused([&] { return RMSprop(p, {.eps = NAN}); }) == "rmsprop: eps is nan, not in [0, inf)");
  CHECK(refused([&] { return Adam(p, {.beta1 = 1}); }) == "adam: beta1 is 1, not in [0, 1)");
  CHECK(refused([&] { return Adam(p, {.beta2 = NAN}); }) == "adam: beta2 is nan, not in [0, 1)");
  CHECK(refused([&] { return AdamW(p, {.eps = -1}); }) == "adamw: eps is -1, not in [0, inf)");
  CHECK(refused([&] { return Muon({}, {.momentum = 2}); }) == "muon: momentum is 2, not in [0, 1)");
  CHECK(refused([&] { return Muon({}, {.newton_steps = 0}); }) ==
        "muon: the number of Newton steps is 0, not at least 1");
  for (const MuonOptions& o : {MuonOptions{.a = NAN}, MuonOptions{.b = INFINITY}, MuonOptions{.c = NAN}})
    CHECK(refused([&] { return Muon({}, o); }).ends_with(", not finite"));
  Parameter matrix(ones({2, 2}));
  Muon muon(parameters(matrix));
  CHECK(error_of([&] { muon.add_group(p); }) ==
        "muon: parameter x of shape (1,) is not a matrix; give it to another optimizer");
  SGD sgd(p, {.schedule = [](long) { return NAN; }});
  CHECK(error_of([&] { sgd.step(); }) == "sgd: the learning rate is nan at step 1");
}
