// Optimizers: the formulas, written as they stand in the papers.
#include <xgrad/nn/optim.hpp>

#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {

using detail::check_option;

SGD::SGD(const Parameters& parameters, const GroupOptions& options) { add_group(parameters, options); }

Momentum::Momentum(const Parameters& parameters, const MomentumOptions& o) : momentum_(o.momentum) {
  check_option("momentum", "momentum", o.momentum, 1);
  add_group(parameters, {o.lr, o.weight_decay});
}

AdaGrad::AdaGrad(const Parameters& parameters, const AdaGradOptions& o) : eps_(o.eps) {
  check_option("adagrad", "eps", o.eps);
  add_group(parameters, {o.lr, o.weight_decay});
}

RMSprop::RMSprop(const Parameters& parameters, const RMSpropOptions& o) : alpha_(o.alpha), eps_(o.eps) {
  check_option("rmsprop", "alpha", o.alpha, 1);
  check_option("rmsprop", "eps", o.eps);
  add_group(parameters, {o.lr, o.weight_decay});
}

Adam::Adam(const Parameters& parameters, const AdamOptions& o) : options_(o) {
  check_option("adam", "beta1", o.beta1, 1);
  check_option("adam", "beta2", o.beta2, 1);
  check_option("adam", "eps", o.eps);
  add_group(parameters, {o.lr, o.weight_decay});
}

AdamW::AdamW(const Parameters& parameters, const AdamWOptions& o)
    : Adam(parameters, {o.lr, o.beta1, o.beta2, o.eps, o.weight_decay}) {}

Variable SGD::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots&) {
  return p - g * lr;
}

Variable Momentum::update(const Variable& p, const Variable& g, double lr, const GroupOptions&,
                          Slots& slots) {
  Array& v = slots.arrays.at("v");
  v = (v * momentum_ + g).data();
  return p - v * lr;
}

Variable Nesterov::update(const Variable& p, const Variable& g, double lr, const GroupOptions&,
                          Slots& slots) {
  Array& v = slots.arrays.at("v");
  v = (v * momentum_ + g).data();
  return p - (g + v * momentum_) * lr;
}

Variable AdaGrad::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots& slots) {
  Array& h = slots.arrays.at("h");
  h = (h + square(g)).data();
  return p - g / (sqrt(h) + eps_) * lr;
}

Variable RMSprop::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots& slots) {
  Array& h = slots.arrays.at("h");
  h = (h * alpha_ + square(g) * (1 - alpha_)).data();
  return p - g / (sqrt(h) + eps_) * lr;
}

Variable Adam::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots& slots) {
  const auto& [_, beta1, beta2, eps, decay, book] = options_;
  Array &m = slots.arrays.at("m"), &v = slots.arrays.at("v");
  m = (m * beta1 + g * (1 - beta1)).data();
  v = (v * beta2 + square(g) * (1 - beta2)).data();
  const double correction1 = 1 - std::pow(beta1, double(slots.steps)),
               correction2 = std::sqrt(1 - std::pow(beta2, double(slots.steps)));
  if (book) return p - m / (sqrt(v) + eps) * (lr * correction2 / correction1);
  return p - m / (sqrt(v) * (1 / correction2) + eps) * (lr / correction1);
}

Variable AdamW::update(const Variable& p, const Variable& g, double lr, const GroupOptions& options,
                       Slots& slots) {
  return Adam::update(p * (1 - lr * options.weight_decay), g, lr, options, slots);
}

namespace {

/// The orthogonal matrix nearest to g, roughly: all singular values come near 1.
Variable orthogonalized(const Variable& g, const MuonOptions& o) {
  const double norm = detail::norm(g);
  if (norm >= 1e30) return orthogonalized(g / max(abs(g)).item(), o);  // the dtype may not hold the norm
  const bool tall = g.shape()[0] > g.shape()[1];
  Variable x = g / (norm + .5e-7);
  if (tall) x = transpose(x);
  for (int i = 0; i < o.newton_steps; ++i) {
    const Variable a = matmul(x, transpose(x));
    x = x * o.a + matmul(a * o.b + matmul(a, a) * o.c, x);
  }
  return tall ? transpose(x) : x;
}

}  // namespace

Muon::Muon(const Parameters& parameters, const MuonOptions& options) : options_(options) {
  check_option("muon", "momentum", options.momentum, 1);
  expect(options.newton_steps > 0, "muon: {} steps of Newton's iteration", options.newton_steps);
  expect(std::isfinite(options.a) && std::isfinite(options.b) && std::isfinite(options.c),
         "muon: a, b and c are {}, {} and {}, not finite", options.a, options.b, options.c);
  Muon::add_group(parameters, {options.lr, options.weight_decay});
}

void Muon::add_group(const Parameters& parameters, const GroupOptions& options) {
  for (auto& p : parameters)
    expect(p.value.shape().rank() >= 2,
           "muon: parameter {} of shape {} is not a matrix; give it to another optimizer", p.name,
           p.value.shape());
  Optimizer::add_group(parameters, options);
}

Variable Muon::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots& slots) {
  Array& v = slots.arrays.at("v");
  v = (v * options_.momentum + g).data();
  const long rows = p.shape()[0];
  // Half of it, which does not overflow where g nearly does.
  const Variable half = g * .5 + v * (options_.momentum / 2);
  const Variable direction = orthogonalized(reshape(half, {rows, -1}), options_);
  const Variable start =
      options_.normalize ? p * (std::sqrt(double(rows)) / std::max(detail::norm(p), 1e-12)) : p;
  return start - reshape(direction, p.shape()) * lr;
}

}  // namespace xgrad
