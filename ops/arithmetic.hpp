#pragma once
// Arithmetic and comparison, elementwise with NumPy's broadcasting. Numbers may stand on either side.
#include "core/tape.hpp"

namespace xgrad {

Variable add(const Variable& a, const Variable& b);
Variable sub(const Variable& a, const Variable& b);
Variable mul(const Variable& a, const Variable& b);
/// a / b; integers are not divided (cast first).
Variable div(const Variable& a, const Variable& b);
Variable neg(const Variable& x);
/// a to the power b. Where a is 0 the gradient with respect to b is 0; it is NaN where a is negative.
Variable pow(const Variable& a, const Variable& b);
/// |x|, with gradient 0 at 0.
Variable abs(const Variable& x);
/// The larger of a and b; where they are equal each gets half of the gradient. A NaN stays one.
Variable maximum(const Variable& a, const Variable& b);
/// The smaller of a and b; where they are equal each gets half of the gradient. A NaN stays one.
Variable minimum(const Variable& a, const Variable& b);
/// a where `condition` is not 0, else b. There is no gradient for the condition, whose dtype may be any.
Variable where(const Variable& condition, const Variable& a, const Variable& b);
/// x limited to [low, high]; the gradient passes inside and at the limits.
Variable clip(const Variable& x, double low, double high);

// Comparisons give 1 where they hold and 0 elsewhere, in the dtype of their operands. They have no gradient.
Variable equal(const Variable& a, const Variable& b);
Variable not_equal(const Variable& a, const Variable& b);
Variable less(const Variable& a, const Variable& b);
Variable less_equal(const Variable& a, const Variable& b);
Variable greater(const Variable& a, const Variable& b);
Variable greater_equal(const Variable& a, const Variable& b);

inline Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }
inline Variable operator-(const Variable& a, const Variable& b) { return sub(a, b); }
inline Variable operator*(const Variable& a, const Variable& b) { return mul(a, b); }
inline Variable operator/(const Variable& a, const Variable& b) { return div(a, b); }
inline Variable operator-(const Variable& x) { return neg(x); }
inline Variable& operator+=(Variable& a, const Variable& b) { return a = add(a, b); }
inline Variable& operator-=(Variable& a, const Variable& b) { return a = sub(a, b); }
inline Variable& operator*=(Variable& a, const Variable& b) { return a = mul(a, b); }
inline Variable& operator/=(Variable& a, const Variable& b) { return a = div(a, b); }
inline Variable operator==(const Variable& a, const Variable& b) { return equal(a, b); }
inline Variable operator!=(const Variable& a, const Variable& b) { return not_equal(a, b); }
inline Variable operator<(const Variable& a, const Variable& b) { return less(a, b); }
inline Variable operator<=(const Variable& a, const Variable& b) { return less_equal(a, b); }
inline Variable operator>(const Variable& a, const Variable& b) { return greater(a, b); }
inline Variable operator>=(const Variable& a, const Variable& b) { return greater_equal(a, b); }

}  // namespace xgrad
