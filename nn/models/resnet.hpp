#pragma once
// Residual networks for CIFAR (He et al., "Deep residual learning for image recognition", 2016, section 4.2).
#include <vector>

#include <xgrad/nn/layers.hpp>

namespace xgrad {

/// y = relu(x + bn(conv(relu(bn(conv(x)))))), both convolutions 3x3. With stride 2 the picture is halved and
/// the channels doubled; x then goes by every second pixel, the new channels zero (the paper's option A).
struct ResidualBlock {
  /// From `in` to `out` channels; `stride` is that of conv1.
  ResidualBlock(long in, long out, long stride);
  /// (N, in, H, W) -> (N, out, H / stride, W / stride), rounded up.
  Variable operator()(const Variable& x) const;
  /// For visit() only: names the parameters.
  void each(auto&& f) { f("conv1", conv1), f("bn1", bn1), f("conv2", conv2), f("bn2", bn2); }

  ///@{
  /// 3x3, without a bias.
  Conv2d conv1, conv2;
  ///@}
  ///@{
  /// Behind each convolution.
  BatchNorm bn1, bn2;
  ///@}
  ///@{
  /// The stride of conv1 and of the shortcut, and the channels that the block adds.
  long stride, added;
  ///@}
};

/// (N, 3, H, W) -> (N, classes): a 3x3 convolution, three stages of n blocks with 16, 32 and 64 channels, the
/// mean over the picture, a linear layer. 6 n + 2 layers: ResNet-20 has n = 3 and 269,722 parameters.
struct ResNet {
  /// `n` is the number of blocks in each stage, 1 to 10,000. Throws Error.
  explicit ResNet(long n = 3, long classes = 10);
  /// The logits.
  Variable operator()(const Variable& images) const;
  /// For visit() only: names the parameters.
  void each(auto&& f) { f("conv1", conv1), f("bn1", bn1), f("blocks", blocks), f("fc", fc); }

  Conv2d conv1;                       ///< from the picture to 16 channels
  BatchNorm bn1;                      ///< behind it
  std::vector<ResidualBlock> blocks;  ///< 3 n
  Linear fc;                          ///< the last layer
};

}  // namespace xgrad
