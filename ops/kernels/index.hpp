#pragma once
// Kernels of gathering and scattering. Indices are i64 and have been checked.
#include <xgrad/core/array/array.hpp>

namespace xgrad::kernels {

Array gather(const Array& x, int axis, const Array& index);
/// x + the source's elements at the indexed places.
Array scatter_add(Array x, int axis, const Array& index, const Array& source);
/// Rows of x along the axis.
Array take(const Array& x, const Array& indices, int axis);
/// Zeros of the given shape with rows added along the axis, in the order of the indices.
void take_add(const Array& rows, const Array& indices, int axis, const Shape& shape, char* out);
/// The same, added to what is there.
void add_take_add(const Array& rows, const Array& indices, int axis, const Shape& shape, char* sum);

}  // namespace xgrad::kernels
