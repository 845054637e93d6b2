// Optimizers against libtorch's: a small network, 100 steps in f64, the same first weights and data.
#include <torch/torch.h>
#undef CHECK

#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/optim.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"

namespace {

/// AdaGrad's first step is g / |g|: it wants weights for which no gradient is nearly 0.
struct Net {
  xgrad::Linear fc1{5, 7, {.init = xgrad::he()}}, fc2{7, 3, {.init = xgrad::he()}};
  xgrad::Variable operator()(const xgrad::Variable& x) const { return fc2(tanh(fc1(x))); }
};

torch::Tensor tensor(const xgrad::Array& a) {
  std::vector<std::int64_t> shape(a.shape().begin(), a.shape().end());
  return torch::from_blob(const_cast<double*>(a.data<double>()), shape, torch::kFloat64).clone();
}

/// The largest difference of any parameter after 100 steps.
template <class Ours, class Theirs>
double difference(Ours make_ours, Theirs make_theirs) {
  xgrad::manual_seed(11);
  Net net;
  xgrad::to(net, xgrad::DType::f64);
  const xgrad::Array x = xgrad::default_generator().normal({20, 5}, 0, 1, xgrad::DType::f64);
  const xgrad::Array labels = xgrad::default_generator().integers({20}, 0, 3);
  std::vector<torch::Tensor> weights;
  for (auto& p : xgrad::parameters(net)) weights.push_back(tensor(p.value.data()).requires_grad_());
  auto ours = make_ours(xgrad::parameters(net));
  auto theirs = make_theirs(weights);
  const auto tx = tensor(x), tl = torch::from_blob(const_cast<std::int64_t*>(labels.data<std::int64_t>()),
                                                   {20}, torch::kLong);
  for (int step = 0; step < 100; ++step) {
    ours.zero_grad();
    xgrad::cross_entropy(net(x), labels).backward();
    ours.step();
    theirs.zero_grad();
    auto hidden = torch::tanh(torch::linear(tx, weights[0], weights[1]));
    torch::nn::functional::cross_entropy(torch::linear(hidden, weights[2], weights[3]), tl).backward();
    theirs.step();
  }
  double worst = 0;
  const auto parameters = xgrad::parameters(net);
  for (std::size_t i = 0; i < weights.size(); ++i)
    worst = std::max(worst, (tensor(parameters[i].value.data()) - weights[i]).abs().max().item<double>());
  return worst;
}

using Tensors = std::vector<torch::Tensor>;
namespace optim = torch::optim;

}  // namespace

TEST_CASE("optimizers agree with libtorch's over 100 steps") {
  using namespace xgrad;
  CHECK(difference([](auto p) { return xgrad::SGD(p, {.lr = .1, .weight_decay = .01}); },
                   [](Tensors w) { return optim::SGD(w, optim::SGDOptions(.1).weight_decay(.01)); }) < 1e-9);
  CHECK(difference([](auto p) { return Momentum(p, {.lr = .05, .weight_decay = .01}); },
                   [](Tensors w) {
                     return optim::SGD(w, optim::SGDOptions(.05).momentum(.9).weight_decay(.01));
                   }) < 1e-9);
  CHECK(difference([](auto p) { return Nesterov(p, {.lr = .05}); },
                   [](Tensors w) {
                     return optim::SGD(w, optim::SGDOptions(.05).momentum(.9).nesterov(true));
                   }) < 1e-9);
  CHECK(difference([](auto p) { return AdaGrad(p, {.lr = .05, .weight_decay = .01}); },
                   [](Tensors w) {
                     return optim::Adagrad(w, optim::AdagradOptions(.05).weight_decay(.01));
                   }) < 1e-9);
  CHECK(difference([](auto p) { return RMSprop(p, {.lr = .01, .weight_decay = .01}); },
                   [](Tensors w) {
                     return optim::RMSprop(w, optim::RMSpropOptions(.01).weight_decay(.01));
                   }) < 1e-9);
  CHECK(difference([](auto p) { return Adam(p, {.lr = .01, .weight_decay = .01}); },
                   [](Tensors w) { return optim::Adam(w, optim::AdamOptions(.01).weight_decay(.01)); }) <
        1e-9);
  CHECK(difference([](auto p) { return AdamW(p, {.lr = .01, .weight_decay = .1}); },
                   [](Tensors w) { return optim::AdamW(w, optim::AdamWOptions(.01).weight_decay(.1)); }) <
        1e-9);
}
