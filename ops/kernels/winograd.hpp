#pragma once
// Convolution 3x3 with stride 1 in f32 by Winograd's F(4x4, 3x3): a quarter of the multiplications.
// Largest error against f64, relative to the largest result: 1e-5.
#include "ops/kernels/conv.hpp"

namespace xgrad::kernels::winograd {

/// Whether the kernel is 3x3 with stride and dilation 1, one group and a padding of at most 2.
bool can(const ConvShape& s);
/// Whether it is also faster than the general lowering.
bool should(const ConvShape& s);

bool forward(const float* x, const float* weight, float* y, const ConvShape& s);
bool input_gradient(const float* g, const float* weight, float* gx, const ConvShape& s);
void weight_gradient(const float* g, const float* x, float* gw, const ConvShape& s);

}  // namespace xgrad::kernels::winograd
