#pragma once
// functional_call: a model as a function of its parameters.
#include <map>

#include <xgrad/nn/visit.hpp>

namespace xgrad {
namespace detail {

/// While one is alive, Variables stand in the place of parameters of a model.
class [[nodiscard]] Substitution {
 public:
  /// Throws Error that names all that do not fit, and leaves the model as it was.
  Substitution(const Leaves& leaves, const Parameters& values);
  ~Substitution();
  Substitution(const Substitution&) = delete;
  Substitution& operator=(const Substitution&) = delete;

 private:
  std::vector<std::pair<Parameter*, Variable>> own_;
};

}  // namespace detail

/// model(inputs...) with the given Variables in the place of the parameters of their names, by which
/// gradients go to them; other parameters, and all buffers, are the model's own. After the call, also one
/// that throws, the model is as it was. With it models are functions, as meta-learning needs them:
///   Parameters fast = parameters(net);
///   auto g = grad(loss(functional_call(net, fast, x), y), variables(fast), {.create_graph = true});
///   for (std::size_t i = 0; i < fast.size(); ++i) fast[i].value = fast[i].value - .01 * g[i];
///   loss(functional_call(net, fast, x2), y2).backward();    // to the parameters of net, through the step
/// Other threads must not use the model meanwhile. Throws Error that names all names that the model does not
/// have or that are given twice, all shapes that differ, and all values that are undefined; and for
/// checkpoint() within the model, whose second run would come after the call.
template <class M, class... Inputs>
auto functional_call(M& model, const Parameters& values, const Inputs&... inputs) {
  const detail::Substitution substitution(detail::leaves(model), values);
  return model(inputs...);
}
/// The same for values by name.
template <class M, std::same_as<std::map<std::string, Variable>> Values, class... Inputs>
auto functional_call(M& model, const Values& values, const Inputs&... inputs) {
  Parameters list;
  for (auto& [name, value] : values) list.push_back({name, value});
  return functional_call(model, list, inputs...);
}

}  // namespace xgrad
