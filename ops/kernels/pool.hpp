#pragma once
// Kernels of max-pooling: the largest of each window and its index, and reading and writing at recorded
// indices.
#include <utility>

#include <xgrad/core/array/array.hpp>
#include <xgrad/ops/kernels/window.hpp>

namespace xgrad::kernels {

/// The largest element of each window and its index in the window, row by row: u8, or i64 for windows above
/// 256.
std::pair<Array, Array> max_pool(const Array& x, const Windows2d& s);
/// (n, c, h.size, w.size) -> (n, c, h.count, w.count): the elements at the indices.
Array pool_gather(const Array& x, const Array& indices, const Windows2d& s);
/// The adjoint.
Array pool_scatter(const Array& g, const Array& indices, const Windows2d& s);

}  // namespace xgrad::kernels
