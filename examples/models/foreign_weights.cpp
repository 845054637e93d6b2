// Weights that another program saved, under names of its own, in a model of one's own; the last layer is new.
#include <xgrad/xgrad.hpp>
using namespace xgrad;

struct Net {
  Conv2d conv1{3, 8, {.kernel = 3, .padding = 1}}, conv2{8, 16, {.kernel = 3, .padding = 1}};
  Linear head{16 * 8 * 8, 5};
  Variable features(const Variable& x) const {
    return flatten(max_pool2d(relu(conv2(max_pool2d(relu(conv1(x)), 2))), 2));
  }
  Variable operator()(const Variable& x) const { return head(features(x)); }
};

int main(int, char** argv) {
  manual_seed(1);
  Net net;
  const LoadReport report = load(net, argv[1],
                                 {.rename = {{"features.0.weight", "conv1.weight"},
                                             {"features.0.bias", "conv1.bias"},
                                             {"features.3.weight", "conv2.weight"},
                                             {"features.3.bias", "conv2.bias"},
                                             {"classifier.weight", ""},
                                             {"classifier.bias", ""}},
                                  .strict = false});
  for (auto& name : report.missing) fmt::print("not in the file: {}\n", name);
  for (auto& name : report.unexpected) fmt::print("not in the model: {}\n", name);

  set_requires_grad(net.conv1, false);
  set_requires_grad(net.conv2, false);
  SGD sgd(parameters(net.head), {.lr = .01});
  const Variable x(randn({20, 3, 32, 32}));
  const Array labels = randint(5, {20});
  for (int step = 0; step <= 50; ++step) {
    const Variable loss = cross_entropy(net(x), labels);
    if (step % 25 == 0) fmt::print("step {:2}  loss {:.4f}\n", step, loss.item());
    sgd.zero_grad();
    loss.backward();
    sgd.step();
  }
}
