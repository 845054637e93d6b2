#pragma once
// Products with a strong zero, which gradient rules are written with: 0 times anything is 0.
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// a b, but 0 where a or b is 0, even where the other is infinite or NaN. By IEEE arithmetic a branch that
/// was not selected would poison the gradient of the one that was: its share of the gradient is 0, the slope
/// there may be infinite, and 0 times infinity is NaN. Bilinear: the derivatives are the other factor, also
/// at 0.
Variable strong_mul(const Variable& a, const Variable& b);
/// a times 1 / b in the same sense: 0 where a is 0 or b infinite.
Variable strong_div(const Variable& a, const Variable& b);

}  // namespace xgrad
