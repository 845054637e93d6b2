// A step and a state that cannot be taken whole are refused before anything has changed.
#include <fmt/format.h>

#include <climits>
#include <cmath>
#include <new>

#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/optim.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using tests::error_of;

namespace {

struct Net {
  Parameter a{ones({2, 2})}, b{ones({2, 2})};
  void set_gradients(double value = 1) {
    for (auto& p : parameters(*this)) p.value.mutable_grad() = full({2, 2}, value);
  }
  float first() const { return a.data().data<float>()[0]; }
};

/// The error of a step, which must leave the first parameter as it is.
std::string refusal(const Net& net, Optimizer& optimizer) {
  const float before = net.first();
  const std::string error = error_of([&] { optimizer.step(); });
  CHECK(net.first() == before);
  return error;
}

/// Adam after three steps.
struct Trained {
  Net net;
  Adam adam{parameters(net)};
  Trained() {
    for (int i = 0; i < 3; ++i) {
      net.set_gradients();
      adam.step();
    }
  }
};

Array count(std::int64_t n) { return Array({}, std::vector<std::int64_t>{n}); }

}  // namespace

TEST_CASE("a step with a gradient that does not fit changes no parameter", "[names]") {
  Net net;
  SGD sgd(parameters(net));
  net.set_gradients();
  net.b.mutable_grad() = ones({2, 2}, DType::f64);
  CHECK(refusal(net, sgd) == "sgd: gradient (2, 2) of f64 does not fit parameter b (2, 2) of f32");
  net.b.mutable_grad() = ones({3});
  CHECK(refusal(net, sgd) == "sgd: gradient (3,) of f32 does not fit parameter b (2, 2) of f32");
}

TEST_CASE("a step that one group cannot take is refused before another has stepped", "[names]") {
  Net net;
  auto other = std::make_unique<Net>();
  Momentum optimizer(parameters(net), {.momentum = 0});
  optimizer.add_groups(SGD(parameters(*other)));
  net.set_gradients();
  other->set_gradients();
  other->b.mutable_grad() = ones({3});
  CHECK(refusal(net, optimizer) == "sgd: gradient (3,) of f32 does not fit parameter b (2, 2) of f32");
  other->set_gradients();
  optimizer.groups()[1].options.schedule = [](long) { return INFINITY; };
  CHECK(refusal(net, optimizer) == "sgd: the learning rate is inf at step 1");
  optimizer.groups()[1].options.schedule = {};
  optimizer.step();
  CHECK(net.first() == Approx(.99));
  CHECK(other->first() == Approx(.99));
  other.reset();
  CHECK(refusal(net, optimizer).starts_with("sgd: parameter a no longer belongs to a model"));
}

TEST_CASE("options that have become impossible are refused before a step") {
  Net net;
  const Parameters all = parameters(net);
  SGD sgd({all[0]});
  for (std::size_t i = 1; i < all.size(); ++i) sgd.add_group({all[i]});
  net.set_gradients();
  auto& last = sgd.groups()[1].options;
  const GroupOptions good = last;
  last.schedule = [](long) { return INFINITY; };
  CHECK(refusal(net, sgd) == "sgd: the learning rate is inf at step 1");
  last.schedule = [](long) { return -1; };
  CHECK(refusal(net, sgd) == "sgd: the learning rate is -0.01 at step 1");
  last = good;
  last.lr = -1;
  CHECK(refusal(net, sgd) == "sgd: lr is -1, not in [0, inf)");
  last = good;
  last.weight_decay = NAN;
  CHECK(refusal(net, sgd) == "sgd: weight_decay is nan, not in [0, inf)");
  CHECK(sgd.state()[0].value.item() == 0);
}

TEST_CASE("a damaged state is refused by name, and the optimizer goes on as if nothing had been", "[names]") {
  Trained it;
  const auto good = it.adam.state();
  auto with = [&](const std::string& name, const Array& value) {
    auto state = good;
    for (auto& entry : state)
      if (entry.name == name) entry.value = value;
    return state;
  };
  auto refused = [&](const std::vector<NamedArray>& state) {
    const std::string error = error_of([&] { it.adam.load_state(state); });
    CHECK(it.adam.state().size() == good.size());
    CHECK(it.adam.state()[0].value.item() == 3);
    return error;
  };
  auto state = good;
  std::erase_if(state, [](auto& entry) { return entry.name == "adam.0.1.b.v"; });
  CHECK(refused(state) == "optimizer: the state has no adam.0.1.b.v");
  state = good;
  state.push_back({"adam.0.1.b.zzz", ones({2, 2})});
  CHECK(refused(state) == "optimizer: this optimizer keeps nothing called adam.0.1.b.zzz");
  state = good;
  state.insert(state.end(), good.begin(), good.end());
  CHECK(refused(state) == "optimizer: optimizer.step is given twice");
  CHECK(refused(with("adam.0.0.a.step", count(4))) == "optimizer: adam.0.0.a.step is 4, not in [1, 3]");
  CHECK(refused(with("adam.0.0.a.step", count(0))) == "optimizer: adam.0.0.a.step is 0, not in [1, 3]");
  CHECK(refused(with("adam.0.0.a.m", {})) == "optimizer: adam.0.0.a.m is an undefined array");
  for (long steps : {LONG_MAX, LONG_MIN, -1l})
    CHECK(refused(with("optimizer.step", count(steps))) ==
          fmt::format("optimizer: optimizer.step is {}, not in [0, 9007199254740992]", steps));
  it.adam.load_state(good);
}

TEST_CASE("a state is loaded into all groups or into none") {
  Net a, b;
  Adam optimizer(parameters(a));
  optimizer.add_groups(Momentum(parameters(b)));
  auto step = [&] {
    a.set_gradients();
    b.set_gradients();
    optimizer.step();
  };
  step();
  auto state = optimizer.state();
  std::erase_if(state, [](auto& entry) { return entry.name == "momentum.1.1.b.v"; });
  step();
  CHECK(error_of([&] { optimizer.load_state(state); }) == "optimizer: the state has no momentum.1.1.b.v");
  CHECK(optimizer.state()[0].value.item() == 2);
  CHECK(optimizer.state()[1].value.item() == 2);
}

TEST_CASE("Muon's step is the same for a gradient of any finite size") {
  auto moved = [](double size, DType dtype) {
    struct One {
      Parameter w;
    } net{Parameter(zeros({2, 2}, dtype))};
    Muon muon(parameters(net));
    net.w.mutable_grad() = array<double>({size, 0, 0, size}).reshape({2, 2}).cast(dtype);
    muon.step();
    return net.w.item(0, 0);
  };
  const double expected = moved(1, DType::f64);
  CHECK(expected < -.01);
  for (double size : {1e10, 1e31, 1e37, 2e38, 3e38}) CHECK(moved(size, DType::f32) == Approx(expected));
  for (double size : {1e31, 1e200, 1.6e308}) CHECK(moved(size, DType::f64) == Approx(expected));
}

namespace {

/// A rule that finds no memory for its second parameter when `fails` is set.
struct Failing {
  bool fails = false;
  int updates = 0;
  UpdateRule rule() {
    return {"failing",
            [this](const Variable& p, const Variable& g, double lr, UpdateRule::Slots& slots) {
              if (fails && ++updates == 2) throw std::bad_alloc();
              Array& v = slots.arrays.at("v");
              v = (v * .9 + g).data();
              return p - v * lr;
            },
            {"v"}};
  }
};

/// All that a step may change, as bytes.
std::string everything(const Net& net, const Optimizer& optimizer) {
  std::string all;
  for (auto& array : {net.a.data(), net.b.data()}) all += tests::bits(array);
  for (auto& [name, array] : optimizer.state()) all += name + tests::bits(array);
  return all;
}

}  // namespace

TEST_CASE("a step that finds no memory changes no parameter, nothing remembered and no count") {
  for (int steps_before : {0, 1}) {
    Net net, other, right, right_other;
    Failing failing, never;
    auto make = [](Net& first, Net& second, Failing& rule) {
      Optimizer optimizer = SGD(parameters(first));
      optimizer.add_groups(Optimizer(parameters(second), rule.rule()));
      return optimizer;
    };
    Optimizer optimizer = make(other, net, failing), right_optimizer = make(right_other, right, never);
    auto step = [&] {
      net.set_gradients(.5);
      other.set_gradients(.25);
      optimizer.step();
    };
    auto right_step = [&] {
      right.set_gradients(.5);
      right_other.set_gradients(.25);
      right_optimizer.step();
    };
    for (int i = 0; i < steps_before; ++i) {
      step();
      right_step();
    }
    const std::string before = everything(net, optimizer), before_other = everything(other, optimizer);
    failing.fails = true;
    CHECK_THROWS_AS(step(), std::bad_alloc);
    CHECK(everything(net, optimizer) == before);
    CHECK(everything(other, optimizer) == before_other);
    optimizer.load_state(optimizer.state());
    failing.fails = false;
    step();
    right_step();
    CHECK(everything(net, optimizer) == everything(right, right_optimizer));
    CHECK(everything(other, optimizer) == everything(right_other, right_optimizer));
  }
}
