// Variables in the place of a model's parameters.
#include <xgrad/nn/functional_call.hpp>

#include <set>

#include <fmt/format.h>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/recompute.hpp>

namespace xgrad::detail {

Substitution::Substitution(const Leaves& leaves, const Parameters& values) {
  std::map<std::string, Parameter*> places;
  for (auto& leaf : leaves)
    if (leaf.parameter) places[leaf.name] = leaf.parameter;
  std::vector<std::string> faults;
  std::set<std::string> given;
  for (auto& [name, value] : values) {
    const auto place = places.find(name);
    if (!given.insert(name).second)
      faults.push_back(fmt::format("{} is given twice", name));
    else if (place == places.end())
      faults.push_back(fmt::format("the model has no parameter {}", name));
    else if (!value.defined())
      faults.push_back(fmt::format("{} is undefined", name));
    else if (!(value.shape() == place->second->shape()))
      faults.push_back(
          fmt::format("{} has shape {}, the model's {}", name, value.shape(), place->second->shape()));
  }
  expect(faults.empty(), "functional_call: {}", fmt::join(faults, "; "));
  for (auto& [name, value] : values) own_.emplace_back(places[name], value);
  for (auto& [place, value] : own_) std::swap(static_cast<Variable&>(*place), value);
  ++substitutions;
}
Substitution::~Substitution() {
  --substitutions;
  for (auto& [place, value] : own_) std::swap(static_cast<Variable&>(*place), value);
}

}  // namespace xgrad::detail
