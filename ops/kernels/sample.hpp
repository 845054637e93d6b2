#pragma once
// Estimates of means from a few elements.
#include <xgrad/core/array/array.hpp>

namespace xgrad::kernels {

/// About the mean of each channel of x (N, C, ...), from 32 elements all over it: (1, C, 1, ...). That of a
/// constant is the constant.
Array channel_samples(const Array& x);

}  // namespace xgrad::kernels
