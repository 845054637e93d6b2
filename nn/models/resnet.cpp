// Residual networks for CIFAR.
#include <xgrad/nn/models/resnet.hpp>

#include <xgrad/core/base/error.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/pool.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {
namespace {

constexpr long most_blocks = 10'000;  // 60,002 layers

Conv2d conv3x3(long in, long out, long stride = 1) {
  return Conv2d(in, out, {.kernel = 3, .stride = stride, .padding = 1, .bias = false, .init = he()});
}

}  // namespace

ResidualBlock::ResidualBlock(long in, long out, long stride)
    : conv1(conv3x3(in, out, stride)),
      conv2(conv3x3(out, out)),
      bn1(out),
      bn2(out),
      stride(stride),
      added(out - in) {}

Variable ResidualBlock::operator()(const Variable& x) const {
  const LayerCall call(*this);
  Variable shortcut = x;
  if (stride > 1)
    for (int axis : {2, 3}) shortcut = slice(shortcut, axis, 0, x.shape()[axis], stride);
  if (added) shortcut = pad(shortcut, {{0, 0}, {added / 2, added - added / 2}, {0, 0}, {0, 0}});
  return relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut);
}

ResNet::ResNet(long n, long classes) : conv1(conv3x3(3, 16)), bn1(16), fc(64, classes, {.init = he()}) {
  expect(1 <= n && n <= most_blocks, "ResNet: {} blocks in a stage, not 1 to {}", n, most_blocks);
  long in = 16;
  for (long width : {16, 32, 64})
    for (long i = 0; i < n; ++i) {
      blocks.emplace_back(in, width, i == 0 && width > 16 ? 2 : 1);
      in = width;
    }
}

Variable ResNet::operator()(const Variable& images) const {
  Variable x = relu(bn1(conv1(images)));
  for (auto& block : blocks) x = block(x);
  return fc(global_avg_pool(x));
}

}  // namespace xgrad
