#pragma once
// Softmax and losses, composed of primitives.
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// exp(x) / sum(exp(x)) along an axis, without overflow.
Variable softmax(const Variable& x, Axis axis = -1);
/// log(softmax(x)), exact where the probability is tiny.
Variable log_softmax(const Variable& x, Axis axis = -1);

/// What becomes of the losses of the samples.
enum class Reduction { mean, sum, none };
/// "mean", "sum" or "none".
constexpr const char* name(Reduction reduction) {
  return reduction == Reduction::mean ? "mean" : reduction == Reduction::sum ? "sum" : "none";
}

/// The variants of cross_entropy.
struct CrossEntropyOptions {
  double label_smoothing =
      0;  ///< this much of the probability is spread evenly over all classes (Szegedy et al., 2016)
  Reduction reduction = Reduction::mean;  ///< of the losses of the samples
  double epsilon = 0;  ///< added to the probability before the logarithm: the book's 1e-7 (volume 1, page 93)
};
/// The cross-entropy of softmax(logits) for targets that are labels, integers of any type in an Array or a
/// Variable: logits (N, C) with labels (N,), or (N, C, ...) with (N, ...). The loss of a sample is
/// -log softmax(logits)[label]. Targets of floating-point numbers are probabilities of the logits' shape and
/// dtype. Throws Error for a label out of range.
Variable cross_entropy(const Variable& logits, const Variable& target,
                       const CrossEntropyOptions& options = {});
/// -log_probabilities[label] of each sample: (N, C) with labels (N,), or (N, C, ...) with (N, ...).
Variable nll_loss(const Variable& log_probabilities, const Variable& labels,
                  Reduction reduction = Reduction::mean);
/// The squared difference.
Variable mse_loss(const Variable& x, const Variable& target, Reduction reduction = Reduction::mean);
/// The cross-entropy of sigmoid(logits) for targets in [0, 1] of the same shape, without overflow.
Variable binary_cross_entropy_with_logits(const Variable& logits, const Variable& target,
                                          Reduction reduction = Reduction::mean);

}  // namespace xgrad
