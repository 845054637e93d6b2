#pragma once
// Indexing: gathering elements and rows by indices, and the adjoints that add them back. Indices are Arrays
// or Variables of integers of any type. One out of range is an Error that names it; negative ones are not
// allowed.
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// y[i][j] = x[index[i][j]][j] for axis 0, and so on (as torch.gather): `index` has x's rank and is nowhere
/// longer than x except along the axis.
Variable gather(const Variable& x, Axis axis, const Variable& index);
/// x with `source` added at the indexed places: the adjoint of gather (as torch.scatter_add). Repeated
/// indices add up. Throws Error for what is not f32, f64 or i64.
Variable scatter_add(const Variable& x, Axis axis, const Variable& index, const Variable& source);
/// Whole rows along an axis: (..., n, ...) by indices of shape (k...) -> (..., k..., ...), as numpy.take; of
/// one axis of indices, torch.index_select.
Variable take(const Variable& x, const Variable& indices, Axis axis = 0);
/// Rows of a weight (vocabulary, features) by indices (k...) -> (k..., features).
Variable embedding(const Variable& weight, const Variable& indices);
/// 1 at each index and 0 elsewhere: (k...) -> (k..., classes).
Array one_hot(const Variable& indices, long classes, DType dtype = DType::f32);

}  // namespace xgrad
