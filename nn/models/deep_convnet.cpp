// The book's deep convolutional network.
#include <xgrad/nn/models/deep_convnet.hpp>

#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/pool.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {
namespace {

Conv2d he_conv(long in, long out, long padding = 1, const Initializer& init = he()) {
  return Conv2d(in, out, {.kernel = 3, .padding = padding, .init = init});
}

/// Numbers that the last pool leaves of an image.
long pooled_features(const DeepConvNetOptions& o) {
  expect(o.size <= max_array_bytes && o.padding4 >= 0 && o.padding4 <= max_array_bytes,
         "DeepConvNet: size is {} and padding4 {}, not in [0, 2^56]", o.size, o.padding4);
  const long side = ((o.size / 2 + 2 * o.padding4 - 2) / 2) / 2;
  expect(o.size >= 2 && side >= 1, "DeepConvNet: images of {} pixels are too small", o.size);
  check_shape("DeepConvNet", {o.widths[2], side, side}, sizeof(float));
  return o.widths[2] * side * side;
}

}  // namespace

DeepConvNet::DeepConvNet(const DeepConvNetOptions& o)
    : conv1(he_conv(o.channels, o.widths[0], 1, normal(std::sqrt(2. / 9)))),
      conv2(he_conv(o.widths[0], o.widths[0])),
      conv3(he_conv(o.widths[0], o.widths[1])),
      conv4(he_conv(o.widths[1], o.widths[1], o.padding4)),
      conv5(he_conv(o.widths[1], o.widths[2])),
      conv6(he_conv(o.widths[2], o.widths[2])),
      fc1(pooled_features(o), o.hidden, {.init = he()}),
      fc2(o.hidden, o.classes, {.init = he()}) {}

Variable DeepConvNet::operator()(const Variable& images) const {
  auto x = max_pool2d(relu(conv2(relu(conv1(images)))), 2);
  x = max_pool2d(relu(conv4(relu(conv3(x)))), 2);
  x = max_pool2d(relu(conv6(relu(conv5(x)))), 2);
  x = dropout(relu(fc1(flatten(x))));
  return dropout(fc2(x));
}

}  // namespace xgrad
