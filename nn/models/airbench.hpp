#pragma once
// The small network that reaches 94 % on CIFAR-10 quickly (K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a
// single GPU", 2024).
#include <array>
#include <optional>

#include <xgrad/nn/layers.hpp>

namespace xgrad {

/// Two convolutions, pooled after the first: conv 3x3, max-pool 2, norm, GELU, conv 3x3, norm, GELU; or the
/// first alone.
struct AirbenchGroup {
  /// From `in` to `out` channels, by one convolution or two. Throws Error for other numbers of them.
  AirbenchGroup(long in, long out, long convolutions = 2);
  /// (N, in, H, W) -> (N, out, H / 2, W / 2), rounded down.
  Variable operator()(const Variable& x) const;
  /// For visit() only: names the parameters.
  void each(auto&& f) { f("conv1", conv1), f("norm1", norm1), f("conv2", conv2), f("norm2", norm2); }

  ///@{
  /// Without a bias.
  Conv2d conv1;
  std::optional<Conv2d> conv2;
  ///@}
  ///@{
  /// Only their shift is trained.
  BatchNorm norm1;
  std::optional<BatchNorm> norm2;
  ///@}
};

/// What Airbench is made of.
struct AirbenchOptions {
  std::array<long, 3> widths = {64, 256, 256};  ///< channels of the three groups
  long whitening = 24;                          ///< channels of the first layer: even, at most 24
  long first_convolutions = 2;                  ///< of the first group: 1 or 2
  long classes = 10;                            ///< logits
};

/// (N, 3, 32, 32) -> (N, classes): a whitening convolution of 2x2 (31x31 pixels), GELU, three groups (31, 15,
/// 7, 3 pixels), max-pool 3, a linear layer without bias, divided by its width. Convolutions start as U(+-1 /
/// sqrt(9 in)) with the identity in the first filters.
struct Airbench {
  /// Throws Error when the channels of the first layer are none that whitening has, and for a first group of
  /// neither one convolution nor two.
  explicit Airbench(const AirbenchOptions& options = {});
  /// The logits.
  Variable operator()(const Variable& images) const;
  /// Sets the whitening filters from normalised training images (N, 3, 32, 32); they are never trained.
  void whiten(const Array& images);
  /// For visit() only: names the parameters.
  void each(auto&& f) { f("whitening", whitening), f("groups", groups), f("head", head); }

  Conv2d whitening;                   ///< whose weight whiten() sets; its bias is trained
  std::vector<AirbenchGroup> groups;  ///< three
  Linear head;                        ///< the last layer
};

}  // namespace xgrad
