#pragma once
// Multi-layer perceptrons, with what the book adds to them: batch normalisation, dropout, initial values.
#include <vector>

#include <xgrad/nn/layers.hpp>
#include <xgrad/ops/activation.hpp>

namespace xgrad {

/// What is between the layers of an MLP.
struct MLPOptions {
  /// After each layer but the last: relu, sigmoid or any other function of a Variable.
  Variable (*activation)(const Variable&) = relu;
  bool batch_norm = false;  ///< the book's, before each activation
  double dropout = 0;       ///< after each activation with this probability, the book's way; 0 for none
  Initializer init = {};    ///< of the weights; he() when not given
};

/// (N, ...) -> (N, last width): the images flattened, then a Linear layer for each pair of widths; all but
/// the last with batch normalisation (if wanted), activation and dropout (if wanted). The book, volume 1,
/// chapter 6.
struct MLP {
  /// `widths` begin with the elements of an image and end with the classes. Throws Error for fewer than two,
  /// without an activation, and for a dropout that is not a probability.
  explicit MLP(const std::vector<long>& widths, const MLPOptions& options = {});
  /// The logits.
  Variable operator()(const Variable& x) const;
  /// For visit() only: names the parameters.
  void each(auto&& f) { f("fc", fc), f("norm", norm); }

  std::vector<Linear> fc;       ///< one for each pair of widths
  std::vector<BatchNorm> norm;  ///< behind each of fc but the last; empty without batch normalisation
  MLPOptions options;           ///< as given
};

}  // namespace xgrad
