#pragma once
// What a model does: the operations of one call, as a program, a picture and a table of its layers.
#include <string>
#include <vector>

#include <xgrad/core/tape/mode.hpp>
#include <xgrad/core/tape/trace.hpp>
#include <xgrad/nn/run/plot.hpp>
#include <xgrad/nn/visit.hpp>

namespace xgrad {

/// The operations of one call of a model, in the mode that is set, with the names of its layers and
/// parameters: print(trace(net, x).text()). In training the call moves running
/// statistics, as any call does.
template <class M, std::same_as<Variable>... Inputs>
Program trace(M& model, const Inputs&... inputs) {
  const Trace trace;
  const Variable y = model(inputs...);
  return trace.program({inputs...}, {y}, names_of(model));
}

/// A picture of the program by Graphviz, as SVG. Its program `dot` that is not installed is a failure; throws
/// Error when `svg` cannot be written.
Drawing write_graph(const Program& program, const std::string& svg);

/// A layer (the operations with its parameters) and what follows it without parameters.
struct LayerSummary {
  std::string name;          ///< "conv1"; "" for what comes before the first layer
  std::string operations;    ///< "conv2d relu max_pool2d"; "" for a layer that was not called
  Shape shape;               ///< of the data behind them
  long parameters = 0;       ///< numbers in its parameters; shared ones count where they come first
  double multiply_adds = 0;  ///< of convolutions and matrix products
};

/// A table of a model's layers.
struct Summary {
  Shape input;  ///< of the data that it was made for
  std::vector<LayerSummary>
      layers;                ///< each call of a layer, in order; at the end those that were not called
  long parameters = 0;       ///< of the whole model
  long frozen = 0;           ///< those of them that are not trained
  double multiply_adds = 0;  ///< of all layers, for one input of that shape
  /// The table as text.
  std::string text() const;
};

/// The layers of a program of one input, which is a call of a model that has these parameters.
Summary summary(const Program& program, const Parameters& parameters);

/// Runs the model once on zeros of the given shape, in evaluation mode, and reports what it did. Token ids
/// are integers: `summary(net, {1, 16}, DType::i64)`.
template <class M>
Summary summary(M& model, const Shape& input_shape, DType dtype = DType::f32) {
  EvalMode eval;
  NoGrad off;
  return summary(trace(model, Variable(zeros(input_shape, dtype))), parameters(model));
}

}  // namespace xgrad
