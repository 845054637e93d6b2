// Optimizers: the formulas, written as they stand in the papers.
#include <xgrad/nn/optim.hpp>

#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/nn/clip.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {
namespace {

using detail::check_option;
using Slots = UpdateRule::Slots;

UpdateRule sgd() {
  return {"sgd", [](const Variable& p, const Variable& g, double lr, Slots&) { return p - g * lr; }};
}

/// v = momentum v + g.
const Array& accelerate(Slots& slots, const Variable& g, double momentum) {
  Array& v = slots.arrays.at("v");
  return v = (v * momentum + g).data();
}

UpdateRule momentum(double momentum) {
  check_option("momentum", "momentum", momentum, 1);
  auto update = [=](const Variable& p, const Variable& g, double lr, Slots& slots) {
    return p - accelerate(slots, g, momentum) * lr;
  };
  return {"momentum", update, {"v"}};
}

UpdateRule nesterov(double momentum) {
  check_option("nesterov", "momentum", momentum, 1);
  auto update = [=](const Variable& p, const Variable& g, double lr, Slots& slots) {
    return p - (g + accelerate(slots, g, momentum) * momentum) * lr;
  };
  return {"nesterov", update, {"v"}};
}

UpdateRule adagrad(double eps) {
  check_option("adagrad", "eps", eps);
  auto update = [=](const Variable& p, const Variable& g, double lr, Slots& slots) {
    Array& h = slots.arrays.at("h");
    h = (h + square(g)).data();
    return p - g / (sqrt(h) + eps) * lr;
  };
  return {"adagrad", update, {"h"}};
}

UpdateRule rmsprop(double alpha, double eps) {
  check_option("rmsprop", "alpha", alpha, 1);
  check_option("rmsprop", "eps", eps);
  auto update = [=](const Variable& p, const Variable& g, double lr, Slots& slots) {
    Array& h = slots.arrays.at("h");
    h = (h * alpha + square(g) * (1 - alpha)).data();
    return p - g / (sqrt(h) + eps) * lr;
  };
  return {"rmsprop", update, {"h"}};
}

UpdateRule adam(const char* name, double beta1, double beta2, double eps, bool book) {
  check_option(name, "beta1", beta1, 1);
  check_option(name, "beta2", beta2, 1);
  check_option(name, "eps", eps);
  auto update = [=](const Variable& p, const Variable& g, double lr, Slots& slots) {
    Array &m = slots.arrays.at("m"), &v = slots.arrays.at("v");
    m = (m * beta1 + g * (1 - beta1)).data();
    v = (v * beta2 + square(g) * (1 - beta2)).data();
    const double correction1 = 1 - std::pow(beta1, double(slots.steps)),
                 correction2 = std::sqrt(1 - std::pow(beta2, double(slots.steps)));
    if (book) return p - m / (sqrt(v) + eps) * (lr * correction2 / correction1);
    return p - m / (sqrt(v) * (1 / correction2) + eps) * (lr / correction1);
  };
  return {name, update, {"m", "v"}};
}

UpdateRule adamw(double beta1, double beta2, double eps) {
  UpdateRule rule = adam("adamw", beta1, beta2, eps, false);
  rule.decoupled = true;
  return rule;
}

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

UpdateRule muon(const MuonOptions& o) {
  check_option("muon", "momentum", o.momentum, 1);
  expect(o.newton_steps > 0, "muon: the number of Newton steps is {}, not at least 1", o.newton_steps);
  expect(std::isfinite(o.a) && std::isfinite(o.b) && std::isfinite(o.c),
         "muon: a, b and c are {}, {} and {}, not finite", o.a, o.b, o.c);
  auto update = [=](const Variable& p, const Variable& g, double lr, Slots& slots) {
    const Array& v = accelerate(slots, g, o.momentum);
    const long rows = p.shape()[0];
    const Variable half = g * .5 + v * (o.momentum / 2);  // the whole may overflow where g nearly does
    const Variable direction = orthogonalized(reshape(half, {rows, -1}), o);
    const Variable start = o.normalize ? p * (std::sqrt(double(rows)) / std::max(detail::norm(p), 1e-12)) : p;
    return start - reshape(direction, p.shape()) * lr;
  };
  auto check = [](const NamedParameter& p) {
    expect(p.value.shape().rank() >= 2,
           "muon: parameter {} of shape {} is not a matrix; give it to another optimizer", p.name,
           p.value.shape());
  };
  return {.name = "muon", .update = update, .arrays = {"v"}, .check = check};
}

/// What all options have.
GroupOptions group(const auto& o) { return {o.lr, o.weight_decay, o.schedule}; }

}  // namespace

SGD::SGD(const Parameters& parameters, const GroupOptions& o) : Optimizer(parameters, sgd(), o) {}
Momentum::Momentum(const Parameters& parameters, const MomentumOptions& o)
    : Optimizer(parameters, momentum(o.momentum), group(o)) {}
Nesterov::Nesterov(const Parameters& parameters, const MomentumOptions& o)
    : Optimizer(parameters, nesterov(o.momentum), group(o)) {}
AdaGrad::AdaGrad(const Parameters& parameters, const AdaGradOptions& o)
    : Optimizer(parameters, adagrad(o.eps), group(o)) {}
RMSprop::RMSprop(const Parameters& parameters, const RMSpropOptions& o)
    : Optimizer(parameters, rmsprop(o.alpha, o.eps), group(o)) {}
Adam::Adam(const Parameters& parameters, const AdamOptions& o)
    : Optimizer(parameters, adam("adam", o.beta1, o.beta2, o.eps, o.book), group(o)) {}
AdamW::AdamW(const Parameters& parameters, const AdamWOptions& o)
    : Optimizer(parameters, adamw(o.beta1, o.beta2, o.eps), group(o)) {}
Muon::Muon(const Parameters& parameters, const MuonOptions& o) : Optimizer(parameters, muon(o), group(o)) {}

}  // namespace xgrad
