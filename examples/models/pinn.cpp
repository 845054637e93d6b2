// A physics-informed network (Raissi et al., 2019): u'' = -u with u(0) = 0 and u'(0) = 1, whose solution is
// sin.
#include <xgrad/xgrad.hpp>
using namespace xgrad;

struct Net {
  Linear first{1, 32}, second{32, 32}, last{32, 1};
  Variable operator()(const Variable& x) const { return last(tanh(second(tanh(first(x))))); }
};

Variable derivative(const Variable& u, const Variable& x) { return grad(u, {x}, {.create_graph = true})[0]; }

int main() {
  manual_seed(1);
  Net net;
  Adam adam(parameters(net), {.lr = 3e-3});
  const Variable origin(zeros({1, 1}), requires_grad);
  for (int step = 0; step <= 2000; ++step) {
    const Variable x((3 * rand({64, 1})).data(), requires_grad);
    const Variable u = net(x), u0 = net(origin);
    const Variable equation = mean(square(derivative(derivative(u, x), x) + u));
    const Variable loss = equation + sum(square(u0) + square(derivative(u0, origin) - 1));
    if (step % 500 == 0) fmt::print("step {:4}  loss {:.6f}\n", step, loss.item());
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  const Variable x(linspace(0, 3, 31).reshape({31, 1}));
  fmt::print("largest error on [0, 3]: {:.4f}\n", max(abs(net(x) - sin(x))).item());
}
