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

/// A double, which state() makes counts of, holds all integers up to here.
constexpr long most_steps = 1l << 53;

void check_unique(const Parameters& parameters) {
  std::set<const Node*> seen;
  for (auto& p : parameters)
    expect(seen.insert(p.value.node()).second, "optimizer: parameter {} is given twice", p.name);
}

}  // namespace

Optimizer::~Optimizer() = default;

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
      expect(value.grad().shape() == value.shape() && value.grad().dtype() == value.dtype(),
             "{}: gradient {} of {} does not fit parameter {} {} of {}", name(), value.grad().shape(),
             value.grad().dtype(), parameter, value.shape(), value.dtype());
    }
}

Optimizer::Action Optimizer::prepare_step() {
  check();
  std::vector<double> rates;
  for (auto& [_, options] : groups_) {
    check_option(name(), "lr", options.lr);
    check_option(name(), "weight_decay", options.weight_decay);
    rates.push_back(options.lr * lr_factor_ * (options.schedule ? options.schedule(steps_) : 1));
    expect(rates.back() >= 0 && rates.back() < INFINITY, "{}: the learning rate is {} at step {}", name(),
           rates.back(), steps_ + 1);
  }
  return [this, rates = std::move(rates)] { apply(rates); };
}

void Optimizer::apply(const std::vector<double>& rates) {
  NoGrad off;
  ++steps_;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const GroupOptions& options = groups_[i].options;
    for (auto& p : groups_[i].parameters) {
      if (!p.value.grad().defined()) continue;
      Variable value = p.value.detach(), g = p.value.grad();
      const double decay = options.weight_decay;
      if (decay != 0 && couples_weight_decay()) g = g + value * decay;
      auto& [parameter, slots] = known_[p.value.node()];
      parameter = p.value;
      if (++slots.steps == 1)
        for (auto& slot : slot_names()) slots.arrays[slot] = zeros(value.shape(), value.dtype());
      // Nothing holds the old value any longer: the new one is written over it.
      p.value.set_data(update(std::exchange(value, {}), g, rates[i], options, slots).data());
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

Optimizer::Action Optimizer::prepare_load(const std::vector<NamedArray>& state) {
  std::map<std::string, Array> left;
  for (auto& [key, array] : state) {
    expect(array.defined(), "{}: {} is an undefined array", name(), key);
    expect(left.emplace(key, array).second, "{}: {} is given twice", name(), key);
  }
  auto take = [&](const std::string& key, const Shape& shape, DType dtype) {
    const auto entry = left.extract(key);
    if (entry.empty()) fail("{}: the state has no {}", name(), key);
    const Array array = entry.mapped();
    expect(array.shape() == shape && array.dtype() == dtype, "{}: {} is {} of {}, not {} of {}", name(), key,
           array.shape(), array.dtype(), shape, dtype);
    return array;
  };
  auto take_count = [&](const std::string& key, long least, long most) {
    const long count = take(key, {}, DType::i64).data<std::int64_t>()[0];
    expect(least <= count && count <= most, "{}: {} is {}, not in [{}, {}]", name(), key, count, least, most);
    return count;
  };
  const long steps = take_count(fmt::format("{}.step", name()), 0, most_steps);
  std::map<const Node*, Known> known;
  for (std::size_t i = 0; i < groups_.size(); ++i)
    for (std::size_t j = 0; j < groups_[i].parameters.size(); ++j) {
      const std::string start = prefix(i, j);
      const auto first = left.lower_bound(start);
      if (first == left.end() || !first->first.starts_with(start)) continue;  // without a step so far
      const Variable& value = groups_[i].parameters[j].value;
      auto& [parameter, slots] = known[value.node()];
      parameter = value;
      slots.steps = take_count(start + "step", 1, steps);
      for (auto& slot : slot_names()) slots.arrays[slot] = take(start + slot, value.shape(), value.dtype());
    }
  if (!left.empty()) fail("{}: {} belongs to nothing that this optimizer keeps", name(), left.begin()->first);
  return [this, steps, known = std::move(known)]() mutable {
    known_ = std::move(known);
    steps_ = steps;
  };
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

namespace {

std::function<void()> in_turn(std::vector<std::function<void()>> actions) {
  return [actions = std::move(actions)] {
    for (auto& action : actions) action();
  };
}

}  // namespace

JointOptimizer::JointOptimizer(std::vector<Optimizer*> parts) : parts_(std::move(parts)) {
  for (Optimizer* part : parts_) expect(part, "joint: one of the {} parts is null", parts_.size());
  check_unique(parameters());
}

void JointOptimizer::zero_grad() {
  for (Optimizer* part : parts_) part->zero_grad();
}
Optimizer::Action JointOptimizer::prepare_step() {
  check_unique(parameters());
  std::vector<Action> actions;
  for (Optimizer* part : parts_) actions.push_back(part->prepare_step());
  return in_turn(std::move(actions));
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
Optimizer::Action JointOptimizer::prepare_load(const std::vector<NamedArray>& state) {
  std::vector<std::vector<NamedArray>> split(parts_.size());
  for (auto& [key, array] : state) {
    std::size_t i = 0;
    std::string prefix;
    while (i < parts_.size() && !key.starts_with(prefix = fmt::format("joint.{}.", i))) ++i;
    expect(i < parts_.size(), "joint: {} belongs to none of the {} parts", key, parts_.size());
    split[i].push_back({key.substr(prefix.size()), array});
  }
  std::vector<Action> actions;
  for (std::size_t i = 0; i < parts_.size(); ++i) actions.push_back(parts_[i]->prepare_load(split[i]));
  return in_turn(std::move(actions));
}

}  // namespace xgrad
