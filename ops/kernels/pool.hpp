#pragma once
// Kernels of max-pooling: the largest of each window and its place, and reading and writing at noted places.
#include <utility>

#include <xgrad/core/array/array.hpp>

namespace xgrad::kernels {

struct PoolShape {
  long n, c, h, w;
  long kh, kw, sh, sw, ph, pw;
  long oh, ow;
};

/// The largest element of each window and its place in the window, row by row: u8, or i64 for windows above
/// 256.
std::pair<Array, Array> max_pool(const Array& x, const PoolShape& s);
/// (n, c, h, w) -> (n, c, oh, ow): the elements at the places.
Array pool_gather(const Array& x, const Array& places, const PoolShape& s);
/// (n, c, oh, ow) -> (n, c, h, w): the adjoint.
Array pool_scatter(const Array& g, const Array& places, const PoolShape& s);

}  // namespace xgrad::kernels
