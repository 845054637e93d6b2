#pragma once
// The three kernels of convolution, and the windows they are made of. How they work is an implementation
// detail.
#include <xgrad/core/array/array.hpp>
#include <xgrad/ops/kernels/window.hpp>

namespace xgrad::kernels {

/// The geometry of a convolution. c and o count the channels of one group.
struct ConvShape : Windows2d {
  long groups, o;
  bool direct;  // by the general lowering in any case
};

/// How convolutions are computed: by their shape, or always one way (where that is possible; Winograd's for
/// tests).
enum class ConvLowering { automatic, general, winograd };
void set_conv_lowering(ConvLowering lowering);

// In what follows h, kh and oh stand for h.size, h.kernel and h.count.
/// x (n, groups c, h, w), weight (groups o, c, kh, kw) -> (n, groups o, oh, ow).
Array conv2d(const Array& x, const Array& weight, const ConvShape& s);
/// Its derivative with respect to x: g (n, groups o, oh, ow) -> (n, groups c, h, w).
Array conv2d_input(const Array& g, const Array& weight, const ConvShape& s);
/// Its derivative with respect to the weight: g, x -> (groups o, c, kh, kw).
Array conv2d_weight(const Array& g, const Array& x, const ConvShape& s);

/// x (n, c, h, w) -> (n, c kh kw, oh ow), and the adjoint.
Array unfold(const Array& x, const Windows2d& s);
Array fold(const Array& columns, const Windows2d& s);

}  // namespace xgrad::kernels
