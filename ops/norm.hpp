#pragma once
// Normalisation and dropout, composed of primitives.
#include <xgrad/core/array/random.hpp>
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// What batch normalisation computes from a batch.
struct BatchNormResult {
  ///@{
  /// The result; the mean and the biased variance of each channel, in x's rank, with length 1 along the other
  /// axes.
  Variable y, mean, var;
  ///@}
};
/// Batch normalisation of x (N, C) or (N, C, ...) over all axes but the second, with the biased variance:
/// gamma (x - mean) / sqrt(var + eps) + beta, gamma and beta (C,) or undefined for 1 and 0 (Ioffe and
/// Szegedy, 2015). No digits are lost to a mean far from 0, and var is never negative. Throws Error for a
/// batch with one value a channel, as PyTorch does in training: its result would be beta, whatever x is.
BatchNormResult batch_norm(const Variable& x, const Variable& gamma, const Variable& beta, double eps = 1e-5);
/// The same with given statistics (C,), as in evaluation.
Variable batch_norm(const Variable& x, const Variable& gamma, const Variable& beta, const Variable& mean,
                    const Variable& var, double eps = 1e-5);
/// Normalisation over the last axes, of which gamma and beta (or undefined) have the shape; over the last
/// axis alone without them (Ba et al., 2016).
Variable layer_norm(const Variable& x, const Variable& gamma = {}, const Variable& beta = {},
                    double eps = 1e-5);

/// The variants of dropout.
struct DropoutOptions {
  bool training = true;            ///< false: nothing is dropped
  bool inverted = true;            ///< false: the book's, which scales in evaluation (volume 1, page 196)
  Generator* generator = nullptr;  ///< the default generator when not given
};
/// Each element is dropped with probability p in training. Inverted, as everywhere: those that stay are
/// divided by 1 - p. The book's: those that stay are left alone, and evaluation multiplies by 1 - p.
Variable dropout(const Variable& x, double p = 0.5, const DropoutOptions& options = {});

}  // namespace xgrad
