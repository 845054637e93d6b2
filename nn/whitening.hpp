#pragma once
// Whitening: filters that make the patches of images uncorrelated, from the images themselves.
#include <xgrad/core/array/array.hpp>

namespace xgrad {

/// Filters (2 n, C, k, k) for images (N, C, H, W) of f32: the eigenvectors v of the second moments X'X / N of
/// all k x k patches (no mean taken off), divided by sqrt(eigenvalue + eps), the n largest eigenvalues first
/// (all C k k when n is 0); then their negatives. By LAPACK in double. (K. Jordan, "94% on CIFAR-10 in 3.29
/// seconds", 2024.)
Array whitening_filters(const Array& images, long k = 2, double eps = 5e-4, long n = 0);

}  // namespace xgrad
