// What all optimizers do alike: groups, steps, and what they remember.
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include <xgrad/core/base/error.hpp>
#include <xgrad/nn/optim.hpp>
#include <xgrad/ops/arithmetic.hpp>

namespace xgrad {
namespace {

/// A double, which state() makes counts of, holds all integers up to here.
constexpr long most_steps = 1l << 53;

/// The steps of the optimizer, in its state.
constexpr const char* all_steps = "optimizer.step";

void check_unique(const Parameters& parameters) {
  std::set<const Node*> seen;
  for (auto& p : parameters)
    expect(seen.insert(p.value.node()).second, "optimizer: parameter {} is given twice", p.name);
}

}  // namespace

void detail::check_option(const std::string& rule, const char* option, double value, double limit) {
  expect(value >= 0 && value < limit, "{}: {} is {}, not in [0, {})", rule, option, value, limit);
}

Optimizer::Optimizer(const Parameters& parameters, const UpdateRule& rule, const GroupOptions& options) {
  add({Group{parameters, rule, options}});
}
// Here rather than in every file that has an optimizer.
Optimizer::Optimizer(const Optimizer&) = default;
Optimizer::Optimizer(Optimizer&&) noexcept = default;
Optimizer& Optimizer::operator=(const Optimizer&) = default;
Optimizer& Optimizer::operator=(Optimizer&&) noexcept = default;
Optimizer::~Optimizer() = default;

void Optimizer::add(std::vector<Group> groups) {
  Parameters all = parameters();
  for (auto& [parameters, rule, options] : groups) {
    expect(bool(rule.update), "optimizer: the rule '{}' has no update", rule.name);
    expect(
        !parameters.empty(),
        "{}: there is nothing to train: it was given no parameters. A model's are its layers and members of "
        "type Parameter, also those named by its each(); what is made by the first call is there after it",
        rule.name);
    detail::check_option(rule.name, "lr", options.lr);
    detail::check_option(rule.name, "weight_decay", options.weight_decay);
    for (auto& p : parameters)
      if (rule.check) rule.check(p);
    if (!options.schedule && !groups_.empty()) options.schedule = groups_[0].options.schedule;
    all.insert(all.end(), parameters.begin(), parameters.end());
  }
  check_unique(all);
  groups_.insert(groups_.end(), std::make_move_iterator(groups.begin()),
                 std::make_move_iterator(groups.end()));
}

void Optimizer::add_group(const Parameters& parameters, const GroupOptions& options) {
  add({Group{parameters, groups_[0].rule, options}});
}
void Optimizer::add_group(const Parameters& parameters) { add_group(parameters, groups_[0].options); }
void Optimizer::add_groups(const Optimizer& other) {
  expect(other.steps_ == 0, "optimizer: an optimizer that has taken {} steps cannot give up its groups",
         other.steps_);
  add(other.groups_);
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
  for (auto& [parameters, rule, options] : groups_)
    for (auto& [parameter, value] : parameters) {
      expect(
          !value.orphaned(),
          "{}: parameter {} no longer belongs to a model, which was destroyed, converted or assigned one of "
          "another shape; create the optimizer after that",
          rule.name, parameter);
      if (!value.grad().defined()) continue;
      expect(value.grad().shape() == value.shape() && value.grad().dtype() == value.dtype(),
             "{}: gradient {} of {} does not fit parameter {} {} of {}", rule.name, value.grad().shape(),
             value.grad().dtype(), parameter, value.shape(), value.dtype());
    }
}

double Optimizer::rate(const Group& group) const {
  const auto& [_, rule, options] = group;
  detail::check_option(rule.name, "lr", options.lr);
  detail::check_option(rule.name, "weight_decay", options.weight_decay);
  const double rate = options.lr * (options.schedule ? options.schedule(steps_) : 1);
  expect(rate >= 0 && rate < INFINITY, "{}: the learning rate is {} at step {}", rule.name, rate, steps_ + 1);
  return rate;
}

void Optimizer::step() {
  check();
  NoGrad off;
  std::vector<Update> updates;
  for (const Group& group : groups_) {
    const UpdateRule& rule = group.rule;
    const double lr = rate(group), decay = group.options.weight_decay;
    for (auto& p : group.parameters) {
      if (!p.value.grad().defined()) continue;
      Variable value = p.value.detach(), g = p.value.grad();
      const Shape shape = value.shape();
      const DType dtype = value.dtype();
      Known& known = known_[p.value.node()];  // of no step so far, perhaps: then state() passes over it
      known.parameter = p.value;
      UpdateRule::Slots slots = known.slots;
      if (++slots.steps == 1)
        for (auto& name : rule.arrays) slots.arrays[name] = zeros(shape, dtype);
      if (decay != 0 && rule.decoupled) value = value * (1 - lr * decay);
      if (decay != 0 && !rule.decoupled) g = g + value * decay;
      Array next = rule.update(value, g, lr, slots).data();
      expect(next.shape() == shape && next.dtype() == dtype,
             "{}: parameter {} {} of {} would become {} of {}", rule.name, p.name, shape, dtype, next.shape(),
             next.dtype());
      updates.push_back({known, std::move(next), std::move(slots)});
    }
  }
  take(updates);
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
  return fmt::format("{}.{}.{}.{}.", groups_[group].rule.name, group, place,
                     groups_[group].parameters[place].name);
}

std::vector<NamedArray> Optimizer::state() const {
  auto count = [](long steps) { return full({}, double(steps), DType::i64); };
  std::vector<NamedArray> state{{all_steps, count(steps_)}};
  for (std::size_t i = 0; i < groups_.size(); ++i)
    for (std::size_t j = 0; j < groups_[i].parameters.size(); ++j) {
      const auto known = known_.find(groups_[i].parameters[j].value.node());
      if (known == known_.end() || known->second.slots.steps == 0) continue;
      state.push_back({prefix(i, j) + "step", count(known->second.slots.steps)});
      for (auto& [key, array] : known->second.slots.arrays) state.push_back({prefix(i, j) + key, array});
    }
  return state;
}

void Optimizer::load_state(const std::vector<NamedArray>& state) {
  std::map<std::string, Array> left;
  for (auto& [key, array] : state) {
    expect(array.defined(), "optimizer: {} is an undefined array", key);
    expect(left.emplace(key, array).second, "optimizer: {} is given twice", key);
  }
  auto take = [&](const std::string& key, const Shape& shape, DType dtype) {
    const auto entry = left.extract(key);
    if (entry.empty()) fail("optimizer: the state has no {}", key);
    const Array array = entry.mapped();
    expect(array.shape() == shape && array.dtype() == dtype, "optimizer: {} is {} of {}, not {} of {}", key,
           array.shape(), array.dtype(), shape, dtype);
    return array;
  };
  auto take_count = [&](const std::string& key, long least, long most) {
    const Array given = take(key, {}, DType::i64);
    const long count = given.data<std::int64_t>()[0];
    expect(least <= count && count <= most, "optimizer: {} is {}, not in [{}, {}]", key, count, least, most);
    return count;
  };
  expect(left.contains(all_steps),
         "optimizer: the state has no {}: it is not an optimizer's, or was saved by an earlier version",
         all_steps);
  const long steps = take_count(all_steps, 0, most_steps);
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
      for (auto& name : groups_[i].rule.arrays)
        slots.arrays[name] = take(start + name, value.shape(), value.dtype());
    }
  if (!left.empty()) fail("optimizer: this optimizer keeps nothing called {}", left.begin()->first);
  known_ = std::move(known);
  steps_ = steps;
}

}  // namespace xgrad
