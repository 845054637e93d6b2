// Operations of one's own, in a classifier of points on two spirals: a smooth one, whose gradients are
// checked, and a threshold whose gradient is that of the identity (Bengio et al., 2013).
#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/xgrad.hpp>
using namespace xgrad;

Variable softsign(const Variable& x) {
  return elementwise("softsign", [](auto v) { return v / (1 + pack::abs(v)); },
                     {{x, [=](auto& gy) { return gy / square(1 + abs(x)); }}});
}

Variable threshold(const Variable& x) {
  return elementwise("threshold", [](auto v) { return pack::mask(v, v > 0); },
                     {{x, [](auto& gy) { return gy; }}});
}

struct Net {
  Linear first{2, 64}, second{64, 64}, last{64, 1};
  Variable operator()(const Variable& x) const { return last(threshold(second(softsign(first(x))))); }
};

int main() {
  manual_seed(1);
  fmt::print("{}\n", gradcheck([](auto& v) { return softsign(v[0]); }, {randn({3, 4}, DType::f64)}).message);

  const Variable t = rand({400, 1}), side = randint(2, {400, 1}).cast(DType::f32);
  const Variable angle = 6 * t + 3.14159 * side;
  const Variable x = t * concat({cos(angle), sin(angle)}, 1) + .01 * randn({400, 2});
  Net net;
  Adam adam(parameters(net), {.lr = 1e-2});
  for (int step = 0; step <= 400; ++step) {
    const Variable y = net(4 * x), loss = binary_cross_entropy_with_logits(y, side);
    if (step % 100 == 0)
      fmt::print("step {:3}  loss {:.4f}, right {:.3f}\n", step, loss.item(),
                 mean(where((y > 0) == side, 1., 0.)).item());
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
}
