// The book's first convolutional network.
#include <xgrad/nn/models/simple_convnet.hpp>

#include <xgrad/core/base/error.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/pool.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {
namespace {

/// Numbers that the pool leaves of an image.
long pooled_length(long size) {
  expect(size >= 6, "SimpleConvNet: images of {} pixels are too small", size);
  const long side = (size - 4) / 2;
  check_shape("SimpleConvNet", {30, side, side}, sizeof(float));
  return 30 * side * side;
}

}  // namespace

SimpleConvNet::SimpleConvNet(long channels, long size)
    : conv1(channels, 30, {.kernel = 5, .init = normal(.01)}),
      fc1(pooled_length(size), 100, {.init = normal(.01)}),
      fc2(100, 10, {.init = normal(.01)}) {}

Variable SimpleConvNet::operator()(const Variable& images) const {
  return fc2(relu(fc1(flatten(max_pool2d(relu(conv1(images)), 2)))));
}

}  // namespace xgrad
