// A variational autoencoder of pictures of bars (Kingma and Welling, 2013).
#include <xgrad/xgrad.hpp>
using namespace xgrad;

struct VAE {
  Linear encoder{64, 64}, mean{64, 2}, log_variance{64, 2}, hidden{2, 64}, pixels{64, 64};
  Variable decode(const Variable& z) const { return pixels(relu(hidden(z))); }
};

// The negative evidence lower bound: the error of the reconstruction and the divergence from the prior.
Variable loss(const VAE& net, const Variable& x) {
  const Variable h = relu(net.encoder(x)), m = net.mean(h), v = net.log_variance(h);
  const Variable z = m + exp(v / 2) * randn_like(m);
  const Variable error = binary_cross_entropy_with_logits(net.decode(z), x, Reduction::sum);
  const Variable divergence = -.5 * sum(1 + v - square(m) - exp(v));
  return (error + divergence) / x.dim(0);
}

// n pictures of 8 x 8 pixels: one row and one column are white.
Variable bars(long n) {
  const Variable row = one_hot(randint(8, {n, 1}), 8), column = one_hot(randint(8, {n, 1}), 8);
  return flatten(maximum(transpose(row, {0, 2, 1}), column));
}

int main() {
  manual_seed(1);
  VAE net;
  Adam adam(parameters(net), {.lr = 3e-3});
  for (int step = 0; step <= 1000; ++step) {
    const Variable bound = loss(net, bars(64));
    if (step % 250 == 0) fmt::print("step {:4}  loss {:.3f}\n", step, bound.item());
    adam.zero_grad();
    bound.backward();
    adam.step();
  }
  NoGrad off;
  fmt::print("loss of 1,000 new pictures: {:.3f}\n", loss(net, bars(1000)).item());
}
