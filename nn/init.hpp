#pragma once
// Initialisers: how the weights of a layer start.
#include <functional>

#include <xgrad/core/array/random.hpp>

namespace xgrad {

/// Makes the first values of a weight of the given shape: (out, in) or (out, in, KH, KW). The fans are in KH
/// KW and out KH KW. Draws from the default generator.
using Initializer = std::function<Array(const Shape& shape)>;

/// N(0, 2 / fan_in), for ReLU (He et al., 2015).
Initializer he();
/// N(0, 2 / (fan_in + fan_out)) (Glorot and Bengio, 2010).
Initializer xavier();
/// N(0, 1 / fan_in) (LeCun et al., 1998); the book's "Xavier" (volume 1, page 182).
Initializer lecun();
/// N(0, std^2).
Initializer normal(double std);
/// Uniform in [low, high).
Initializer uniform(double low, double high);
/// Uniform within 1 / sqrt(fan_in): the default for linear and convolution layers, as it is PyTorch's
/// (Kaiming uniform with a = sqrt(5)).
Initializer uniform_fan_in();
/// The same number everywhere.
Initializer constant(double value);

/// 1 / sqrt(fan_in) of a weight: the largest number of uniform_fan_in(). Throws Error for fewer than two
/// axes.
double fan_in_bound(const Shape& weight);

}  // namespace xgrad
