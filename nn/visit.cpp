// What is done with the leaves of a model, whatever its type.
#include <xgrad/nn/visit.hpp>

#include <set>

namespace xgrad {
namespace detail {

struct Visitor::Seen {
  std::set<LayerKey> objects;
};
Visitor::Visitor() : seen_(new Seen) {}
Visitor::~Visitor() { delete seen_; }
bool Visitor::first(LayerKey object) { return seen_->objects.insert(object).second; }
void Visitor::enter(const std::string&, LayerKey) {}

void Leaf::set_data(Array data) const {
  if (parameter)
    parameter->set_data(std::move(data));
  else
    buffer->value = std::move(data);
}

void LeafFinder::leaf(const std::string& path, Parameter& leaf) { found.push_back({path, &leaf, nullptr}); }
void LeafFinder::leaf(const std::string& path, Buffer& leaf) { found.push_back({path, nullptr, &leaf}); }

void NameFinder::enter(const std::string& path, LayerKey object) {
  if (!path.empty()) found.layers.emplace_back(object, path);
}
void NameFinder::leaf(const std::string& path, Parameter& leaf) {
  found.parameters.emplace_back(leaf.node(), path);
}

Parameters parameters(const Leaves& leaves) {
  Parameters found;
  for (auto& leaf : leaves)
    if (leaf.parameter) found.push_back({leaf.name, *leaf.parameter});
  return found;
}
std::vector<NamedArray> state(const Leaves& leaves) {
  std::vector<NamedArray> found;
  for (auto& leaf : leaves) found.push_back({leaf.name, leaf.data()});
  return found;
}
void set_dtype(const Leaves& leaves, DType dtype) {
  for (auto& [name, parameter, buffer] : leaves) {
    if (buffer) {
      buffer->value = buffer->value.cast(dtype);
    } else {
      const bool trained = parameter->requires_grad();
      *parameter = Parameter(parameter->data().cast(dtype));
      parameter->set_requires_grad(trained);
    }
  }
}

}  // namespace detail

std::vector<Variable> variables(const Parameters& parameters) {
  std::vector<Variable> found;
  for (auto& p : parameters) found.push_back(p.value);
  return found;
}

long parameter_count(const Parameters& parameters) {
  long total = 0;
  for (auto& p : parameters) total += p.value.size();
  return total;
}

}  // namespace xgrad
