// The README's model and a step of its training: it loads neither curl, libarchive nor OpenBLAS.
#include <xgrad/xgrad.hpp>
using namespace xgrad;

struct LeNet {
  Conv2d conv1{1, 6, {.kernel = 5}}, conv2{6, 16, {.kernel = 5}};
  Linear fc1{256, 120}, fc2{120, 10};
  Variable operator()(const Variable& images) const {  // (N, 1, 28, 28) -> (N, 10)
    auto x = max_pool2d(relu(conv1(images)), 2);
    x = max_pool2d(relu(conv2(x)), 2);
    return fc2(relu(fc1(flatten(x))));
  }
};

int main(int, char** argv) {
  LeNet net;
  const Variable images = default_generator().normal({8, 1, 28, 28});
  const Array labels({8}, DType::i64);
  Adam adam(parameters(net), {.lr = 1e-3});
  const auto loss = cross_entropy(net(images), labels);
  adam.zero_grad();
  loss.backward();
  adam.step();
  const auto best = net;
  save(net, std::string(argv[0]) + ".safetensors");
  fmt::print("{}\n", summary(net, {1, 1, 28, 28}).text());
  return cross_entropy(net(images), labels).item() < loss.item() ? 0 : 1;
}
