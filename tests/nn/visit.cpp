// Models as plain structs: names, values, copies.
#include <xgrad/nn/visit.hpp>

#include <memory>
#include <optional>

#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/models/deep_convnet.hpp>
#include <xgrad/nn/optim.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"

using namespace xgrad;

namespace {

struct Block {
  Linear a{2, 3}, b{3, 2, {.init = he()}};
  double slope = 0.1;  // no parameter
  Variable operator()(const Variable& x) const { return b(leaky_relu(a(x), slope)); }
};
struct Net {
  Conv2d conv{1, 2, {.kernel = 3, .bias = false}};
  std::vector<Block> blocks = std::vector<Block>(2);
  std::optional<Linear> head = std::nullopt;
  BatchNorm norm{2};
  Parameter scale{ones({1})};
  std::string title = "net";
  long count = 3;
};

template <class M>
std::vector<std::string> names(M& model) {
  std::vector<std::string> found;
  visit(model, [&](const std::string& name, auto&) { found.push_back(name); });
  return found;
}

}  // namespace

TEST_CASE("visit names every parameter and buffer in the order of the members", "[names]") {
  Net net;
  CHECK(names(net) == std::vector<std::string>{"conv.weight", "blocks.0.a.weight", "blocks.0.a.bias",
                                               "blocks.0.b.weight", "blocks.0.b.bias", "blocks.1.a.weight",
                                               "blocks.1.a.bias", "blocks.1.b.weight", "blocks.1.b.bias",
                                               "norm.weight", "norm.bias", "norm.running_mean",
                                               "norm.running_var", "scale"});
  net.head.emplace(2, 1);
  CHECK(names(net)[9] == "head.weight");
  CHECK(parameters(net).size() == 14);  // without the two buffers
  CHECK(state(net).size() == 16);
}

TEST_CASE("Sequential and repeat hold layers, functions and models", "[names]") {
  Sequential net{Linear(2, 4), relu, Block(), [](const Variable& x) { return x * 2; }};
  CHECK(names(net) ==
        std::vector<std::string>{"0.weight", "0.bias", "2.a.weight", "2.a.bias", "2.b.weight", "2.b.bias"});
  auto stack = repeat<Linear>(3, 5, 5);
  CHECK(names(stack).back() == "2.bias");
}

TEST_CASE("the headline network has 5,350,986 parameters") {
  DeepConvNet net;
  CHECK(parameter_count(net) == 5350986);
  CHECK(parameters(net)[0].name == "conv1.weight");
}

TEST_CASE("a model is a value") {
  Block net;
  Block copy = net;
  copy.a.weight.mutable_data().mutable_data<float>()[0] = 42;
  CHECK(net.a.weight.data().data<float>()[0] != 42);

  SGD sgd(parameters(net), {.lr = 1});
  const Block best = net;
  sum(net(Variable(ones({1, 2})))).backward();
  sgd.step();
  CHECK(net.b.bias.data().data<float>()[0] == -1);
  net = best;  // writes into the parameters: the optimizer still holds them
  CHECK(net.b.bias.data().data<float>()[0] == 0);
  sgd.zero_grad();
  sum(net(Variable(ones({1, 2})))).backward();
  sgd.step();
  CHECK(net.b.bias.data().data<float>()[0] == -1);
  CHECK(best.b.bias.data().data<float>()[0] == 0);

  Block moved = std::move(net);  // the handle moves along
  sgd.zero_grad();
  sum(moved(Variable(ones({1, 2})))).backward();
  sgd.step();
  CHECK(moved.b.bias.data().data<float>()[0] == -2);
}

TEST_CASE("a model can be converted and frozen") {
  Block net;
  to(net, DType::f64);
  CHECK(net.a.weight.dtype() == DType::f64);
  CHECK(net.a.weight.requires_grad());
  set_requires_grad(net.a, false);
  const Block copy = net;
  CHECK_FALSE(copy.a.weight.requires_grad());
  CHECK(copy.b.weight.requires_grad());
  sum(net(Variable(ones({1, 2}, DType::f64)))).backward();
  CHECK_FALSE(net.a.weight.grad().defined());
  CHECK(net.b.weight.grad().defined());
}

namespace {

/// One layer under two names, and its statistics too.
struct Shared {
  std::shared_ptr<Linear> in = std::make_shared<Linear>(3, 3, LinearOptions{.init = he()}), out = in;
  std::shared_ptr<BatchNorm> norm = std::make_shared<BatchNorm>(3), again = norm;
  Variable operator()(const Variable& x) const { return (*out)((*again)((*norm)((*in)(x)))); }
};

}  // namespace

TEST_CASE("what members share is visited once, by its first name", "[names]") {
  Shared net;
  CHECK(names(net) == std::vector<std::string>{"in.weight", "in.bias", "norm.weight", "norm.bias",
                                               "norm.running_mean", "norm.running_var"});
  CHECK(parameters(net).size() == 4);
  CHECK(state(net).size() == 6);
  CHECK(parameter_count(net) == 18);
  auto layer = std::make_shared<Linear>(2, 2);
  std::vector<std::shared_ptr<Linear>> stack{layer, std::make_shared<Linear>(2, 2), layer};
  CHECK(names(stack) == std::vector<std::string>{"0.weight", "0.bias", "1.weight", "1.bias"});
  Sequential twice{layer, layer};
  CHECK(parameters(twice).size() == 2);
}

TEST_CASE("a graph of pointers is walked once, whatever leads to a part, and so is a cycle", "[names]") {
  struct Part {
    Linear layer{1, 1};
    std::shared_ptr<Part> a = nullptr, b = nullptr;
  };
  auto top = std::make_shared<Part>();
  const auto bottom = top;
  for (int i = 1; i < 60; ++i) top = std::make_shared<Part>(Part{.a = top, .b = top});
  CHECK(parameters(*top).size() == 120);
  bottom->a = top;
  CHECK(parameters(*top).size() == 120);
  CHECK(parameters(*bottom).size() == 120);
  bottom->a = nullptr;

  struct Outer {
    Linear first{1, 1}, second{1, 1};
  };
  struct Net {
    std::shared_ptr<Outer> whole = std::make_shared<Outer>();
    std::shared_ptr<Linear> part{whole, &whole->first};  // at the same address
  } net;
  struct Turned {
    std::shared_ptr<Linear> part;
    std::shared_ptr<Outer> whole;
  } turned{net.part, net.whole};
  CHECK(names(net).size() == 4);
  CHECK(names(turned) ==
        std::vector<std::string>{"part.weight", "part.bias", "whole.second.weight", "whole.second.bias"});
}

TEST_CASE("an undefined buffer is none", "[names]") {
  struct Net {
    Linear layer{1, 1};
    Buffer buffer{};
  } net;
  CHECK(state(net).size() == 2);
  to(net, DType::f64);
  CHECK_FALSE(net.buffer.value.defined());
  net.buffer.value = ones({2});
  CHECK(names(net).back() == "buffer");
}

TEST_CASE("what members share is stepped once, and stays shared when it is converted, frozen or copied") {
  Shared net;
  SGD sgd(parameters(net), {.lr = 1});
  for (auto& p : sgd.parameters()) p.value.mutable_grad() = ones(p.value.shape());
  sgd.step();
  CHECK(net.out->bias.data().data<float>()[0] == -1);

  to(net, DType::f64);
  CHECK(net.in == net.out);
  CHECK(net.out->weight.dtype() == DType::f64);
  set_requires_grad(net, false);
  CHECK_FALSE(net.out->weight.requires_grad());
  to(net, DType::f32);
  CHECK_FALSE(net.out->weight.requires_grad());

  struct Pair {
    std::shared_ptr<Linear> in = std::make_shared<Linear>(3, 3), out = in;
  } pair;
  Pair copy = pair;  // of the pointers: the copy has the same layer
  CHECK(copy.in == pair.in);
  CHECK(copy.in == copy.out);
}
