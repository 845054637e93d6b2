// The training loop.
#include <xgrad/nn/run/trainer.hpp>

#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/stopwatch.hpp>
#include <xgrad/nn/clip.hpp>
#include <xgrad/nn/run/progress.hpp>
#include <xgrad/ops/reduce.hpp>

namespace xgrad {
namespace {

/// Whether the targets are class labels (N,) of logits (N, C).
bool classifies(const Variable& output, const Array& target) {
  return !is_floating(target.dtype()) && target.dtype() != DType::boolean && target.rank() == 1 &&
         output.rank() == 2 && output.shape()[0] == target.dim(0) && output.shape()[1] > 0;
}

/// The number of a validation that says how good it is.
double monitored(const Score& score, const std::string& name) {
  if (name == "loss") return score.loss;
  if (name != "accuracy") return score.metrics.at(name);
  expect(
      score.samples == 0 || !std::isnan(score.accuracy),
      "fit: monitor is accuracy, but the targets of validate are not class labels: integers (N,) for logits "
      "(N, C); monitor the loss or a metric");
  return score.accuracy;
}

/// A training from its start, or from its checkpoint, to its end.
class Fit {
 public:
  Fit(Optimizer& optimizer, const detail::Training& training, const FitOptions& options);
  void run();

 private:
  enum class Then { go_on, end };
  void resume();
  void save();
  Then epoch(long number);
  void step(long number, long i);
  void validate(EpochReport& report);

  Optimizer& optimizer_;
  const detail::Training& training_;
  const FitOptions& options_;
  const bool saves_ = !options_.checkpoint.empty();
  const long steps_ = training_.steps_per_epoch;
  Progress at_;
  Best best_;
  Stopwatch since_saved_;
};

Fit::Fit(Optimizer& optimizer, const detail::Training& training, const FitOptions& options)
    : optimizer_(optimizer), training_(training), options_(options) {
  const FitOptions& o = options_;
  detail::check_functions("fit", o.loss, o.metrics);
  expect(training_.position || !saves_, "fit: a checkpoint needs a loader with state() and restore()");
  expect(steps_ > 0, "fit: an epoch has at least 1 step, not {}", steps_);
  expect(o.clip_norm >= 0, "fit: clip_norm is {}, not a norm", o.clip_norm);
  expect(o.patience >= 0, "fit: patience is {}, not a number of epochs", o.patience);
  expect(o.validate || o.patience == 0, "fit: patience needs something to validate by: set .validate");
  expect(!o.validate || *o.validate.type() == *training_.batch,
         "fit: the batches of validate are of another type than those of the loader");
  expect(o.monitor == "loss" || o.monitor == "accuracy" || o.metrics.contains(o.monitor),
         "fit: monitor is {}, which is neither loss nor accuracy nor one of the metrics", o.monitor);
  expect(o.monitor != "loss" || !o.maximize, "fit: the best loss is the smallest: do not set .maximize");
  expect(o.monitor != "accuracy" || o.maximize,
         "fit: the best accuracy is the largest: set .maximize = true");
}

void Fit::resume() {
  const TrainingState saved = load_training(options_.checkpoint);
  training_.load(saved.model);
  if (!saved.best.model.empty()) {  // refused now, not when it is put back
    training_.load(saved.best.model);
    training_.load(saved.model);
  }
  detail::from_file(options_.checkpoint, [&] {
    optimizer_.load_state(saved.optimizer);
    training_.restore(saved.loader);
  });
  default_generator() = saved.generator;
  at_ = saved.progress;
  best_ = saved.best;
}

void Fit::save() {
  save_training(options_.checkpoint, {training_.state(), optimizer_.state(), default_generator(),
                                      training_.position(), at_, best_});
  since_saved_ = {};
}

void Fit::run() {
  if (saves_ && has_training(options_.checkpoint)) resume();
  for (long i = at_.step / steps_ + 1; i <= options_.epochs; ++i) {
    if (options_.patience > 0 && i - 1 - best_.epoch >= options_.patience) break;
    if (epoch(i) == Then::end) break;
  }
  if (!best_.model.empty()) training_.load(best_.model);
}

Fit::Then Fit::epoch(long number) {
  const double before = at_.seconds;
  const Stopwatch watch;
  const long done = at_.step % steps_;
  ProgressBar bar(fmt::format("epoch {}/{}", number, options_.epochs), steps_, options_.progress, done);
  for (long i = done + 1; i <= steps_; ++i) {
    step(number, i);
    at_.seconds = before + watch.seconds();
    if (options_.after_step) options_.after_step(at_.step);
    const bool stops = options_.stop && options_.stop();
    if (saves_ && i < steps_ && (stops || since_saved_.seconds() >= options_.checkpoint_seconds)) save();
    if (stops && i < steps_) return Then::end;
    if (!bar.due()) continue;
    const Score now = detail::score(at_);
    std::string text = fmt::format("loss {:.3f}", now.loss);
    if (!std::isnan(now.accuracy)) text += fmt::format("  accuracy {:.3f}", now.accuracy);
    for (auto& [name, value] : now.metrics)
      if (name != "accuracy") text += fmt::format("  {} {:.3f}", name, value);
    bar.update(i, fmt::format("{}  {:.0f} samples/s", text, double(now.samples) / now.seconds));
  }
  EpochReport report{number, at_.step, detail::score(at_)};
  if (options_.validate) validate(report);
  const bool go_on = !options_.on_epoch || options_.on_epoch(report);
  at_ = {.step = at_.step};
  if (saves_) save();
  since_saved_ = {};
  return go_on && !(options_.stop && options_.stop()) ? Then::go_on : Then::end;
}

void Fit::step(long number, long i) {
  if (options_.before_step) options_.before_step(at_.step);
  optimizer_.zero_grad();
  BatchLoss batch = training_.next();
  detail::add(at_, batch, options_.metrics, options_.loss_is_sum);
  const double value = batch.loss.item();
  expect(std::isfinite(value), "fit: the loss is {} at step {} of epoch {}; try a smaller learning rate",
         value, i, number);
  expect(
      batch.loss.requires_grad(),
      "fit: the loss depends on nothing that is trained: the parameters are frozen, or it was computed from "
      "the data of a Variable, by data(), item() or detach()");
  batch.output = {};  // so that the graph is freed as the pass walks back
  std::move(batch.loss).backward();
  if (options_.clip_norm > 0) clip_grad_norm(optimizer_.parameters(), options_.clip_norm);
  optimizer_.step();
  ++at_.step;
}

void Fit::validate(EpochReport& report) {
  // What is drawn here, as by a model that samples, changes nothing in the training.
  detail::ThreadGenerator& generator = detail::thread_generator();
  const Scoped<detail::ThreadGenerator> restored(generator, generator);
  const NoGrad off;
  const EvalMode eval;
  Progress sums;
  training_.each_validated(
      [&](const BatchLoss& batch) { detail::add(sums, batch, options_.metrics, options_.loss_is_sum); });
  expect(sums.samples > 0, "fit: validate has no batches");
  report.validation = detail::score(sums);
  const double value = monitored(report.validation, options_.monitor);
  const bool better = options_.maximize ? value > best_.value : value < best_.value;
  if (best_.epoch == 0 ? !std::isnan(value) : better)
    best_ = {report.epoch, value, options_.keep_best ? training_.state() : std::vector<NamedArray>()};
  report.best_epoch = best_.epoch;
}

}  // namespace

Loss::Loss(Variable (*f)(const Variable&, const Variable&, Reduction))
    : function(
          [=](const Variable& output, const Array& target) { return f(output, target, Reduction::mean); }) {
  if (!f) *this = nullptr;
}

Variable default_loss(const Variable& logits, const Array& labels) {
  expect(!is_floating(labels.dtype()),
         "cross_entropy: the targets are {} {}, but it takes class labels, which are integers; it is the "
         "loss of fit and evaluate where none is given: for regression give them mse_loss",
         labels.dtype(), labels.shape());
  return cross_entropy(logits, labels);
}

long count_correct(const Variable& logits, const Array& labels) {
  const Array guesses = argmax(logits, 1), wanted = labels.cast(DType::i64);
  expect(guesses.shape() == labels.shape(), "accuracy: labels {} do not fit logits {}", labels.shape(),
         logits.shape());
  const auto *guess = guesses.data<std::int64_t>(), *label = wanted.data<std::int64_t>();
  long correct = 0;
  for (long i = 0; i < labels.size(); ++i) correct += guess[i] == label[i];
  return correct;
}

namespace detail {

void check_functions(const char* caller, const Loss& loss, const Metrics& metrics) {
  expect(bool(loss), "{}: the loss is null", caller);
  for (auto& [name, metric] : metrics) {
    expect(bool(metric), "{}: the metric {} is null", caller, name);
    expect(name != "loss", "{}: a metric cannot be called loss, which is reported anyway", caller);
  }
}

void add(Progress& sums, const BatchLoss& batch, const Metrics& metrics, bool loss_is_sum) {
  const auto& [loss, output, target, samples] = batch;
  expect(loss.defined() && loss.size() == 1,
         "fit and evaluate: the loss {}, not one number; reduce it by mean(loss)",
         loss.defined() ? fmt::format("has shape {}", loss.shape()) : "is undefined");
  sums.loss += loss.item() / (loss_is_sum ? double(samples) : 1.) * double(samples);
  sums.samples += samples;
  expect(output.defined() || metrics.empty(),
         "fit and evaluate: metrics are computed from output and target, and the loss gives none: let it "
         "return a BatchLoss{{loss, output, target}}");
  if (!output.defined()) return;
  const NoGrad off;
  if (target.defined() && classifies(output, target) && !metrics.contains("accuracy")) {
    sums.correct += count_correct(output, target);
    sums.labelled += samples;
  }
  for (auto& [name, metric] : metrics) {
    const Variable value = metric(output, target);
    expect(value.defined() && value.size() == 1, "fit and evaluate: the metric {} is not one number", name);
    sums.metrics[name] += value.item() * double(samples);
  }
}

Score score(const Progress& sums) {
  const double n = double(std::max(1l, sums.samples));
  Score score{.loss = sums.loss / n, .samples = sums.samples, .seconds = sums.seconds};
  if (sums.labelled > 0) score.accuracy = double(sums.correct) / double(sums.labelled);
  for (auto& [name, sum] : sums.metrics) score.metrics[name] = sum / n;
  if (score.metrics.contains("accuracy")) score.accuracy = score.metrics["accuracy"];
  return score;
}

void train(Optimizer& optimizer, const Training& training, const FitOptions& options) {
  Fit(optimizer, training, options).run();
}

}  // namespace detail
}  // namespace xgrad
