// A project of somebody else's: an op, a model and a few steps of training with what is installed.
#include <fmt/format.h>

#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/xgrad.hpp>

#include "core/shape.hpp"
#ifndef OUTSIDE_SHAPE
#error "a header of xgrad's came in place of the project's"
#endif

using namespace xgrad;

namespace {

Variable cube(const Variable& x) {
  return elementwise("cube", [](auto v) { return v * v * v; },
                     {{x, [=](auto& gy) { return gy * square(x) * 3; }}});
}

struct Net {
  Linear fc1{2, 8}, fc2{8, 1};
  Variable operator()(const Variable& x) const { return fc2(cube(tanh(fc1(x)))); }
};

}  // namespace

int main() {
  manual_seed(1);
  Net net;
  const Variable x = default_generator().normal({32, 2}), y = sum(x, {1}, keepdims);
  Adam adam(parameters(net), {.lr = 1e-2});
  double first = 0, last = 0;
  for (int step = 0; step < 100; ++step) {
    adam.zero_grad();
    const Variable loss = mse_loss(net(x), y);
    loss.backward();
    adam.step();
    (step ? last : first) = loss.item();
  }
  fmt::print("loss {:.4f} -> {:.4f}\n", first, last);
  return last < first / 2 ? 0 : 1;
}
