#pragma once
// Pooling over images (N, C, H, W).
#include <xgrad/ops/conv.hpp>

namespace xgrad {

/// Where the windows of pooling lie.
struct PoolOptions {
  Pair stride = 0;   ///< 0 stands for the kernel's size
  Pair padding = 0;  ///< at most half of the kernel
};
/// The largest element of each window; the first of equal ones gets the gradient. Padding never wins. A NaN
/// does. (N, C, H, W) -> (N, C, OH, OW) with OH = (H + 2 padding - kernel) / stride + 1.
Variable max_pool2d(const Variable& x, Pair kernel, const PoolOptions& options = {});
/// The mean of each window, zeros of the padding included.
Variable avg_pool2d(const Variable& x, Pair kernel, const PoolOptions& options = {});
/// The mean over each image: (N, C, H, W) -> (N, C).
Variable global_avg_pool(const Variable& x);

}  // namespace xgrad
