#pragma once
// Shape: operations that move elements without changing them. Negative axes count from the last.
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// The same elements in another shape; one length may be -1. Throws Error when the sizes differ.
Variable reshape(const Variable& x, const Shape& shape);
/// (N, ...) -> (N, the rest): all axes from `start` on become one.
Variable flatten(const Variable& x, int start = 1);
/// The axes in the given order; reversed without one, so that (m, n) -> (n, m).
Variable transpose(const Variable& x, const Axes& order = {});
/// Without the given axes, which must have length 1; without all such axes when none is given.
Variable squeeze(const Variable& x, const Axes& axes = {});
/// With a new axis of length 1 at the given place of the result.
Variable unsqueeze(const Variable& x, Axis axis);
/// The arrays one after another along an axis; their other lengths must agree.
Variable concat(const std::vector<Variable>& xs, Axis axis = 0);
/// Arrays of one shape along a new axis.
Variable stack(const std::vector<Variable>& xs, Axis axis = 0);
/// Parts of the given lengths along an axis, which must add up to its length.
Variables split(const Variable& x, const std::vector<long>& lengths, Axis axis = 0);
/// x[start:stop:step] along an axis by NumPy's rules: negative positions count from the end, too large ones
/// are cut.
Variable slice(const Variable& x, Axis axis, long start, long stop, long step = 1);
/// `value` before and after the elements of each axis; the last axes when fewer pairs than axes are given.
/// Throws Error for negative widths, and where an array of integers cannot hold the value.
Variable pad(const Variable& x, const std::vector<std::pair<long, long>>& widths, double value = 0);
/// The elements in reverse order along the given axes (all when none is given).
Variable flip(const Variable& x, const Axes& axes = {});

}  // namespace xgrad
