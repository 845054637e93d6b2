#pragma once
// Mean and variance by way of the differences to a constant near the mean (private to ops).
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

struct Moments {
  Variable d, mean_d, var;  // x - shift; its mean, and the biased variance, with the axes kept
};
/// Moments of x along the axes in one pass: var = mean(d d) - mean(d)^2, whatever the constant `shift` is
/// (Chan, Golub and LeVeque, 1983). The error of var is some u (1 + mean_d^2 / var) var; it is never
/// negative. Neither the values nor gradients of any order depend on the shift but by rounding.
Moments moments(const Variable& x, const Variable& shift, const Axes& axes);
/// Whether share mean^2 <= var < inf everywhere: whether a mean that is so far off does no harm.
bool is_within(const Variable& mean, const Variable& var, double share = 1);

}  // namespace xgrad
