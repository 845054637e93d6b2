// What all optimizers do alike: groups, steps, and what they remember.
#include <cmath>
#include <utility>

#include <xgrad/core/base/error.hpp>
#include <xgrad/nn/optim.hpp>
#include <xgrad/ops/arithmetic.hpp>

namespace xgrad {
namespace {

/// A double, which state() makes counts of, holds all integers up to here.
constexpr long most_steps = 1l << 53;

void check_unique(const Parameters& parameters) {
  std::set<const Node*> seen;
  for (auto& p : parameters)
    expect(seen.insert(p.value.node()).second, "optimizer: parameter {} is given twice", p.name);
}

}  // namespace

void detail::check_option(const char* optimizer, const char* option, double value, double limit) {
  expect(value >= 0 && value < limit, "{}: {} is {}, not in [0, {})", optimizer, option, value, limit);
}

Optimizer::~Optimizer() = default;

void Optimizer::add_group(const Parameters& parameters, const GroupOptions& options) {
  detail::check_option("optimizer", "lr", options.lr);
  detail::check_option("optimizer", "weight_decay", options.weight_decay);
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
    detail::check_option(name(), "lr", options.lr);
    detail::check_option(name(), "weight_decay", options.weight_decay);
    rates.push_back(options.lr * lr_factor_ * (options.schedule ? options.schedule(steps_) : 1));
    expect(rates.back() >= 0 && rates.back() < INFINITY, "{}: the learning rate is {} at step {}", name(),
           rates.back(), steps_ + 1);
  }
  NoGrad off;
  std::vector<Update> updates;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const GroupOptions& options = groups_[i].options;
    for (auto& p : groups_[i].parameters) {
      if (!p.value.grad().defined()) continue;
      const Variable value = p.value.detach();
      Variable g = p.value.grad();
      if (options.weight_decay != 0 && couples_weight_decay()) g = g + value * options.weight_decay;
      Known& known = known_[p.value.node()];  // of no step so far, perhaps: then state() passes over it
      known.parameter = p.value;
      Slots slots = known.slots;
      if (++slots.steps == 1)
        for (auto& slot : slot_names()) slots.arrays[slot] = zeros(value.shape(), value.dtype());
      Array next = update(value, g, rates[i], options, slots).data();
      expect(next.shape() == value.shape() && next.dtype() == value.dtype(),
             "{}: parameter {} {} of {} would become {} of {}", name(), p.name, value.shape(), value.dtype(),
             next.shape(), next.dtype());
      updates.push_back({known, std::move(next), std::move(slots)});
    }
  }
  return [this, updates = std::move(updates)]() mutable { take(updates); };
}

void Optimizer::take(std::vector<Update>& updates) {
  ++steps_;
  for (auto& [known, value, slots] : updates) {
    known.parameter.set_data(std::move(value));
    known.slots = std::move(slots);
  }
  // Computed now, when nothing holds the old values any longer, and the new ones are written over them; what
  // waits would keep gradients alive.
  try {
    for (auto& update : updates) {
      std::vector<Array> results{update.known.parameter.data()};
      for (auto& [key, array] : update.known.slots.arrays) results.push_back(array);
      evaluate(results);
    }
  } catch (...) {  // all have been taken: what could not be computed for want of memory waits
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
      if (known == known_.end() || known->second.slots.steps == 0) continue;
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
