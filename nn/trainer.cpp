// The training loop.
#include "nn/trainer.hpp"

#include <cmath>

#include "core/error.hpp"
#include "nn/progress.hpp"
#include "ops/loss.hpp"
#include "ops/reduce.hpp"

namespace xgrad {

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

void ScoreSum::add(double mean_loss, long correct, long samples) {
  loss_ += mean_loss * double(samples);
  correct_ += correct;
  samples_ += samples;
}
Score ScoreSum::score() const {
  const double n = double(std::max(1l, samples_));
  return {loss_ / n, double(correct_) / n, samples_};
}

void fit(const Forward& forward, Optimizer& optimizer, const std::function<Samples()>& next,
         long steps_per_epoch, const FitOptions& options) {
  long step = (options.first_epoch - 1) * steps_per_epoch;
  for (long epoch = options.first_epoch; epoch <= options.epochs; ++epoch) {
    ScoreSum sum;
    ProgressBar bar(fmt::format("epoch {}/{}", epoch, options.epochs), steps_per_epoch, options.progress);
    for (long i = 1; i <= steps_per_epoch; ++i, ++step) {
      const Samples batch = next();
      optimizer.set_lr_factor(options.schedule(step));
      optimizer.zero_grad();
      const Variable logits = forward(Variable(batch.inputs));
      const Variable loss = options.loss(logits, batch.labels);
      const double value = loss.item();
      expect(std::isfinite(value), "fit: the loss is {} at step {} of epoch {}; try a smaller learning rate",
             value, i, epoch);
      sum.add(value, count_correct(logits, batch.labels), batch.labels.size());
      loss.backward();
      if (options.clip_norm > 0) clip_grad_norm(optimizer.parameters(), options.clip_norm);
      optimizer.step();
      if (!bar.due()) continue;
      const Score now = sum.score();
      bar.update(i, fmt::format("loss {:.3f}  accuracy {:.3f}  {:.0f} images/s", now.loss, now.accuracy,
                                double(now.samples) / bar.seconds()));
    }
    EpochReport report{epoch, step, sum.score()};
    report.train.seconds = bar.seconds();
    if (options.on_epoch && !options.on_epoch(report)) return;
  }
}

}  // namespace xgrad
