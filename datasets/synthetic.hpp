#pragma once
// A data set that needs no file and no network: ten kinds of shapes, drawn in colour.
#include <cstdint>

#include <xgrad/datasets/dataset.hpp>

namespace xgrad {

/// `train` and `test` images in CIFAR-10's format, u8 (N, 3, 32, 32), in 10 classes: circle, square,
/// triangle, cross, star, ring, crescent, heart, stripes, checker; each at a random position, of random size,
/// tilt and colour, bright on a darker, shaded ground with a little noise. Image i of either part depends on
/// the seed and i alone: not on how many there are, nor on the number of threads. A linear model learns
/// little of it, a convolutional one nearly all in some hundred steps. Throws Error below 0 images.
Split shapes(long train, long test, std::uint64_t seed = 0);

}  // namespace xgrad
