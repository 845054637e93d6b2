#pragma once
// Elementary functions, elementwise, of f32 and f64. docs/architecture.md states their errors in units of the
// last place.
#include "core/tape.hpp"

namespace xgrad {

Variable exp(const Variable& x);
/// The natural logarithm.
Variable log(const Variable& x);
/// log(1 + x), exact for small x.
Variable log1p(const Variable& x);
/// exp(x) - 1, exact for small x.
Variable expm1(const Variable& x);
Variable sqrt(const Variable& x);
/// 1 / sqrt(x).
Variable rsqrt(const Variable& x);
Variable square(const Variable& x);
Variable sin(const Variable& x);
Variable cos(const Variable& x);
Variable tanh(const Variable& x);
/// The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
Variable erf(const Variable& x);
/// The distribution function of the standard normal distribution, (1 + erf(x / sqrt(2))) / 2. Of f32 the
/// absolute error is below 2e-7.
Variable normal_cdf(const Variable& x);

}  // namespace xgrad
