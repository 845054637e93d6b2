// Normalisation and dropout. No rule here: the gradients are those of the parts.
#include "ops/norm.hpp"

#include "core/error.hpp"
#include "ops/arithmetic.hpp"
#include "ops/math.hpp"
#include "ops/reduce.hpp"
#include "ops/shape.hpp"

namespace xgrad {
namespace {

/// Statistics or parameters (C,) as (1, C, 1, ...).
Variable per_channel(const char* what, const Variable& v, const Variable& x) {
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) shape.push_back(i == 1 ? x.shape()[1] : 1);
  expect(v.dtype() == x.dtype(), "batch_norm: input is {}, {} {}", x.dtype(), what, v.dtype());
  if (v.shape() == shape) return v;
  expect(v.shape() == Shape{x.shape()[1]}, "batch_norm: {} {} does not fit input {}", what, v.shape(),
         x.shape());
  return reshape(v, shape);
}

Axes all_but_channels(const Variable& x) {
  expect(x.rank() >= 2 && is_floating(x.dtype()), "batch_norm: {} of {} is not (N, C, ...) of f32 or f64",
         x.shape(), x.dtype());
  Axes axes{0};
  for (int i = 2; i < x.rank(); ++i) axes.push_back(i);
  return axes;
}

/// Mean and variance in one pass, from the differences d to a constant near the mean: exact in f32 where the
/// mean is far from 0, and the gradients do not depend on the constant.
struct Moments {
  Variable d, mean_d, var;
};
Moments moments(const Variable& x, const Variable& shift, const Axes& axes) {
  Moments m;
  m.d = x - shift;
  m.mean_d = mean(m.d, axes, keepdims);
  m.var = mean(square(m.d), axes, keepdims) - square(m.mean_d);
  return m;
}

/// The first element along the axes, as a constant.
Variable first_element(const Variable& x, const Axes& axes) {
  Variable first = x.detach();
  for (int axis : axes) first = slice(first, axis, 0, 1);
  return first;
}

}  // namespace

BatchNormResult batch_norm(const Variable& x, const Variable& gamma, const Variable& beta, double eps) {
  const Axes axes = all_but_channels(x);
  expect(x.size() > 0, "batch_norm: there is nothing in a batch of shape {}", x.shape());
  const Variable shift = first_element(x, axes);
  const Moments m = moments(x, shift, axes);
  // The work on channels is done on small arrays; the large one is read once.
  Variable scale = rsqrt(m.var + eps);
  if (gamma.defined()) scale = scale * per_channel("gamma", gamma, x);
  Variable offset = -(m.mean_d * scale);
  if (beta.defined()) offset = offset + per_channel("beta", beta, x);
  return {m.d * scale + offset, m.mean_d + shift, m.var};
}

Variable batch_norm(const Variable& x, const Variable& gamma, const Variable& beta, const Variable& mean,
                    const Variable& var, double eps) {
  all_but_channels(x);
  Variable scale = rsqrt(per_channel("variance", var, x) + eps);
  if (gamma.defined()) scale = scale * per_channel("gamma", gamma, x);
  Variable offset = -(per_channel("mean", mean, x) * scale);
  if (beta.defined()) offset = offset + per_channel("beta", beta, x);
  return x * scale + offset;
}

Variable layer_norm(const Variable& x, const Variable& gamma, const Variable& beta, double eps) {
  expect(x.rank() >= 1 && is_floating(x.dtype()), "layer_norm: {} of {} is not (..., C) of f32 or f64",
         x.shape(), x.dtype());
  const Shape last = gamma.defined() ? gamma.shape() : beta.defined() ? beta.shape() : Shape{x.dim(-1)};
  const int rank = last.rank();
  expect(rank >= 1 && rank <= x.rank() && std::equal(last.begin(), last.end(), x.shape().end() - rank),
         "layer_norm: parameters of shape {} do not fit input {}", last, x.shape());
  expect(last.size() > 0, "layer_norm: shape {} has no elements along the axes", x.shape());
  for (const Variable* p : {&gamma, &beta})
    expect(!p->defined() || (p->shape() == last && p->dtype() == x.dtype()),
           "layer_norm: input is {} {}, gamma and beta must be {} {}, not {} {}", x.shape(), x.dtype(), last,
           x.dtype(), p->defined() ? p->shape() : last, p->defined() ? p->dtype() : x.dtype());
  Axes axes;
  for (int i = 1; i <= rank; ++i) axes.push_back(-i);
  const Variable d = x - mean(x, axes, keepdims);
  Variable y = d * rsqrt(mean(square(d), axes, keepdims) + eps);
  if (gamma.defined()) y = y * gamma;
  if (beta.defined()) y = y + beta;
  return y;
}

Variable dropout(const Variable& x, double p, const DropoutOptions& options) {
  expect(p >= 0 && p <= 1, "dropout: {} is not a probability", p);
  expect(is_floating(x.dtype()), "dropout: not defined for {}; cast to f32 or f64 first", x.dtype());
  if (!options.training) return options.inverted ? x : x * (1 - p);
  Generator& generator = options.generator ? *options.generator : default_generator();
  const Variable mask = generator.bernoulli(x.shape(), 1 - p, x.dtype());
  return options.inverted && p < 1 ? x * (mask * (1 / (1 - p))) : x * mask;
}

}  // namespace xgrad
