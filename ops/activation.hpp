#pragma once
// Activation functions, elementwise.
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// 1 / (1 + exp(-x)).
Variable sigmoid(const Variable& x);
/// log(1 + exp(x)), without overflow.
Variable softplus(const Variable& x);
/// max(x, 0), with gradient 0 at 0.
Variable relu(const Variable& x);
/// x where x is positive, else slope * x.
Variable leaky_relu(const Variable& x, double slope = 0.01);
/// x Phi(x) with Phi the normal distribution function, by erf and exactly (Hendrycks and Gimpel, 2016).
Variable gelu(const Variable& x);
/// x sigmoid(x), also called swish.
Variable silu(const Variable& x);

}  // namespace xgrad
