#pragma once
// fit and evaluate: the loops that everybody writes, with their progress.
#include <functional>

#include "nn/optim.hpp"
#include "nn/schedule.hpp"

namespace xgrad {

/// What a step learns from: inputs with their labels (i64).
struct Samples {
  Array inputs, labels;
};

/// The means over an epoch of training, or over an evaluation.
struct Score {
  double loss = 0, accuracy = 0;
  long samples = 0;
  double seconds = 0;
};

/// One epoch, as it is reported.
struct EpochReport {
  long epoch = 0;  ///< counted from 1
  long steps = 0;  ///< taken so far in all epochs
  Score train;     ///< while it was trained: with dropout, before each step
};

using Forward = std::function<Variable(const Variable& inputs)>;
using Loss = std::function<Variable(const Variable& logits, const Array& labels)>;

/// cross_entropy with its default options.
Variable default_loss(const Variable& logits, const Array& labels);

struct FitOptions {
  long epochs = 1;
  long first_epoch = 1;      ///< above 1 when training goes on
  long steps_per_epoch = 0;  ///< as many as the loader has when 0
  Loss loss = default_loss;
  Schedule schedule = constant_lr();
  double clip_norm = 0;  ///< the gradients' common norm is limited to this when above 0
  bool progress = true;  ///< a bar on standard error
  /// Called after each epoch; training ends when it returns false.
  std::function<bool(const EpochReport&)> on_epoch = {};
};

/// Trains by batches that next() gives. Throws Error when the loss is no longer a number.
void fit(const Forward& forward, Optimizer& optimizer, const std::function<Samples()>& next,
         long steps_per_epoch, const FitOptions& options);

/// Trains a model by the batches of a loader: anything with next() -> {images, labels} and steps_per_epoch().
template <class Model, class Loader>
void fit(Model& model, Optimizer& optimizer, Loader& loader, const FitOptions& options = {}) {
  auto next = [&] {
    auto batch = loader.next();
    return Samples{std::move(batch.images), std::move(batch.labels)};
  };
  fit([&](const Variable& x) { return model(x); }, optimizer, next,
      options.steps_per_epoch ? options.steps_per_epoch : loader.steps_per_epoch(), options);
}

/// How many of the largest logits (N, C) are at the label (N,).
long count_correct(const Variable& logits, const Array& labels);

/// Adds a batch to a score: sums of losses and hits until finish() divides them.
class ScoreSum {
 public:
  void add(double mean_loss, long correct, long samples);
  Score score() const;

 private:
  double loss_ = 0;
  long correct_ = 0, samples_ = 0;
};

/// Loss and accuracy of a model in evaluation mode over a range of batches {images, labels}.
template <class Model, class Batches>
Score evaluate(const Model& model, Batches&& batches, const Loss& loss = default_loss);

}  // namespace xgrad

#include "nn/mode.hpp"

template <class Model, class Batches>
xgrad::Score xgrad::evaluate(const Model& model, Batches&& batches, const Loss& loss) {
  NoGrad off;
  EvalMode eval;
  ScoreSum sum;
  for (auto&& batch : batches) {
    const Variable logits = model(Variable(batch.images));
    sum.add(loss(logits, batch.labels).item(), count_correct(logits, batch.labels), batch.labels.size());
  }
  return sum.score();
}
