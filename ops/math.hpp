#pragma once
// Elementary functions, elementwise, of f32 and f64. docs/accuracy.md states their errors, and those of their
// derivatives.
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// e to the power x.
Variable exp(const Variable& x);
/// The natural logarithm.
Variable log(const Variable& x);
/// log(1 + x), exact for small x.
Variable log1p(const Variable& x);
/// exp(x) - 1, exact for small x.
Variable expm1(const Variable& x);
/// The square root; NaN where x is negative.
Variable sqrt(const Variable& x);
/// 1 / sqrt(x).
Variable rsqrt(const Variable& x);
/// x x; of i64 too.
Variable square(const Variable& x);
/// The sine of x in radians.
Variable sin(const Variable& x);
/// The cosine of x in radians.
Variable cos(const Variable& x);
/// The hyperbolic tangent.
Variable tanh(const Variable& x);
/// The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
Variable erf(const Variable& x);
/// The distribution function of the standard normal distribution, (1 + erf(x / sqrt(2))) / 2.
Variable normal_cdf(const Variable& x);

}  // namespace xgrad
