#pragma once
// Convolution and pooling over images as their definitions say: loops that call no op. Only the options are
// the library's.
#include <xgrad/ops/pool.hpp>
#include "tests/ops/reference.hpp"

namespace xgrad::tests {

Grid conv2d_by_loops(const Grid& x, const Grid& weight, const Conv2dOptions& options);
Grid conv_transpose2d_by_loops(const Grid& x, const Grid& weight, const ConvTranspose2dOptions& options);
Grid unfold_by_loops(const Grid& x, Pair kernel, const WindowOptions& options);
/// Adds the columns back to images of the given shape.
Grid fold_by_loops(const Grid& columns, const Shape& images, Pair kernel, const WindowOptions& options);
/// Each window's elements, those of the padding left out (or as zeros), are given to f.
Grid pool_by_loops(const Grid& x, Pair kernel, const PoolOptions& options, bool with_padding,
                   const std::function<double(const std::vector<double>&)>& f);
/// y with bias (O,) added to the channels.
Grid add_channels(const Grid& y, const Grid& bias);

}  // namespace xgrad::tests
