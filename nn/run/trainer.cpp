// The training loop.
#include <xgrad/nn/run/trainer.hpp>

#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/nn/clip.hpp>
#include <xgrad/nn/run/progress.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/reduce.hpp>

namespace xgrad {

void detail::expect_loss(const char* caller, const Loss& loss) {
  expect(bool(loss), "{}: the loss is null", caller);
}

Variable default_loss(const Variable& logits, const Array& labels) { return cross_entropy(logits, labels); }

long count_correct(const Variable& logits, const Array& labels) {
  const Array guesses = argmax(logits, 1);
  expect(guesses.shape() == labels.shape(), "accuracy: labels {} do not fit logits {}", labels.shape(),
         logits.shape());
  const auto *guess = guesses.data<std::int64_t>(), *label = labels.data<std::int64_t>();
  long correct = 0;
  for (long i = 0; i < labels.size(); ++i) correct += guess[i] == label[i];
  return correct;
}

void add(Progress& sums, double mean_loss, long correct, long samples) {
  sums.loss += mean_loss * double(samples);
  sums.correct += correct;
  sums.samples += samples;
}
Score score(const Progress& sums) {
  const double n = double(std::max(1l, sums.samples));
  return {sums.loss / n, double(sums.correct) / n, sums.samples, sums.seconds};
}

void fit(const Forward& forward, Optimizer& optimizer, const std::function<Samples()>& next,
         long steps_per_epoch, const FitOptions& options, Progress at,
         const std::function<void(const Progress&)>& save) {
  const bool saves = !options.checkpoint.empty();
  expect(forward && next && options.loss, "fit: the forward pass, next() or the loss is null");
  expect(save || !saves, "fit: a checkpoint needs a loader with state() and restore()");
  expect(steps_per_epoch > 0, "fit: an epoch has at least 1 step, not {}", steps_per_epoch);
  expect(options.clip_norm >= 0, "fit: clip_norm is {}, not a norm", options.clip_norm);
  Stopwatch since_saved;
  for (long epoch = at.step / steps_per_epoch + 1; epoch <= options.epochs; ++epoch) {
    const double before = at.seconds;
    const Stopwatch watch;
    const long done = at.step % steps_per_epoch;
    ProgressBar bar(fmt::format("epoch {}/{}", epoch, options.epochs), steps_per_epoch, options.progress,
                    done);
    for (long i = done + 1; i <= steps_per_epoch; ++i) {
      if (options.before_step) options.before_step(at.step);
      const Samples batch = next();
      optimizer.zero_grad();
      Variable logits = forward(Variable(batch.inputs));
      Variable loss = options.loss(logits, batch.labels);
      const double value = loss.item() / (options.loss_is_sum ? double(batch.labels.size()) : 1.);
      expect(std::isfinite(value), "fit: the loss is {} at step {} of epoch {}; try a smaller learning rate",
             value, i, epoch);
      add(at, value, count_correct(logits, batch.labels), batch.labels.size());
      logits = {};  // so that the graph is freed as the pass walks back
      std::move(loss).backward();
      if (options.clip_norm > 0) clip_grad_norm(optimizer.parameters(), options.clip_norm);
      optimizer.step();
      ++at.step;
      at.seconds = before + watch.seconds();
      const bool stops = options.stop && options.stop();
      if (saves && i < steps_per_epoch && (stops || since_saved.seconds() >= options.checkpoint_seconds)) {
        save(at);
        since_saved = {};
      }
      if (stops && i < steps_per_epoch) return;
      if (!bar.due()) continue;
      const Score now = score(at);
      bar.update(i, fmt::format("loss {:.3f}  accuracy {:.3f}  {:.0f} images/s", now.loss, now.accuracy,
                                double(now.samples) / now.seconds));
    }
    const bool go_on = !options.on_epoch || options.on_epoch({epoch, at.step, score(at)});
    at = {.step = at.step};
    if (saves) save(at);
    since_saved = {};
    if (!go_on || (options.stop && options.stop())) return;
  }
}

}  // namespace xgrad
