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

/// Throws Error unless 0 <= value < limit, which NaN and inf are not.
void check_option(const char* optimizer, const char* option, double value, double limit = INFINITY) {
  expect(value >= 0 && value < limit, "{}: {} is {}, not in [0, {})", optimizer, option, value, limit);
}

void check_unique(const Parameters& parameters) {
  std::set<const Node*> seen;
  for (auto& p : parameters)
    expect(seen.insert(p.value.node()).second, "optimizer: parameter {} is given twice", p.name);
}

}  // namespace

Optimizer::~Optimizer() = default;

Array& Optimizer::Slots::array(const char* name, const Variable& parameter) {
  const auto found = arrays.find(name);
  if (found != arrays.end()) return found->second;
  expect(steps == 1, "optimizer: the state of a parameter of shape {} has no {}", parameter.shape(), name);
  return arrays[name] = zeros(parameter.shape(), parameter.dtype());
}

void Optimizer::add_group(const Parameters& parameters, const GroupOptions& options) {
  check_option("optimizer", "lr", options.lr);
  check_option("optimizer", "weight_decay", options.weight_decay);
  Parameters all = this->parameters();
  all.insert(all.end(), parameters.begin(), parameters.end());
  check_unique(all);
  groups_.push_back({parameters, options});
}

void Optimizer::add_group(const Parameters& parameters) {
  add_group(parameters, groups_.empty() ? GroupOptions() : GroupOptions(groups_[0].options));
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

void Optimizer::check() const {
  check_unique(parameters());
  for (auto& [parameters, options] : groups_)
    for (auto& [parameter, value] : parameters) {
      expect(
          !value.orphaned(),
          "{}: parameter {} is no longer that of a model, which was destroyed, converted or assigned one of "
          "another shape; make the optimizer after that",
          name(), parameter);
      if (!value.grad().defined()) continue;
      expect(value.grad().shape() == value.shape(), "{}: gradient {} does not fit parameter {} {}", name(),
             value.grad().shape(), parameter, value.shape());
    }
}

void Optimizer::step() {
  NoGrad off;
  check();
  ++steps_;
  for (auto& group : groups_) {
    const auto& schedule = group.options.schedule;
    const double lr = group.options.lr * lr_factor_ * (schedule ? schedule(steps_ - 1) : 1);
    expect(std::isfinite(lr), "{}: the learning rate is {} at step {}", name(), lr, steps_);
    for (auto& p : group.parameters) {
      if (!p.value.grad().defined()) continue;
      Variable value = p.value.detach(), g = p.value.grad();
      const double decay = group.options.weight_decay;
      if (decay != 0 && couples_weight_decay()) g = g + value * decay;
      auto& [parameter, slots] = known_[p.value.node()];
      parameter = p.value;
      ++slots.steps;
      // Nothing holds the old value any longer: the new one is written over it.
      p.value.set_data(update(std::exchange(value, {}), g, lr, group.options, slots).data());
      std::vector<Array> results{p.value.data()};
      for (auto& [key, array] : slots.arrays) results.push_back(array);
      materialize(results);  // now: what waits would keep gradients alive
    }
  }
}

std::string Optimizer::prefix(std::size_t group, std::size_t place) const {
  return fmt::format("{}.{}.{}.{}.", name(), group, place, groups_[group].parameters[place].name);
}

std::vector<NamedArray> Optimizer::state() const {
  auto count = [](long steps) { return full({}, double(steps), DType::i64); };
  std::vector<NamedArray> state{{fmt::format("{}.step", name()), count(steps_)}};
  for (std::size_t i = 0; i < groups_.size(); ++i)
    for (std::size_t j = 0; j < groups_[i].parameters.size(); ++j) {
      const auto known = known_.find(groups_[i].parameters[j].value.node());
      if (known == known_.end()) continue;
      state.push_back({prefix(i, j) + "step", count(known->second.slots.steps)});
      for (auto& [key, array] : known->second.slots.arrays) state.push_back({prefix(i, j) + key, array});
    }
  return state;
}

void Optimizer::load_state(const std::vector<NamedArray>& state) {
  std::map<std::string, Variable> owners;
  for (std::size_t i = 0; i < groups_.size(); ++i)
    for (std::size_t j = 0; j < groups_[i].parameters.size(); ++j)
      owners[prefix(i, j)] = groups_[i].parameters[j].value;
  const std::string own_step = fmt::format("{}.step", name());
  std::map<const Node*, Known> loaded;
  long steps = -1;
  for (auto& [key, array] : state) {
    const auto start = key.rfind('.') + 1;
    const auto owner = owners.find(key.substr(0, start));
    const bool counts = key.substr(start) == "step";
    expect(key == own_step || owner != owners.end(), "{}: {} belongs to no parameter of this optimizer",
           name(), key);
    const Shape shape = counts ? Shape() : owner->second.shape();
    const DType dtype = counts ? DType::i64 : owner->second.dtype();
    expect(array.shape() == shape && array.dtype() == dtype, "{}: {} is {} of {}, not {} of {}", name(), key,
           array.shape(), array.dtype(), shape, dtype);
    expect(!counts || array.item() >= 0, "{}: {} is {}", name(), key, counts ? array.item() : 0);
    if (key == own_step) {
      steps = long(array.item());
      continue;
    }
    auto& [parameter, slots] = loaded[owner->second.node()];
    parameter = owner->second;
    if (counts)
      slots.steps = long(array.item());
    else
      slots.arrays[key.substr(start)] = array;
  }
  expect(steps >= 0, "{}: the state has no {}", name(), own_step);
  for (auto& [prefix, parameter] : owners)
    if (auto known = loaded.find(parameter.node()); known != loaded.end())
      expect(known->second.slots.steps > 0, "{}: the state has no {}step", name(), prefix);
  known_ = std::move(loaded);
  steps_ = steps;
}

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
  Array& v = slots.array("v", p);
  v = (v * momentum_ + g).data();
  return p - v * lr;
}

Variable Nesterov::update(const Variable& p, const Variable& g, double lr, const GroupOptions&,
                          Slots& slots) {
  Array& v = slots.array("v", p);
  v = (v * momentum_ + g).data();
  return p - (g + v * momentum_) * lr;
}

Variable AdaGrad::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots& slots) {
  Array& h = slots.array("h", p);
  h = (h + square(g)).data();
  return p - g / (sqrt(h) + eps_) * lr;
}

Variable RMSprop::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots& slots) {
  Array& h = slots.array("h", p);
  h = (h * alpha_ + square(g) * (1 - alpha_)).data();
  return p - g / (sqrt(h) + eps_) * lr;
}

Variable Adam::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots& slots) {
  const auto& [_, beta1, beta2, eps, decay, book] = options_;
  Array &m = slots.array("m", p), &v = slots.array("v", p);
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
  const bool tall = g.shape()[0] > g.shape()[1];
  Variable x = g / (detail::norm(g) + 1e-7);
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
  Muon::add_group(parameters, {options.lr, options.weight_decay});
}

void Muon::add_group(const Parameters& parameters, const GroupOptions& options) {
  for (auto& p : parameters)
    expect(p.value.shape().rank() >= 2,
           "muon: parameter {} of shape {} is no matrix; give it to another optimizer", p.name,
           p.value.shape());
  Optimizer::add_group(parameters, options);
}

Variable Muon::update(const Variable& p, const Variable& g, double lr, const GroupOptions&, Slots& slots) {
  Array& v = slots.array("v", p);
  v = (v * options_.momentum + g).data();
  const long rows = p.shape()[0];
  const Variable direction = orthogonalized(reshape(g + v * options_.momentum, {rows, -1}), options_);
  const Variable start =
      options_.normalize ? p * (std::sqrt(double(rows)) / std::max(detail::norm(p), 1e-12)) : p;
  return start - reshape(direction, p.shape()) * lr;
}

JointOptimizer::JointOptimizer(std::vector<Optimizer*> parts) : parts_(std::move(parts)) {
  check_unique(parameters());
}

void JointOptimizer::zero_grad() {
  for (Optimizer* part : parts_) part->zero_grad();
}
void JointOptimizer::step() {
  check_unique(parameters());
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
  for (std::size_t i = 0; i < parts_.size(); ++i)
    for (auto& [key, array] : parts_[i]->state()) all.push_back({fmt::format("joint.{}.{}", i, key), array});
  return all;
}
void JointOptimizer::load_state(const std::vector<NamedArray>& state) {
  std::vector<std::vector<NamedArray>> split(parts_.size());
  for (auto& [key, array] : state) {
    std::size_t i = 0;
    std::string prefix;
    while (i < parts_.size() && !key.starts_with(prefix = fmt::format("joint.{}.", i))) ++i;
    expect(i < parts_.size(), "joint: {} belongs to none of the {} parts", key, parts_.size());
    split[i].push_back({key.substr(prefix.size()), array});
  }
  for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i]->load_state(split[i]);
}

}  // namespace xgrad
