// Losses: but for the product of a weight and a logarithm, the gradients are those of the parts.
#include <xgrad/ops/loss.hpp>

#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/core/tape/number.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/attributes.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/strong.hpp>

namespace xgrad {
namespace {

Variable by_reduction(const char* op, const Variable& losses, Reduction reduction) {
  if (reduction == Reduction::none) return losses;
  expect(reduction == Reduction::sum || losses.size() > 0, "{}: losses {} have no mean", op, losses.shape());
  return reduction == Reduction::sum ? sum(losses) : mean(losses);
}

void check_logits(const char* op, const Variable& x) {
  expect(x.rank() >= 2 && is_f32_or_f64(x.dtype()), "{}: {} of {} is not (N, C, ...) of f32 or f64", op,
         x.shape(), x.dtype());
  expect(x.shape()[1] > 0, "{}: {} has no classes", op, x.shape());
}

/// The element of each sample's class: (N, C, ...) and labels (N, ...) -> (N, ...).
Variable pick(const char* op, const Variable& x, const Variable& given) {
  const Array labels = integers(op, "labels", given.data());
  expect(labels.shape() == drop_axes(x.shape(), Axes(1)), "{}: labels {} do not fit {}", op, labels.shape(),
         x.shape());
  const std::int64_t* label = labels.data<std::int64_t>();
  for (long i = 0; i < labels.size(); ++i)
    expect(label[i] >= 0 && label[i] < x.shape()[1],
           "{}: label {} at position {} is out of range for {} classes", op, label[i], i, x.shape()[1]);
  Shape index = labels.shape();
  index.insert(1, 1);
  return squeeze(gather(x, 1, labels.reshape(index)), 1);
}

void check_options(const CrossEntropyOptions& o) {
  expect(o.label_smoothing >= 0 && o.label_smoothing <= 1,
         "cross_entropy: label_smoothing is {}, not in [0, 1]", o.label_smoothing);
  expect(o.epsilon >= 0 && o.epsilon < INFINITY, "cross_entropy: epsilon is {}, not in [0, inf)", o.epsilon);
}

/// log softmax(logits), or log(softmax(logits) + epsilon): near 1 from what is missing.
Variable log_probabilities(const Variable& logits, double epsilon) {
  const Variable log_p = log_softmax(logits, 1);
  if (epsilon == 0) return log_p;
  const Variable p = softmax(logits, 1);
  return where(p > .5, log1p(expm1(log_p) + epsilon), log(p + epsilon));
}

/// weight x; 0 where the weight is 0 and x infinite, the limit of 0 log 0. NaN propagates.
Variable weighted(const Variable& weight, const Variable& x) {
  return elementwise("weighted",
                     [](auto w, auto v) {
                       using P = decltype(w);
                       return pack::select(w == P(0) && pack::abs(v) == P(INFINITY), P(0), w * v);
                     },
                     {{weight, [=](auto& gy) { return strong_mul(gy, x); }},
                      {x, [=](auto& gy) { return strong_mul(gy, weight); }}});
}

void check_pair(const char* op, const char* what, const Variable& x, const Variable& target) {
  expect(is_f32_or_f64(x.dtype()), "{}: not defined for {}; cast to f32 or f64 first", op, x.dtype());
  expect(x.shape() == target.shape(), "{}: {} {} do not fit {}", op, what, target.shape(), x.shape());
  const bool meet = x.data().is_number() ? is_floating(target.dtype()) : target.data().is_number();
  expect(meet || x.dtype() == target.dtype(), "{}: {} are {}, not {}", op, what, target.dtype(), x.dtype());
}

void check_probabilities(const Variable& logits, const Variable& target) {
  expect(logits.shape() == target.shape(),
         "cross_entropy: probabilities {} of {} do not fit {}; labels are integers, such as i64",
         target.shape(), target.dtype(), logits.shape());
  check_pair("cross_entropy", "probabilities", logits, target);
}

}  // namespace

Variable cross_entropy(const Variable& logits, const Variable& target, const CrossEntropyOptions& options) {
  if (tracing()) return traced("cross_entropy", cross_entropy, options, logits, target);
  check_logits("cross_entropy", logits);
  check_options(options);
  const bool labels = !is_floating(target.dtype());
  if (!labels) check_probabilities(logits, target);
  const Variable log_p = log_probabilities(logits, options.epsilon);
  const double s = options.label_smoothing;
  Variable losses;
  if (labels) {
    losses = -pick("cross_entropy", log_p, target);
    if (s > 0) losses = weighted(1 - s, losses) - mean(log_p, 1) * s;
  } else {
    const Variable smooth = s > 0 ? target * (1 - s) + s / double(logits.shape()[1]) : target;
    losses = -sum(weighted(smooth, log_p), 1);
  }
  return by_reduction("cross_entropy", losses, options.reduction);
}

Variable nll_loss(const Variable& log_probabilities, const Variable& labels, Reduction reduction) {
  if (tracing())
    return traced("nll_loss", nll_loss, detail::Reducing<Reduction>{reduction}, log_probabilities, labels);
  check_logits("nll_loss", log_probabilities);
  return by_reduction("nll_loss", -pick("nll_loss", log_probabilities, labels), reduction);
}

Variable mse_loss(const Variable& x, const Variable& target, Reduction reduction) {
  if (tracing()) return traced("mse_loss", mse_loss, detail::Reducing<Reduction>{reduction}, x, target);
  check_pair("mse_loss", "targets", x, target);
  return by_reduction("mse_loss", square(x - target), reduction);
}

// softplus(x) - x t would lose all digits where the prediction is confident and right.
Variable binary_cross_entropy_with_logits(const Variable& logits, const Variable& target,
                                          Reduction reduction) {
  if (tracing())
    return traced("binary_cross_entropy_with_logits", binary_cross_entropy_with_logits,
                  detail::Reducing<Reduction>{reduction}, logits, target);
  check_pair("binary_cross_entropy_with_logits", "targets", logits, target);
  const Variable positive = logits > 0;
  const Variable wrong = where(positive, 1 - target, -target);
  const Variable losses = softplus(where(positive, -logits, logits)) + weighted(wrong, logits);
  return by_reduction("binary_cross_entropy_with_logits", losses, reduction);
}

}  // namespace xgrad
