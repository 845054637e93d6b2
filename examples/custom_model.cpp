// A custom layer, operation and model, trained and checked.
#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/xgrad.hpp>
#include "examples/common/program.hpp"

using namespace xgrad;

// An operation: what it computes, and a rule for each input. Rules are written with Variables, so every order
// is right.
Variable mish(const Variable& x) { return x * tanh(softplus(x)); }  // composed: no rule needed
Variable softsign(const Variable& x) {
  return elementwise("softsign", [](auto v) { return v / (1 + pack::abs(v)); },
                     {{x, [=](auto& gy) { return gy / square(1 + abs(x)); }}});
}

// A layer: parameters, and a call operator made of operations. It needs no backward pass.
struct ScaledLinear {
  Linear linear;
  Parameter scale{ones({1})};
  Variable operator()(const Variable& x) const { return linear(x) * scale; }
};

// A model: a struct of layers. Nothing is registered; parameters, saving and copying find the members by
// themselves.
struct SineNet {
  ScaledLinear first{Linear(1, 32)};
  Linear second{32, 32}, last{32, 1};
  Variable operator()(const Variable& x) const { return last(softsign(second(mish(first(x))))); }
};

static int run() {
  manual_seed(1);
  SineNet net;
  for (auto& p : parameters(net)) print("{:20} {} numbers\n", p.name, p.value.size());

  Adam adam(parameters(net), {.lr = 1e-2});
  const Variable x = default_generator().uniform({256, 1}, -3, 3), y = sin(x * 2);
  for (int step = 0; step <= 1000; ++step) {
    const Variable loss = mse_loss(net(x), y);
    if (step % 250 == 0) print("step {:4}  loss {:.6f}\n", step, loss.item());
    adam.zero_grad();
    loss.backward();
    adam.step();
  }

  // Are first and second derivatives right? The same model in f64, against finite differences.
  to(net, DType::f64);
  const auto report = gradcheck([&](const auto& v) { return net(v[0]); },
                                {default_generator().normal({4, 1}, 0, 1, DType::f64)});
  print("gradient check: {}, largest {}\n", report ? "passed" : "FAILED", report.message);
  return report ? 0 : 1;
}

int main(int argc, char** argv) {
  CLI::App app("Trains and checks a custom layer, operation and model.");
  return program(app, argc, argv, run);
}
