#pragma once
// Arithmetic and comparison, elementwise with NumPy's broadcasting. Numbers may stand on either side.
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// a + b. As in all of these, shapes broadcast by NumPy's rules and dtypes are promoted (see `promote`); a
/// number, which is a double, takes the dtype of the other operand. Throws Error where shapes do not fit, and
/// where integers cannot hold a number.
Variable add(const Variable& a, const Variable& b);
/// a - b.
Variable sub(const Variable& a, const Variable& b);
/// a b, element by element; matmul is the product of matrices.
Variable mul(const Variable& a, const Variable& b);
/// a / b; integers are not divided (cast first).
Variable div(const Variable& a, const Variable& b);
/// -x.
Variable neg(const Variable& x);
/// a to the power b. The gradient with respect to b is NaN where a is negative, and 0 at a = b = 0.
Variable pow(const Variable& a, const Variable& b);
/// |x|, with gradient 0 at 0, and NaN where x is.
Variable abs(const Variable& x);
/// The larger of a and b; where they are equal each gets half of the gradient. Where one is NaN the result
/// is, and both gradients.
Variable maximum(const Variable& a, const Variable& b);
/// The smaller of a and b; where they are equal each gets half of the gradient. Where one is NaN the result
/// is, and both gradients.
Variable minimum(const Variable& a, const Variable& b);
/// a where `condition` is not 0, else b. The condition may have any dtype and gets no gradient. Where a and
/// b have one dtype so has the result, else they are promoted; two numbers give an array of numbers, which
/// takes the dtype of whatever it meets (f64 on its own).
Variable where(const Variable& condition, const Variable& a, const Variable& b);
/// x limited to [low, high]; the gradient passes inside and at the limits. For integers, an infinite limit or
/// one beyond its range has no effect; any other limit that is not an integer is an Error.
Variable clip(const Variable& x, double low, double high);

/// True where a equals b. Like all comparisons, an array of bool, without a gradient.
/// With integers a number is compared as it is: 2 < 2.5, 2 < INFINITY, and none equals NaN.
Variable equal(const Variable& a, const Variable& b);
/// True where a and b differ. A NaN differs from everything.
Variable not_equal(const Variable& a, const Variable& b);
/// True where a < b.
Variable less(const Variable& a, const Variable& b);
/// True where a <= b.
Variable less_equal(const Variable& a, const Variable& b);
/// True where a > b.
Variable greater(const Variable& a, const Variable& b);
/// True where a >= b.
Variable greater_equal(const Variable& a, const Variable& b);

///@{
/// The function of this operator: add, sub, mul, div or neg.
inline Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }
inline Variable operator-(const Variable& a, const Variable& b) { return sub(a, b); }
inline Variable operator*(const Variable& a, const Variable& b) { return mul(a, b); }
inline Variable operator/(const Variable& a, const Variable& b) { return div(a, b); }
inline Variable operator-(const Variable& x) { return neg(x); }
///@}
///@{
/// A Parameter, and a leaf that requires a gradient, is written in place, as PyTorch does: under NoGrad, else
/// it is an Error; also where the result has another shape. Any other `a` becomes a handle to the result,
/// which is recorded, and other handles to what it was keep that.
Variable& operator+=(Variable& a, const Variable& b);
Variable& operator-=(Variable& a, const Variable& b);
Variable& operator*=(Variable& a, const Variable& b);
Variable& operator/=(Variable& a, const Variable& b);
///@}
///@{
/// The comparison of this operator, element by element: equal, less, ...
inline Variable operator==(const Variable& a, const Variable& b) { return equal(a, b); }
inline Variable operator!=(const Variable& a, const Variable& b) { return not_equal(a, b); }
inline Variable operator<(const Variable& a, const Variable& b) { return less(a, b); }
inline Variable operator<=(const Variable& a, const Variable& b) { return less_equal(a, b); }
inline Variable operator>(const Variable& a, const Variable& b) { return greater(a, b); }
inline Variable operator>=(const Variable& a, const Variable& b) { return greater_equal(a, b); }
///@}

}  // namespace xgrad
