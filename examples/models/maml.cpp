// Model-agnostic meta-learning (Finn et al., 2017): a network that learns a new sine curve in one step.
#include <xgrad/xgrad.hpp>
using namespace xgrad;

struct Net {
  Linear first{1, 40}, second{40, 40}, last{40, 1};
  Variable operator()(const Variable& x) const { return last(relu(second(relu(first(x))))); }
};

struct Task {
  double amplitude = .5 + 4 * rand({}).item(), phase = 3.14159 * rand({}).item();
  std::pair<Variable, Variable> draw(long n) const {
    const Variable x = 10 * rand({n, 1}) - 5;
    return {x, amplitude * sin(x + phase)};
  }
};

// The loss after one step on ten points of a task, measured on ten others.
Variable adapted_loss(Net& net, const Task& task) {
  Parameters fast = parameters(net);
  const auto [x, y] = task.draw(10);
  const auto g = grad(mse_loss(functional_call(net, fast, x), y), variables(fast), {.create_graph = true});
  for (std::size_t i = 0; i < fast.size(); ++i) fast[i].value = fast[i].value - .01 * g[i];
  const auto [x2, y2] = task.draw(10);
  return mse_loss(functional_call(net, fast, x2), y2);
}

int main() {
  manual_seed(1);
  Net net;
  Adam adam(parameters(net), {.lr = 1e-3});
  double mean = 0;
  for (int step = 1; step <= 2000; ++step) {
    Variable loss = 0;
    for (int task = 0; task < 4; ++task) loss += adapted_loss(net, Task()) / 4;
    adam.zero_grad();
    loss.backward();
    adam.step();
    mean += loss.item() / 500;
    if (step % 500 == 0)
      fmt::print("step {:4}  loss after one step of adaptation {:.3f}\n", step, std::exchange(mean, 0));
  }
}
