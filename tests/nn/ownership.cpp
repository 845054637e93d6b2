// Optimizers and the parameters that they hold: given once, exchanged, moved, lost.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/optim.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"

using namespace xgrad;
using tests::error_of;

namespace {

/// One parameter x (f64) with loss x^2 (1 + x) / 2, whose gradient is x + 1.5 x^2.
struct Problem {
  Parameter x{full({1}, .7, DType::f64)};
  Variable loss() const { return sum(square(x) * (x + 1)) * .5; }
};

}  // namespace

TEST_CASE("a parameter is given once, in whatever way the groups are made", "[names]") {
  Problem a;
  auto both = parameters(a);
  both.push_back({"y", a.x});
  CHECK(error_of([&] { SGD sgd(both); }) == "optimizer: parameter y is given twice");
  SGD sgd(parameters(a));
  sgd.groups()[0].parameters.push_back({"z", a.x});
  a.loss().backward();
  CHECK(error_of([&] { sgd.step(); }) == "optimizer: parameter z is given twice");
  CHECK(a.x.item() == .7);
}

TEST_CASE("an optimizer follows parameters that are exchanged or moved") {
  struct Two {
    std::vector<Problem> parts = std::vector<Problem>(2);
  } net;
  net.parts[1].x.set_data(full({1}, .2, DType::f64));
  Momentum momentum(parameters(net), {.lr = .1});
  auto step = [&] {
    momentum.zero_grad();
    (net.parts[0].loss() + net.parts[1].loss() * 0).backward();
    momentum.step();
  };
  std::vector<double> expected;
  for (double x = .7, v = 0; expected.size() < 3; expected.push_back(x))
    v = .9 * v + x + 1.5 * x * x, x -= .1 * v;
  step();
  CHECK(net.parts[0].x.item() == Approx(expected[0]));
  std::swap(net.parts[0], net.parts[1]);
  CHECK(net.parts[0].x.item() == .2);
  CHECK(net.parts[1].x.item() == Approx(expected[0]));
  std::swap(net.parts[0], net.parts[1]);
  step();  // with the velocity that it had
  CHECK(net.parts[0].x.item() == Approx(expected[1]));
  Two moved = std::move(net);
  net = std::move(moved);
  std::rotate(net.parts.begin(), net.parts.begin() + 1, net.parts.end());
  std::rotate(net.parts.begin(), net.parts.begin() + 1, net.parts.end());
  step();
  CHECK(net.parts[0].x.item() == Approx(expected[2]));
}

TEST_CASE("a parameter that its model has lost is refused by name", "[names]") {
  struct Net {
    Linear body{2, 3}, head{3, 1};
  };
  auto refusal = [](auto lose) {
    auto net = std::make_unique<Net>();
    const Parameters held = parameters(*net);  // as a program may keep them
    SGD sgd(held);
    lose(net);
    return error_of([&] { sgd.step(); });
  };
  auto message = [](const char* name) {
    return fmt::format(
        "sgd: parameter {} no longer belongs to a model, which was destroyed, converted or assigned one of "
        "another shape; create the optimizer after that",
        name);
  };
  CHECK(refusal([](auto& net) { to(*net, DType::f64); }) == message("body.weight"));
  CHECK(refusal([](auto& net) { net.reset(); }) == message("body.weight"));
  CHECK(refusal([](auto& net) { net->head = Linear(3, 5); }) == message("head.weight"));
  CHECK(refusal([](auto& net) { net->head = Linear(3, 1, {.bias = false}); }) == message("head.bias"));
  CHECK(refusal([](auto& net) { *net = Net(); }).empty());          // written into it
  CHECK(refusal([](auto& net) { to(*net, DType::f32); }).empty());  // what they are already
  Variable free(zeros({2}), requires_grad);                         // no model has had it
  SGD sgd({{"free", free}}, {.lr = 1});
  free.mutable_grad() = ones({2});
  sgd.step();
  CHECK(free.data().data<float>()[0] == -1);
}
