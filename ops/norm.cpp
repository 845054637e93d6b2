// Normalisation and dropout. No rule here: the gradients are those of the parts.
#include <xgrad/ops/norm.hpp>

#include <algorithm>
#include <cmath>
#include <memory>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/number.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/attributes.hpp>
#include <xgrad/ops/kernels/sample.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/moments.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {
namespace {

/// x in the dtype of those parameters that there are, if it is made of numbers alone.
Variable adapt_to(const char* op, Variable x, std::initializer_list<const Variable*> parameters) {
  for (const Variable* p : parameters)
    if (p->defined()) x = adapt(op, x, p->dtype());
  return x;
}

/// Statistics or parameters (C,) as (1, C, 1, ...).
Variable per_channel(const char* what, const Variable& parameter, const Variable& x) {
  const Variable v = adapt("batch_norm", parameter, x.dtype());
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) shape.push_back(i == 1 ? x.shape()[1] : 1);
  expect(v.dtype() == x.dtype(), "batch_norm: input is {}, {} {}", x.dtype(), what, v.dtype());
  if (v.shape() == shape) return v;
  expect(v.shape() == Shape{x.shape()[1]}, "batch_norm: {} {} does not fit input {}", what, v.shape(),
         x.shape());
  return reshape(v, shape);
}

Axes all_but_channels(const Variable& x) {
  expect(x.rank() >= 2 && is_f32_or_f64(x.dtype()), "batch_norm: {} of {} is not (N, C, ...) of f32 or f64",
         x.shape(), x.dtype());
  Axes axes{0};
  for (int i = 2; i < x.rank(); ++i) axes.push_back(i);
  return axes;
}

void check_eps(const char* op, double eps) {
  expect(eps >= 0 && eps < INFINITY, "{}: eps is {}, not in [0, inf)", op, eps);
}

/// Moments of each channel: in one pass over x if a few elements tell where its mean is, else in two.
struct ChannelMoments : Moments {
  ChannelMoments(const Variable& x, const Axes& axes)
      : ChannelMoments(x, keep_number(x.data(), kernels::channel_samples(x.data())), axes) {
    // A deviation off the mean a bit is lost. Off a mean of n numbers it is at most sqrt(n): the second pass
    // is the last.
    if (!is_within(mean_d, var)) *this = ChannelMoments(x, (mean_d + shift).detach(), axes);
  }
  Variable shift;

 private:
  ChannelMoments(const Variable& x, const Variable& shift, const Axes& axes)
      : Moments(moments(x, shift, axes)), shift(shift) {}
};

}  // namespace

BatchNormResult batch_norm(const Variable& input, const Variable& gamma, const Variable& beta, double eps) {
  if (tracing())
    return traced(
        "batch_norm", [](auto& x, auto& g, auto& b, double e) { return batch_norm(x, g, b, e); },
        detail::Epsilon{eps}, input, gamma, beta);
  const Variable x = adapt_to("batch_norm", input, {&gamma, &beta});
  const Axes axes = all_but_channels(x);
  expect(x.size() > 0, "batch_norm: a batch of shape {} is empty", x.shape());
  expect(x.size() > x.shape()[1],
         "batch_norm: a batch of shape {} has only one value per channel, so its variance is undefined; "
         "in evaluation, pass the statistics",
         x.shape());
  check_eps("batch_norm", eps);
  const ChannelMoments m(x, axes);
  // The work on channels is done on small arrays; the large one is read once.
  Variable scale = rsqrt(m.var + eps);
  if (gamma.defined()) scale = scale * per_channel("gamma", gamma, x);
  Variable offset = -(m.mean_d * scale);
  if (beta.defined()) offset = offset + per_channel("beta", beta, x);
  return {m.d * scale + offset, m.mean_d + m.shift, m.var};
}

Variable batch_norm(const Variable& input, const Variable& gamma, const Variable& beta, const Variable& mean,
                    const Variable& var, double eps) {
  if (tracing())
    return traced(
        "batch_norm",
        [](auto& x, auto& g, auto& b, auto& m, auto& v, double e) { return batch_norm(x, g, b, m, v, e); },
        detail::Epsilon{eps}, input, gamma, beta, mean, var);
  const Variable x = adapt_to("batch_norm", input, {&gamma, &beta, &mean, &var});
  all_but_channels(x);
  check_eps("batch_norm", eps);
  Variable scale = rsqrt(per_channel("variance", var, x) + eps);
  if (gamma.defined()) scale = scale * per_channel("gamma", gamma, x);
  const Variable y = (x - per_channel("mean", mean, x)) * scale;  // x scale may dwarf it
  return beta.defined() ? y + per_channel("beta", beta, x) : y;
}

Variable layer_norm(const Variable& input, const Variable& gamma, const Variable& beta, double eps) {
  if (tracing()) return traced("layer_norm", layer_norm, detail::Epsilon{eps}, input, gamma, beta);
  const Variable x = adapt_to("layer_norm", input, {&gamma, &beta});
  expect(x.rank() >= 1 && is_f32_or_f64(x.dtype()), "layer_norm: {} of {} is not (..., C) of f32 or f64",
         x.shape(), x.dtype());
  const Shape last = gamma.defined() ? gamma.shape() : beta.defined() ? beta.shape() : Shape{x.dim(-1)};
  const int rank = last.rank();
  expect(rank >= 1 && rank <= x.rank() && std::equal(last.begin(), last.end(), x.shape().end() - rank),
         "layer_norm: parameters of shape {} do not fit input {}", last, x.shape());
  expect(last.size() > 0, "layer_norm: shape {} has no elements along the axes", x.shape());
  for (const Variable* p : {&gamma, &beta})
    expect(!p->defined() || (p->shape() == last && (p->dtype() == x.dtype() || p->data().is_number())),
           "layer_norm: input is {} {}, gamma and beta must be {} {}, not {} {}", x.shape(), x.dtype(), last,
           x.dtype(), p->defined() ? p->shape() : last, p->defined() ? p->dtype() : x.dtype());
  check_eps("layer_norm", eps);
  Axes axes;
  for (int i = 1; i <= rank; ++i) axes.push_back(-i);
  const Moments m = moments(x, mean(x.detach(), axes, keepdims), axes);
  Variable y = (m.d - m.mean_d) * rsqrt(m.var + eps);
  if (gamma.defined()) y = y * gamma;
  if (beta.defined()) y = y + beta;
  return y;
}

Variable dropout(const Variable& x, double p, const DropoutOptions& options) {
  if (tracing()) {  // a program draws from the default generator: the one that is given may be gone by then
    auto first = std::make_shared<Generator*>(options.generator);
    auto f = [first](auto& v, const detail::Dropping& d) {
      return dropout(v, d.p, {d.training, d.inverted, std::exchange(*first, nullptr)});
    };
    return traced("dropout", f, detail::Dropping{p, options.training, options.inverted}, x);
  }
  expect(p >= 0 && p <= 1, "dropout: {} is not a probability", p);
  expect(is_f32_or_f64(x.dtype()), "dropout: not defined for {}; cast to f32 or f64 first", x.dtype());
  if (!options.training) return options.inverted ? x : x * (1 - p);
  Generator& generator = options.generator ? *options.generator : default_generator();
  const Variable mask = keep_number(x.data(), generator.bernoulli(x.shape(), 1 - p, x.dtype()));
  return options.inverted && p < 1 ? x * (mask * (1 / (1 - p))) : x * mask;
}

}  // namespace xgrad
