#pragma once
// Reductions. Without axes all are reduced; negative axes count from the last; reduced axes are dropped
// unless `keepdims`.
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// To be written after the axes: sum(x, {0, 2, 3}, keepdims).
inline constexpr bool keepdims = true;

/// The sum of the elements, computed and returned in the arithmetic type of their dtype (see `arithmetic`); 0
/// if there are none. As in the others: without axes of all elements; negative axes count from the last; the
/// axes are dropped unless `keepdims`. Along any axes and of any number of elements its error is at most 4 u
/// sum(|x|), where u is 2^-24 in f32 and 2^-53 in f64, unless some of the elements have a sum that overflows.
Variable sum(const Variable& x, const Axes& axes = {}, bool keep = false);
/// The mean of the elements: their sum, with its error and its range, divided by their number. Throws Error
/// when there are none, and for integers.
Variable mean(const Variable& x, const Axes& axes = {}, bool keep = false);
/// The mean square distance from the mean (divided by n, as NumPy does; PyTorch divides by n - 1). Its error
/// is some u var wherever the mean is, and it is never negative.
Variable var(const Variable& x, const Axes& axes = {}, bool keep = false);
/// The largest element; equal ones share the gradient evenly. NaN propagates. Throws Error when there is
/// none.
Variable max(const Variable& x, const Axes& axes = {}, bool keep = false);
/// The smallest element; equal ones share the gradient evenly. NaN propagates. Throws Error when there is
/// none.
Variable min(const Variable& x, const Axes& axes = {}, bool keep = false);
/// The product of n elements, with a relative error of at most n u, of about sqrt(n) u where roundings are
/// random; its gradients are right where elements are 0.
Variable prod(const Variable& x, const Axes& axes = {}, bool keep = false);
/// log(sum(exp(x))), without overflow; minus infinity where there are no elements.
Variable logsumexp(const Variable& x, const Axes& axes = {}, bool keep = false);
/// The sums of the first 1, 2, ... elements along an axis, each with an error of at most 2 u sum(|x|); those
/// of i64 are exact but for overflow.
Variable cumsum(const Variable& x, Axis axis);
/// The index of the first largest element along an axis, as i64. Throws Error when the axis is empty.
Array argmax(const Variable& x, Axis axis, bool keep = false);

}  // namespace xgrad
