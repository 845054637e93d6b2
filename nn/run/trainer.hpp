#pragma once
// fit and evaluate: the loops that everybody writes, with their progress.
#include <array>
#include <functional>
#include <map>
#include <string>

#include <xgrad/core/tape/mode.hpp>
#include <xgrad/nn/optim.hpp>
#include <xgrad/nn/run/batches.hpp>
#include <xgrad/nn/run/score.hpp>
#include <xgrad/nn/run/training_state.hpp>
#include <xgrad/ops/loss.hpp>

namespace xgrad {

/// What training makes small: one number from the output of a model for a batch and the target. Any function
/// of (Variable, Array) or (Variable, Variable), or one like mse_loss, which then takes the mean.
struct Loss : std::function<Variable(const Variable& output, const Array& target)> {
  using function::function;
  /// f(output, target, Reduction::mean).
  Loss(Variable (*f)(const Variable&, const Variable&, Reduction));  // NOLINT: implicit, as the others are
};
/// cross_entropy with its default options. Throws Error, with the remedy, for targets that are not integers.
Variable default_loss(const Variable& logits, const Array& labels);

/// A number, as a double or a Variable of one element, that is reported of the output of a model for a batch
/// and the target; it is not differentiated.
using Metric = std::function<Variable(const Variable& output, const Array& target)>;
/// Metrics by name.
using Metrics = std::map<std::string, Metric>;

/// What a loss of (model, batch) may give instead of the loss alone, so that there is accuracy, and metrics
/// have what they are computed from.
struct BatchLoss {
  Variable loss;         ///< one number
  Variable output = {};  ///< of the model; undefined: neither accuracy nor metrics
  Array target = {};     ///< what the output should be
  long samples =
      0;  ///< how much the batch counts in means; 0: the length of the first axis of its first part
};

/// How fit() trains.
struct FitOptions {
  long epochs = 1;           ///< in all, those before an interruption included
  long steps_per_epoch = 0;  ///< as many as the loader has when 0
  Loss loss = default_loss;  ///< of a batch
  bool loss_is_sum = false;  ///< of the batch's samples, not their mean: only how it is shown depends on it
  /// What is reported beside the loss: means over the samples, batch by batch. One that is called "accuracy"
  /// takes the place of that of classes.
  Metrics metrics = {};
  /// What is evaluated after each epoch, of the same type of batches: a Loader, or a range of batches. It
  /// changes nothing in the training, not even the random numbers.
  AnyBatches validate = {};
  /// The number of the validation that says which epoch is best: "loss", "accuracy" or a metric.
  std::string monitor = "loss";
  bool maximize = false;  ///< the best has the largest, as of an accuracy; else the smallest
  /// Training ends after so many epochs without a better validation (early stopping); 0: never.
  long patience = 0;
  /// With `validate`, the model is that of the best epoch when fit() returns, not that of the last.
  bool keep_best = true;
  double clip_norm = 0;  ///< the gradients' common norm is limited to this when above 0
  bool progress = true;  ///< a bar on standard error
  /// The file that training resumes from after an interruption: it is written every `checkpoint_seconds` and
  /// after each epoch, and read at the start where it exists. Empty: none. What comes out has the same bits
  /// as without the interruption.
  std::string checkpoint = {};
  double checkpoint_seconds = 60;  ///< the least time between two checkpoints within an epoch
  /// Called before each step with the steps taken so far.
  std::function<void(long step)> before_step = {};
  /// Called after each step with the steps taken so far, this one included.
  std::function<void(long step)> after_step = {};
  /// Called after each epoch; training ends when it returns false.
  std::function<bool(const EpochReport&)> on_epoch = {};
  /// Asked after each step; training ends with it when this is true. The checkpoint is written then; after an
  /// epoch's last step on_epoch is called first. Interrupt (nn/run/interrupt.hpp) makes it of Ctrl-C.
  std::function<bool()> stop = {};
};

namespace detail {

/// What fit() does with a model and a loader, whatever their types are.
struct Training {
  using Take = std::function<void(const BatchLoss&)>;
  long steps_per_epoch;
  std::function<BatchLoss()> next;                  ///< the loss of the next batch
  std::function<void(const Take&)> each_validated;  ///< the losses of the batches to validate by
  const std::type_info* batch;                      ///< the type of a batch
  std::function<std::vector<NamedArray>()> state;
  std::function<void(const std::vector<NamedArray>&)> load;
  ///@{
  /// Null for a loader that has no state.
  std::function<std::array<std::uint64_t, 3>()> position;
  std::function<void(const std::array<std::uint64_t, 3>&)> restore;
  ///@}
};
void train(Optimizer& optimizer, const Training& training, const FitOptions& options);

/// Throws Error that names `caller` if the loss or a metric is null.
void check_functions(const char* caller, const Loss& loss, const Metrics& metrics);
/// Adds a batch to the sums.
void add(Progress& sums, const BatchLoss& batch, const Metrics& metrics, bool loss_is_sum = false);
/// The means.
Score score(const Progress& sums);

/// A loss of (model, batch). The parameters of a generic lambda are not known: it is one of (output, target).
template <class F, class Model, class Batch>
concept LossOfModel =
    (std::is_function_v<F> || requires { &F::operator(); }) && std::invocable<const F&, Model&, const Batch&>;

/// The loss of a batch: its last part is the target, the others are inputs; a single one is both.
template <class Model, class Batch>
BatchLoss loss_of(Model& model, const Batch& batch, const Loss& loss) {
  static_assert(
      is_plain_batch<Batch>,
      "fit and evaluate take batches of Arrays (inputs first, target last); give them a loss of (model, "
      "batch) for others");
  if constexpr (is_plain_batch<Batch>) {
    const auto parts = parts_of(batch);
    constexpr std::size_t n = std::tuple_size_v<decltype(parts)>;
    return [&]<std::size_t... I>(std::index_sequence<I...>)->BatchLoss {
      static_assert(
          requires { Variable(model(Variable(std::get<I>(parts))...)); },
          "fit and evaluate call the model with a Variable for each input of a batch (all its parts but "
          "the last), and take a Variable; give them a loss of (model, batch) for other models");
      const Variable output = model(Variable(std::get<I>(parts))...);
      const Array target = Variable(std::get<n - 1>(parts)).data();
      return {loss(output, target), output, target, samples_in(target)};
    }
    (std::make_index_sequence < n == 1 ? 1 : n - 1 > ());
  }
}
/// The same by a loss of (model, batch).
template <class Model, class Batch, class F>
BatchLoss loss_of(Model& model, const Batch& batch, const F& loss) {
  BatchLoss result;
  if constexpr (std::same_as<std::invoke_result_t<const F&, Model&, const Batch&>, BatchLoss>)
    result = loss(model, batch);
  else
    result.loss = loss(model, batch);
  if constexpr (is_plain_batch<Batch>)
    if (result.samples == 0) result.samples = samples_in(std::get<0>(parts_of(batch)));
  if (result.samples == 0) result.samples = 1;
  return result;
}

template <class Model, class Loader, class F>
void fit(Model& model, Optimizer& optimizer, Loader& loader, const F& loss, const FitOptions& options) {
  using Batch = std::remove_cvref_t<decltype(loader.next())>;
  Training training{
      .steps_per_epoch = options.steps_per_epoch ? options.steps_per_epoch : loader.steps_per_epoch(),
      .next = [&] { return loss_of(model, loader.next(), loss); },
      .each_validated =
          [&](const Training::Take& take) {
            options.validate.for_each(
                [&](const void* batch) { take(loss_of(model, *static_cast<const Batch*>(batch), loss)); });
          },
      .batch = &typeid(Batch),
      .state = [&] { return xgrad::state(model); },
      .load =
          [&](auto& arrays) {
            xgrad::load_state(model, {arrays, {}}, options.checkpoint);
          },
      .position = {},
      .restore = {}};
  if constexpr (requires { loader.restore(loader.state()); }) {
    training.position = [&] {
      const auto at = loader.state();
      return std::array{std::uint64_t(at.seed), std::uint64_t(at.epoch), std::uint64_t(at.position)};
    };
    training.restore = [&](auto& at) { loader.restore({at[0], long(at[1]), long(at[2])}); };
  }
  const Named named(xgrad::names_of(model));
  train(optimizer, training, options);
}

template <class Model, class Batches, class F>
Score evaluate(Model& model, Batches& batches, const F& loss, const Metrics& metrics) {
  const NoGrad off;
  const EvalMode eval;
  Progress sums;
  for (auto&& batch : batches) add(sums, loss_of(model, batch, loss), metrics);
  return score(sums);
}

}  // namespace detail

/// Trains a model by the batches of a loader: anything with next() and steps_per_epoch(), and with state()
/// and restore() like Loader's where there is a checkpoint. A batch is a tuple, std::array or plain struct of
/// Arrays: the target is the last of them, and the model is called with the others. A batch of one Array is
/// its own target, as of an autoencoder. Throws Error when the loss is no longer a number.
template <class Model, class Loader>
void fit(Model& model, Optimizer& optimizer, Loader& loader, const FitOptions& options = {}) {
  detail::fit(model, optimizer, loader, options.loss, options);
}
/// The same for any type of batch, by a loss of (model, batch) in place of options.loss: a Variable of one
/// number, or a BatchLoss.
template <class Model, class Loader, class F>
requires(!std::convertible_to<F, FitOptions>) void fit(Model& model, Optimizer& optimizer, Loader& loader,
                                                       const F& loss, const FitOptions& options = {}) {
  detail::fit(model, optimizer, loader, loss, options);
}

/// How many of the largest logits (N, C) are at the label (N,).
long count_correct(const Variable& logits, const Array& labels);

/// The scores of a model in evaluation mode over a range of batches, as fit() takes them; `loss` must give
/// the mean over a batch.
template <class Model, class Batches>
Score evaluate(const Model& model, Batches&& batches, const Loss& loss = default_loss,
               const Metrics& metrics = {}) {
  detail::check_functions("evaluate", loss, metrics);
  return detail::evaluate(model, batches, loss, metrics);
}
/// The same by a loss of (model, batch), whose parameters have types: a generic lambda is one of (output,
/// target).
template <class Model, class Batches, class F>
requires detail::LossOfModel<F, Model, std::remove_cvref_t<decltype(*std::declval<Batches&>().begin())>> Score
evaluate(Model& model, Batches&& batches, const F& loss, const Metrics& metrics = {}) {
  detail::check_functions("evaluate", default_loss, metrics);
  return detail::evaluate(model, batches, loss, metrics);
}

}  // namespace xgrad
