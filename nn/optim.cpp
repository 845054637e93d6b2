// Optimizers: the formulas, written as they stand in the papers.
#include "nn/optim.hpp"

#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "ops/arithmetic.hpp"
#include "ops/math.hpp"
#include "ops/matmul.hpp"
#include "ops/reduce.hpp"
#include "ops/shape.hpp"

namespace xgrad {
namespace {

/// A slot's array, zeros at first.
Array& slot(std::map<std::string, Array>& slots, const char* name, const Variable& like) {
  Array& array = slots[name];
  if (!array.defined()) array = zeros(like.shape(), like.dtype());
  return array;
}

}  // namespace

Optimizer::~Optimizer() = default;

void Optimizer::add_group(const Parameters& parameters, const GroupOptions& options) {
  for (auto& p : parameters)
    for (auto& group : groups_)
      for (auto& known : group.parameters)
        expect(known.value.node() != p.value.node(), "optimizer: parameter {} is in two groups", p.name);
  groups_.push_back({parameters, options});
}

Parameters Optimizer::parameters() const {
  Parameters all;
  for (auto& group : groups_) all.insert(all.end(), group.parameters.begin(), group.parameters.end());
  return all;
}

void Optimizer::zero_grad() {
  for (auto& group : groups_)
    for (auto& p : group.parameters) p.value.clear_grad();
}

void Optimizer::step() {
  NoGrad off;
  ++steps_;
  for (auto& group : groups_) {
    const auto& schedule = group.options.schedule;
    const double lr = group.options.lr * lr_factor_ * (schedule ? schedule(steps_ - 1) : 1);
    for (auto& p : group.parameters) {
      if (!p.value.grad().defined()) continue;
      Variable value = p.value.detach(), g = p.value.grad();
      expect(g.shape() == value.shape(), "{}: gradient {} does not fit parameter {} {}", name(), g.shape(),
             p.name, value.shape());
      const double decay = group.options.weight_decay;
      if (decay != 0 && couples_weight_decay()) g = g + value * decay;
      Slots& slots = slots_[p.value.node()];
      // Nothing holds the old value any longer: the new one is written over it.
      p.value.set_data(update(std::exchange(value, {}), g, lr, group.options, slots).data());
      std::vector<Array> results{p.value.data()};
      for (auto& [key, array] : slots) results.push_back(array);
      materialize(results);  // now: what waits would keep gradients alive
    }
  }
}

std::vector<NamedArray> Optimizer::state() const {
  std::vector<NamedArray> state{{fmt::format("{}.step", name()), full({}, double(steps_), DType::i64)}};
  for (auto& p : parameters())
    if (auto known = slots_.find(p.value.node()); known != slots_.end())
      for (auto& [key, array] : known->second)
        state.push_back({fmt::format("{}.{}.{}", name(), p.name, key), array});
  return state;
}

void Optimizer::load_state(const std::vector<NamedArray>& state) {
  const std::string prefix = std::string(name()) + ".";
  std::map<const Node*, Slots> loaded;
  long steps = -1;
  for (auto& [key, array] : state) {
    if (key == prefix + "step") {
      steps = long(array.item());
      continue;
    }
    if (!key.starts_with(prefix)) continue;
    const auto dot = key.rfind('.');
    const std::string owner = key.substr(prefix.size(), dot - prefix.size());
    bool found = false;
    for (auto& p : parameters()) {
      if (p.name != owner) continue;
      expect(array.shape() == p.value.shape() && array.dtype() == p.value.dtype(),
             "{}: {} is {} of {}, parameter {} {} of {}", name(), key, array.shape(), array.dtype(), p.name,
             p.value.shape(), p.value.dtype());
      loaded[p.value.node()][key.substr(dot + 1)] = array;
      found = true;
    }
    expect(found, "{}: {} belongs to no parameter of this optimizer", name(), key);
  }
  expect(steps >= 0, "{}: the state has no {}step", name(), prefix);
  slots_ = std::move(loaded);
  steps_ = steps;
}

SGD::SGD(const Parameters& parameters, const GroupOptions& options) { add_group(parameters, options); }

Momentum::Momentum(const Parameters& parameters, const MomentumOptions& o) : momentum_(o.momentum) {
  add_group(parameters, {o.lr, o.weight_decay});
}

AdaGrad::AdaGrad(const Parameters& parameters, const AdaGradOptions& o) : eps_(o.eps) {
  add_group(parameters, {o.lr, o.weight_decay});
}

RMSprop::RMSprop(const Parameters& parameters, const RMSpropOptions& o) : alpha_(o.alpha), eps_(o.eps) {
  add_group(parameters, {o.lr, o.weight_decay});
}

Adam::Adam(const Parameters& parameters, const AdamOptions& o) : options_(o) {
  add_group(parameters, {o.lr, o.weight_decay});
}

AdamW::AdamW(const Parameters& parameters, const AdamWOptions& o)
    : Adam(parameters, {o.lr, o.beta1, o.beta2, o.eps, o.weight_decay}) {}

Variable SGD::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots&) {
  return p - g * lr;
}

Variable Momentum::update(const Variable& p, const Variable& g, double lr, const GroupOptions&,
                          Slots& slots) {
  Array& v = slot(slots, "v", p);
  v = (v * momentum_ + g).data();
  return p - v * lr;
}

Variable Nesterov::update(const Variable& p, const Variable& g, double lr, const GroupOptions&,
                          Slots& slots) {
  Array& v = slot(slots, "v", p);
  v = (v * momentum_ + g).data();
  return p - (g + v * momentum_) * lr;
}

Variable AdaGrad::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots& slots) {
  Array& h = slot(slots, "h", p);
  h = (h + square(g)).data();
  return p - g / (sqrt(h) + eps_) * lr;
}

Variable RMSprop::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots& slots) {
  Array& h = slot(slots, "h", p);
  h = (h * alpha_ + square(g) * (1 - alpha_)).data();
  return p - g / (sqrt(h) + eps_) * lr;
}

Variable Adam::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots& slots) {
  const auto& [_, beta1, beta2, eps, decay, book] = options_;
  Array &m = slot(slots, "m", p), &v = slot(slots, "v", p);
  m = (m * beta1 + g * (1 - beta1)).data();
  v = (v * beta2 + square(g) * (1 - beta2)).data();
  const double correction1 = 1 - std::pow(beta1, double(steps_)),
               correction2 = std::sqrt(1 - std::pow(beta2, double(steps_)));
  if (book) return p - m / (sqrt(v) + eps) * (lr * correction2 / correction1);
  return p - m / (sqrt(v) * (1 / correction2) + eps) * (lr / correction1);
}

Variable AdamW::update(const Variable& p, const Variable& g, double lr, const GroupOptions& options,
                       Slots& slots) {
  return Adam::update(p * (1 - lr * options.weight_decay), g, lr, options, slots);
}

namespace {

double norm(const Variable& x) { return std::sqrt(sum(square(x)).item()); }

/// The orthogonal matrix nearest to g, roughly: all singular values come near 1.
Variable orthogonalized(const Variable& g, const MuonOptions& o) {
  const bool tall = g.shape()[0] > g.shape()[1];
  Variable x = g / (norm(g) + 1e-7);
  if (tall) x = transpose(x);
  for (int i = 0; i < o.newton_steps; ++i) {
    const Variable a = matmul(x, transpose(x));
    x = x * o.a + matmul(a * o.b + matmul(a, a) * o.c, x);
  }
  return tall ? transpose(x) : x;
}

}  // namespace

Muon::Muon(const Parameters& parameters, const MuonOptions& options) : options_(options) {
  for (auto& p : parameters)
    expect(p.value.shape().rank() >= 2,
           "muon: parameter {} of shape {} is no matrix; give it to another optimizer", p.name,
           p.value.shape());
  add_group(parameters, {options.lr, options.weight_decay});
}

Variable Muon::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots& slots) {
  Array& v = slot(slots, "v", p);
  v = (v * options_.momentum + g).data();
  const long rows = p.shape()[0];
  const Variable direction = orthogonalized(reshape(g + v * options_.momentum, {rows, -1}), options_);
  const Variable start = options_.normalize ? p * (std::sqrt(double(rows)) / maximum(norm(p), 1e-12)) : p;
  return start - reshape(direction, p.shape()) * lr;
}

JointOptimizer::JointOptimizer(std::vector<Optimizer*> parts) : parts_(std::move(parts)) {}

void JointOptimizer::zero_grad() {
  for (Optimizer* part : parts_) part->zero_grad();
}
void JointOptimizer::step() {
  for (Optimizer* part : parts_) part->step();
}
void JointOptimizer::add_group(const Parameters&, const GroupOptions&) {
  fail("joint: a group belongs to one of its parts; add it there");
}
void JointOptimizer::set_lr_factor(double factor) {
  Optimizer::set_lr_factor(factor);
  for (Optimizer* part : parts_) part->set_lr_factor(factor);
}
Parameters JointOptimizer::parameters() const {
  Parameters all;
  for (Optimizer* part : parts_)
    for (auto& p : part->parameters()) all.push_back(p);
  return all;
}
std::vector<NamedArray> JointOptimizer::state() const {
  std::vector<NamedArray> all;
  for (Optimizer* part : parts_)
    for (auto& entry : part->state()) all.push_back(entry);
  return all;
}
void JointOptimizer::load_state(const std::vector<NamedArray>& state) {
  for (Optimizer* part : parts_) part->load_state(state);
}

double clip_grad_norm(const Parameters& parameters, double max_norm) {
  NoGrad off;
  double total = 0;
  for (auto& p : parameters)
    if (p.value.grad().defined()) total += sum(square(p.value.grad())).item();
  const double norm = std::sqrt(total);
  if (norm > max_norm)
    for (auto p : parameters)
      if (p.value.grad().defined()) p.value.mutable_grad() = (p.value.grad() * (max_norm / norm)).data();
  return norm;
}

void clip_grad_value(const Parameters& parameters, double limit) {
  NoGrad off;
  for (auto p : parameters)
    if (p.value.grad().defined()) p.value.mutable_grad() = clip(p.value.grad(), -limit, limit).data();
}

}  // namespace xgrad
