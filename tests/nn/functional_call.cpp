// Models as functions of their parameters.
#include <xgrad/nn/functional_call.hpp>

#include <memory>

#include <xgrad/core/tape/gradcheck.hpp>
#include <xgrad/core/tape/recompute.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using tests::error_of;
using tests::values;

namespace {

struct Net {
  Linear fc1{1, 3}, fc2{3, 1};
  Variable operator()(const Variable& x) const { return fc2(tanh(fc1(x))); }
};

}  // namespace

TEST_CASE("functional_call runs a model with other parameters, and leaves it as it was") {
  Net net;
  Net other;
  const Variable x(ones({2, 1}));
  const auto own = values(net(x));
  const Node* node = net.fc1.weight.node();
  CHECK(values(functional_call(net, parameters(other), x)) == values(other(x)));
  CHECK(values(net(x)) == own);
  CHECK(net.fc1.weight.node() == node);
  std::map<std::string, Variable> some{{"fc2.bias", Variable(full({1}, 5))}};
  CHECK(functional_call(net, some, x).item(0, 0) ==
        Approx(own[0] - net.fc2.bias.data().data<float>()[0] + 5));
  CHECK(functional_call(std::as_const(net), {{"fc2.bias", net.fc2.bias}}, x).shape() == Shape{2, 1});
}

TEST_CASE("functional_call restores a model that throws, and a shared layer once") {
  struct Tied {
    std::shared_ptr<Linear> in = std::make_shared<Linear>(2, 2), out = in;
    Variable operator()(const Variable& x) const { return (*out)((*in)(x)); }
  } net;
  const Variable w(zeros({2, 2}), requires_grad);
  const Node* node = net.in->weight.node();
  CHECK(values(functional_call(net, {{"in.weight", w}}, ones({1, 2}))) == values(net.in->bias));
  CHECK(error_of([&] { functional_call(net, {{"in.weight", w}}, ones({1, 3})); }) != "");
  CHECK(net.in->weight.node() == node);
}

TEST_CASE("functional_call names all that does not fit in one error", "[names]") {
  Net net;
  const Variable one(ones({1}));
  CHECK(error_of([&] {
          functional_call(net,
                          {{"fc1.weight", one},
                           {"fc3.weight", one},
                           {"fc2.bias", one},
                           {"fc2.bias", one},
                           {"fc1.bias", {}}},
                          one);
        }) ==
        "functional_call: fc1.weight has shape (1,), the model's (3, 1); the model has no parameter "
        "fc3.weight; fc2.bias is given twice; fc1.bias is undefined");
  CHECK(net(ones({1, 1})).shape() == Shape{1, 1});
}

TEST_CASE("gradients of functional_call go to the values, to second order") {
  Net net;
  to(net, DType::f64);
  std::vector<Array> inputs;
  for (auto& p : parameters(net)) inputs.push_back(tests::random_array(p.value.shape(), inputs.size() + 1));
  const Array x = tests::random_array({4, 1}, 9);
  const auto report = gradcheck(
      [&](const auto& v) {
        Parameters values = parameters(net);
        for (std::size_t i = 0; i < values.size(); ++i) values[i].value = v[i];
        return functional_call(net, values, x);
      },
      inputs);
  INFO(report.message);
  CHECK(report);
}

TEST_CASE("MAML: the gradient goes through a step of the inner loop") {
  Net net;
  to(net, DType::f64);
  const Variable x(tests::random_array({5, 1}, 1)), y(tests::random_array({5, 1}, 2));
  auto adapted = [&] {  // the loss behind a step
    Parameters fast = parameters(net);
    const auto g = grad(mse_loss(functional_call(net, fast, x), y), variables(fast), {.create_graph = true});
    for (std::size_t i = 0; i < fast.size(); ++i) fast[i].value = fast[i].value - .1 * g[i];
    return mse_loss(functional_call(net, fast, x), y);
  };
  adapted().backward();
  Array& w = net.fc1.weight.mutable_data();
  const double slope = net.fc1.weight.grad().data<double>()[0], h = 1e-6;
  w.mutable_data<double>()[0] += h;
  const double above = adapted().item();
  w.mutable_data<double>()[0] -= 2 * h;
  CHECK((above - adapted().item()) / (2 * h) == Approx(slope).epsilon(1e-5));
}

TEST_CASE("checkpoint within functional_call is an error: it would run again with other parameters") {
  struct Kept {
    Linear fc{1, 1};
    Variable operator()(const Variable& x) const {
      return checkpoint([this](const Variable& v) { return fc(v); }, x);
    }
  } net;
  const Variable x(ones({1, 1}), requires_grad);
  CHECK(error_of([&] {
          functional_call(net, parameters(net), x);
        }).starts_with("checkpoint: within functional_call the second run"));
  net(x).backward();
  NoGrad off;
  CHECK(functional_call(net, parameters(net), x).shape() == Shape{1, 1});
}
