#pragma once
// Strided copies: what transposing, slicing, padding, flipping and joining come down to.
#include <xgrad/core/base/dtype.hpp>
#include <xgrad/core/base/shape.hpp>

namespace xgrad::kernels {

/// Copies the elements of `shape`, each of `width` bytes (1, 4 or 8), between two layouts; offsets and
/// strides are in elements and may be negative. The layouts must not overlap.
void copy(const Shape& shape, long width, const void* from, long from_offset, const Strides& from_strides,
          void* to, long to_offset, const Strides& to_strides);
/// The same for f32 or f64, added to what is there.
void add(const Shape& shape, DType dtype, const void* from, long from_offset, const Strides& from_strides,
         void* to, long to_offset, const Strides& to_strides);

}  // namespace xgrad::kernels
