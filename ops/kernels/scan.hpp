#pragma once
// Kernels that walk along one axis: running sums and the index of the largest.
#include <xgrad/core/array/array.hpp>

namespace xgrad::kernels {

/// Running sums along an axis.
Array cumsum(const Array& x, int axis);
/// The index (i64) of the first largest element along an axis, which is kept with length 1; a NaN counts as
/// largest.
Array argmax(const Array& x, int axis);

}  // namespace xgrad::kernels
