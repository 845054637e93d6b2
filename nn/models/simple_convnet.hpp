#pragma once
// The book's first convolutional network (volume 1, chapter 7).
#include <xgrad/nn/layers.hpp>

namespace xgrad {

/// (N, channels, size, size) -> (N, 10): a convolution of 30 kernels of 5x5, ReLU, a max-pool of 2x2, a layer
/// of 100, ReLU, a layer of 10. Weights start as N(0, 0.01^2).
struct SimpleConvNet {
  /// For images of `size` pixels a side. Throws Error for fewer than 6, and for more than memory can be
  /// counted for.
  SimpleConvNet(long channels, long size);
  /// The logits.
  Variable operator()(const Variable& images) const;
  /// For visit() only: names the parameters.
  void each(auto&& f) { f("conv1", conv1), f("fc1", fc1), f("fc2", fc2); }

  Conv2d conv1;  ///< 30 kernels of 5x5
  ///@{
  /// The hidden layer and the last one.
  Linear fc1, fc2;
  ///@}
};

}  // namespace xgrad
