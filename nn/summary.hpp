#pragma once
// What a model is made of: its layers, the data behind each, parameters and multiply-adds.
#include <string>
#include <vector>

#include "nn/mode.hpp"
#include "nn/plot.hpp"
#include "nn/visit.hpp"

namespace xgrad {

/// A layer (the operations with its parameters) and what follows it without parameters.
struct LayerSummary {
  std::string name;          ///< "conv1"; "" for what comes before the first layer
  std::string operations;    ///< "conv2d add relu max_pool2d"
  Shape shape;               ///< of the data behind them
  long parameters = 0;       ///< numbers that it trains; shared ones count where they come first
  double multiply_adds = 0;  ///< of convolutions and matrix products
};

/// A table of a model's layers.
struct Summary {
  Shape input;                       ///< of the data that it was made for
  std::vector<LayerSummary> layers;  ///< in the order in which they ran
  long parameters = 0;               ///< of all layers
  double multiply_adds = 0;          ///< of all layers, for one input of that shape
  /// The table as text.
  std::string text() const;
};

namespace detail {
Summary summarize(const Variable& input, const Variable& output, const Parameters& parameters);
}

/// Runs the model once on zeros of the given shape, in evaluation mode, and tells what it did.
template <class M>
Summary summary(M& model, const Shape& input_shape) {
  EvalMode eval;
  const Variable input(zeros(input_shape), requires_grad);
  return detail::summarize(input, model(input), parameters(model));
}

/// The recorded graph of a model's forward pass, its parameters by name, as SVG by Graphviz. Its
/// program `dot` that is not installed is a failure; throws Error when `svg` cannot be written.
Drawing write_graph(const Variable& y, const Parameters& parameters, const std::string& svg);

}  // namespace xgrad
