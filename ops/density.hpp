#pragma once
// Densities: the derivatives of the S-shaped functions, without the cancellation of y (1 - y).
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// exp(-x^2); the rounding of x^2 is made up for. 2 / sqrt(pi) times it is the derivative of erf.
Variable gaussian(const Variable& x);
/// exp(-x^2 / 2) / sqrt(2 pi), the density of the standard normal distribution: the derivative of normal_cdf.
Variable normal_pdf(const Variable& x);
/// exp(-|x|) / (1 + exp(-|x|))^2, the density of the logistic distribution: the derivative of sigmoid.
Variable logistic_pdf(const Variable& x);

}  // namespace xgrad
