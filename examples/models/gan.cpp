// A generative adversarial network with gradient penalty (Gulrajani et al., 2017) that learns a ring.
#include <xgrad/xgrad.hpp>
using namespace xgrad;

struct Painter {
  Linear first{2, 64}, second{64, 64}, last{64, 2};
  Variable operator()(const Variable& z) const { return last(relu(second(relu(first(z))))); }
};

struct Critic {
  Linear first{2, 64}, second{64, 64}, last{64, 1};
  Variable operator()(const Variable& x) const {
    return last(leaky_relu(second(leaky_relu(first(x), .2)), .2));
  }
};

// n points around the circle of radius 2.
Variable ring(long n) {
  const Variable angle = 6.2832 * rand({n, 1});
  return 2 * concat({cos(angle), sin(angle)}, 1) + .05 * randn({n, 2});
}

// (|gradient| - 1)^2 at points between real and generated ones.
Variable penalty(const Critic& critic, const Variable& real, const Variable& fake) {
  const Variable mix = rand({128, 1});
  const Variable between((mix * real + (1 - mix) * fake).data(), requires_grad);
  const Variable g = grad(critic(between), {between}, {.create_graph = true})[0];
  return mean(square(sqrt(sum(square(g), 1)) - 1));
}

int main() {
  manual_seed(1);
  Painter painter;
  Critic critic;
  Adam adam_p(parameters(painter), {.lr = 1e-3, .beta1 = .5, .beta2 = .9});
  Adam adam_c(parameters(critic), {.lr = 1e-3, .beta1 = .5, .beta2 = .9});
  for (int step = 0; step <= 1500; ++step) {
    for (int i = 0; i < 5; ++i) {
      const Variable real = ring(128), fake = painter(randn({128, 2})).detach();
      adam_c.zero_grad();
      (mean(critic(fake)) - mean(critic(real)) + .1 * penalty(critic, real, fake)).backward();
      adam_c.step();
    }
    adam_p.zero_grad();
    (-mean(critic(painter(randn({128, 2}))))).backward();
    adam_p.step();
    if (step % 500) continue;
    const Variable radius = sqrt(sum(square(painter(randn({1000, 2}))), 1));
    fmt::print("step {:4}  radius {:.3f}, variance {:.4f}\n", step, mean(radius).item(), var(radius).item());
  }
}
