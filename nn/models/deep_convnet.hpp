#pragma once
// The convolutional network of the posts' headline: the book's DeepConvNet (volume 1, chapter 8), widened for
// CIFAR-10.
#include "nn/layers.hpp"

namespace xgrad {

/// (N, 3, 32, 32) -> (N, 10): six 3x3 convolutions of 64, 64, 128, 128, 256 and 256 channels with ReLU, a
/// max-pool after every second one, then 4096 -> 1024 -> 10 with the book's dropout of .5 on the hidden layer
/// and on the logits. 5,350,986 parameters. Weights start as N(0, 2 / fan_in); conv1's as if it had one input
/// channel, a leftover from MNIST. The last width may be changed, and all of them divided, for a smaller net.
struct DeepConvNet {
  explicit DeepConvNet(long classes = 10, long divide = 1);
  Variable operator()(const Variable& images) const;
  void each(auto&& f) {
    f("conv1", conv1), f("conv2", conv2), f("conv3", conv3), f("conv4", conv4), f("conv5", conv5),
        f("conv6", conv6);
    f("fc1", fc1), f("fc2", fc2);
  }

  Conv2d conv1, conv2, conv3, conv4, conv5, conv6;
  Linear fc1, fc2;
  Dropout dropout{.p = 0.5, .inverted = false};
};

}  // namespace xgrad
