// The posts' headline network.
#include "nn/models/deep_convnet.hpp"

#include <cmath>

#include "core/error.hpp"
#include "ops/activation.hpp"
#include "ops/pool.hpp"
#include "ops/shape.hpp"

namespace xgrad {
namespace {

Conv2d conv3x3(long in, long out, const Initializer& init = he()) {
  return Conv2d(in, out, {.kernel = 3, .padding = 1, .init = init});
}
long width(long channels, long divide) {
  expect(divide > 0 && channels % divide == 0, "DeepConvNet: {} channels cannot be divided by {}", channels,
         divide);
  return channels / divide;
}

}  // namespace

DeepConvNet::DeepConvNet(long classes, long d)
    : conv1(conv3x3(3, width(64, d), normal(std::sqrt(2. / 9)))),
      conv2(conv3x3(width(64, d), width(64, d))),
      conv3(conv3x3(width(64, d), width(128, d))),
      conv4(conv3x3(width(128, d), width(128, d))),
      conv5(conv3x3(width(128, d), width(256, d))),
      conv6(conv3x3(width(256, d), width(256, d))),
      fc1(width(4096, d), width(1024, d)),
      fc2(width(1024, d), classes) {}

Variable DeepConvNet::operator()(const Variable& images) const {
  auto x = max_pool2d(relu(conv2(relu(conv1(images)))), 2);
  x = max_pool2d(relu(conv4(relu(conv3(x)))), 2);
  x = max_pool2d(relu(conv6(relu(conv5(x)))), 2);
  x = dropout(relu(fc1(flatten(x))));
  return dropout(fc2(x));
}

}  // namespace xgrad
