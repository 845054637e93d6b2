#pragma once
// fit and evaluate: the loops that everybody writes, with their progress.
#include <functional>

#include <xgrad/nn/optim.hpp>
#include <xgrad/nn/run/training_state.hpp>

namespace xgrad {

/// What a step learns from: inputs with their labels (i64).
struct Samples {
  ///@{
  /// Of equally many samples, along the first axis.
  Array inputs, labels;
  ///@}
};

/// The means over an epoch of training, or over an evaluation.
struct Score {
  ///@{
  /// The mean loss, and the share of the samples whose largest logit is at the label.
  double loss = 0, accuracy = 0;
  ///@}
  long samples = 0;    ///< that the means are over
  double seconds = 0;  ///< of training; evaluate() leaves it 0
};

/// One epoch, as it is reported.
struct EpochReport {
  long epoch = 0;  ///< counted from 1
  long steps = 0;  ///< taken so far in all epochs
  Score train;     ///< while it was trained: with dropout, before each step
};

/// The forward pass of a model.
using Forward = std::function<Variable(const Variable& inputs)>;
/// What training makes small: one number from the logits of a batch and its labels.
using Loss = std::function<Variable(const Variable& logits, const Array& labels)>;

/// cross_entropy with its default options.
Variable default_loss(const Variable& logits, const Array& labels);

/// How fit() trains.
struct FitOptions {
  long epochs = 1;           ///< in all, those before an interruption included
  long steps_per_epoch = 0;  ///< as many as the loader has when 0
  Loss loss = default_loss;  ///< of a batch
  bool loss_is_sum = false;  ///< of the batch's samples, not their mean: only how it is shown depends on it
  double clip_norm = 0;      ///< the gradients' common norm is limited to this when above 0
  bool progress = true;      ///< a bar on standard error
  /// The file that training resumes from after an interruption: it is written every `checkpoint_seconds` and
  /// after each epoch, and read at the start where it exists. Empty: none. What comes out has the same bits
  /// as without the interruption.
  std::string checkpoint = {};
  double checkpoint_seconds = 60;  ///< the least time between two checkpoints within an epoch
  /// Called before each step with the steps taken so far.
  std::function<void(long step)> before_step = {};
  /// Called after each epoch; training ends when it returns false.
  std::function<bool(const EpochReport&)> on_epoch = {};
  /// Asked after each step; training ends with it when this is true. The checkpoint is written then; after an
  /// epoch's last step on_epoch is called first. Interrupt (nn/run/interrupt.hpp) makes it of Ctrl-C.
  std::function<bool()> stop = {};
};

/// Trains by batches that next() gives, from where `from` stands. Throws Error when the loss is no longer a
/// number, and for a function that is null. `save` is called when a checkpoint is due.
void fit(const Forward& forward, Optimizer& optimizer, const std::function<Samples()>& next,
         long steps_per_epoch, const FitOptions& options, Progress from = {},
         const std::function<void(const Progress&)>& save = {});

/// Trains a model by the batches of a loader: anything with next() -> {images, labels} and steps_per_epoch(),
/// and with state() and restore() like Loader's where there is a checkpoint.
template <class Model, class Loader>
void fit(Model& model, Optimizer& optimizer, Loader& loader, const FitOptions& options = {}) {
  auto next = [&] {
    auto batch = loader.next();
    return Samples{std::move(batch.images), std::move(batch.labels)};
  };
  Progress from;
  std::function<void(const Progress&)> save;
  if constexpr (requires { loader.restore(loader.state()); }) {
    if (has_training(options.checkpoint)) {
      const TrainingState saved = load_training(options.checkpoint);
      load_state(model, {saved.model, {}}, options.checkpoint);
      detail::from_file(options.checkpoint, [&] {
        optimizer.load_state(saved.optimizer);
        loader.restore({saved.loader[0], long(saved.loader[1]), long(saved.loader[2])});
      });
      default_generator() = saved.generator;
      from = saved.progress;
    }
    save = [&](const Progress& progress) {
      const auto at = loader.state();
      save_training(options.checkpoint, {state(model),
                                         optimizer.state(),
                                         default_generator(),
                                         {at.seed, std::uint64_t(at.epoch), std::uint64_t(at.position)},
                                         progress});
    };
  }
  const Named named(names_of(model));
  fit([&](const Variable& x) { return model(x); }, optimizer, next,
      options.steps_per_epoch ? options.steps_per_epoch : loader.steps_per_epoch(), options, from, save);
}

/// How many of the largest logits (N, C) are at the label (N,).
long count_correct(const Variable& logits, const Array& labels);

/// Adds a batch to the sums.
void add(Progress& sums, double mean_loss, long correct, long samples);
/// The means.
Score score(const Progress& sums);
namespace detail {
/// Throws Error that names `caller` if the loss is null.
void expect_loss(const char* caller, const Loss& loss);
}  // namespace detail

/// Loss and accuracy of a model in evaluation mode over a range of batches {images, labels}; `loss` must give
/// the mean over a batch.
template <class Model, class Batches>
Score evaluate(const Model& model, Batches&& batches, const Loss& loss = default_loss);

}  // namespace xgrad

#include <xgrad/core/tape/mode.hpp>

// Doxygen does not find the declaration of this template: it compares the return types letter by letter.
/// @cond
template <class Model, class Batches>
xgrad::Score xgrad::evaluate(const Model& model, Batches&& batches, const Loss& loss) {
  detail::expect_loss("evaluate", loss);
  NoGrad off;
  EvalMode eval;
  Progress sums;
  for (auto&& batch : batches) {
    const Variable logits = model(Variable(batch.images));
    add(sums, loss(logits, batch.labels).item(), count_correct(logits, batch.labels), batch.labels.size());
  }
  return score(sums);
}
/// @endcond
