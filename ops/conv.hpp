#pragma once
// Convolution over images (N, C, H, W): bilinear like matmul, with partners that are its partial derivatives.
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// Two numbers, for height and width; one alone stands for both.
struct Pair {
  ///@{
  /// The numbers for height and for width.
  long h = 0, w = 0;
  ///@}
  /// The same for both.
  Pair(long both) : h(both), w(both) {}
  /// One for height, one for width.
  Pair(long height, long width) : h(height), w(width) {}
  /// Whether both are equal.
  bool operator==(const Pair&) const = default;
};

/// Where the windows of conv2d lie.
struct Conv2dOptions {
  Pair stride = 1;      ///< from one window to the next
  Pair padding = 0;     ///< zeros on each side
  Pair dilation = 1;    ///< distance between the taps of the kernel
  long groups = 1;      ///< input and output channels are split into so many independent convolutions
  bool direct = false;  ///< never by Winograd's algorithm, nor are its gradients of any order
};
/// x (N, C, H, W), weight (O, C / groups, KH, KW), bias (O,) or undefined -> (N, O, OH, OW) with
/// OH = (H + 2 padding - dilation (KH - 1) - 1) / stride + 1. A cross-correlation, as in the book and
/// everywhere.
///
/// In f32, kernels of 3x3 with stride 1 and at least 16 channels on both sides use Winograd's F(4x4, 3x3),
/// whose error follows the largest number of a tile of 6x6 (see docs/architecture.md). Tiles whose numbers
/// differ too much, and those with infinities or NaN, are computed directly, so these change the results
/// whose windows have them and no others.
Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias = {},
                const Conv2dOptions& options = {});

/// With true, no convolution is computed by Winograd's algorithm from now on, in any thread, gradients of
/// earlier ones included: Conv2dOptions::direct for a whole program. Slower, up to four times.
void set_direct_convolution(bool on);

/// Where the windows of conv_transpose2d lie in its result.
struct ConvTranspose2dOptions {
  Pair stride = 1;          ///< from one window to the next
  Pair padding = 0;         ///< what is cut off on each side
  Pair output_padding = 0;  ///< added to the size of the result, where stride leaves it open
  Pair dilation = 1;        ///< distance between the taps of the kernel
  long groups = 1;          ///< input and output channels are split into so many independent convolutions
  bool direct = false;      ///< never by Winograd's algorithm, as in Conv2dOptions
};
/// x (N, C, H, W), weight (C, O / groups, KH, KW), bias (O,) or undefined -> (N, O, OH, OW) with
/// OH = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1: the adjoint of conv2d.
Variable conv_transpose2d(const Variable& x, const Variable& weight, const Variable& bias = {},
                          const ConvTranspose2dOptions& options = {});

/// Where the windows of unfold and fold lie.
struct WindowOptions {
  Pair stride = 1;    ///< from one window to the next
  Pair padding = 0;   ///< zeros on each side
  Pair dilation = 1;  ///< distance between the taps of the kernel
};
/// The windows of a kernel as columns: (N, C, H, W) -> (N, C KH KW, L), L = OH OW, as torch.unfold; the
/// book's im2col.
Variable unfold(const Variable& x, Pair kernel, const WindowOptions& options = {});
/// The adjoint of unfold, which adds overlapping windows up: (N, C KH KW, L) -> (N, C, size.h, size.w); the
/// book's col2im.
Variable fold(const Variable& columns, Pair size, Pair kernel, const WindowOptions& options = {});

}  // namespace xgrad
