#pragma once
// Convolution 3x3 with stride 1 in f32 by Winograd's F(4x4, 3x3): a quarter of the multiplications.
// Largest error against f64, for numbers of one size and relative to the largest result: 1e-5. Tiles and
// kernels whose numbers differ too much (see winograd_range.hpp) are computed directly, so that in any case
//   |error| <= 256 u (largest |x| in the result's window of 3x3, over channels) (sum of its |w|), u = 2^-24.
#include <xgrad/ops/kernels/conv.hpp>

namespace xgrad::kernels::winograd {

/// Whether the kernel is 3x3 with stride and dilation 1, one group and a padding of at most 2.
bool can(const ConvShape& s);
/// Whether it is also faster than the general lowering.
bool should(const ConvShape& s);

/// False, and nothing is computed, where the weights differ too much.
bool forward(const float* x, const float* weight, float* y, const ConvShape& s);
bool input_gradient(const float* g, const float* weight, float* gx, const ConvShape& s);
void weight_gradient(const float* g, const float* x, float* gw, const ConvShape& s);

}  // namespace xgrad::kernels::winograd
