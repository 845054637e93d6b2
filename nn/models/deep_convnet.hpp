#pragma once
// The book's deep convolutional network (volume 1, chapter 8), and the posts' headline: the same, widened.
#include <array>

#include <xgrad/nn/layers.hpp>

namespace xgrad {

/// The sizes of a DeepConvNet; those of the posts' headline when not given.
struct DeepConvNetOptions {
  long channels = 3;                         ///< of the images
  long size = 32;                            ///< pixels of a side
  std::array<long, 3> widths{64, 128, 256};  ///< channels of the three pairs of convolutions
  long padding4 = 1;   ///< of the fourth convolution: the book's 2 lets 14 pixels become 8
  long hidden = 1024;  ///< neurons of the hidden layer
  long classes = 10;   ///< logits of an image
};
/// The book's, for MNIST: 28, 14, 16, 8 and 4 pixels.
inline constexpr DeepConvNetOptions book_deep_convnet{
    .channels = 1, .size = 28, .widths = {16, 32, 64}, .padding4 = 2, .hidden = 50};

/// (N, channels, size, size) -> (N, classes): three pairs of 3x3 convolutions with ReLU, a max-pool of 2x2
/// after each pair, a hidden layer; the book's dropout of .5 on the hidden layer and on the logits. Weights
/// start as N(0, 2 / fan_in); conv1's as if it had one input channel, in the posts a leftover from MNIST. The
/// headline (64, 64, 128, 128, 256, 256, 4096 -> 1024 -> 10) has 5,350,986 parameters.
struct DeepConvNet {
  /// Throws Error for images that are too small for three pools, and for sizes and a padding that cannot be.
  explicit DeepConvNet(const DeepConvNetOptions& options = {});
  /// The logits.
  Variable operator()(const Variable& images) const;
  /// For visit() only: names the parameters.
  void each(auto&& f) {
    f("conv1", conv1), f("conv2", conv2), f("conv3", conv3), f("conv4", conv4), f("conv5", conv5),
        f("conv6", conv6);
    f("fc1", fc1), f("fc2", fc2);
  }

  ///@{
  /// The three pairs of convolutions.
  Conv2d conv1, conv2, conv3, conv4, conv5, conv6;
  ///@}
  ///@{
  /// The hidden layer and the last one.
  Linear fc1, fc2;
  ///@}
  Dropout dropout{.p = 0.5, .inverted = false};  ///< behind both, the book's way
};

}  // namespace xgrad
