// The stack of layers that are running on a thread.
#include <xgrad/core/tape/layer_call.hpp>

#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace {

constinit thread_local LayerCall* innermost_call = nullptr;
constinit thread_local long calls = 0;
constinit thread_local const Named* innermost_named = nullptr;

template <class Table, class Key>
std::string find_in(const Table& table, const Key& key) {
  for (auto& [object, path] : table)
    if (object == key) return path;
  return "";
}

}  // namespace

std::string Names::find(LayerKey layer) const { return find_in(layers, layer); }
std::string Names::find(const Node* parameter) const { return find_in(parameters, parameter); }

LayerCall::LayerCall(const void* layer, const std::type_info& type)
    : layer_(layer), type_(type), outer_(std::exchange(innermost_call, this)), number_(++calls) {}
LayerCall::~LayerCall() { innermost_call = outer_; }
std::vector<LayerKey> LayerCall::open() {
  std::vector<LayerKey> layers;
  for (const LayerCall* call = innermost_call; call; call = call->outer_)
    layers.emplace_back(call->layer_, call->type_);
  return layers;
}
long LayerCall::innermost() { return innermost_call ? innermost_call->number_ : 0; }

Named::Named(Names names) : names_(std::move(names)), outer_(std::exchange(innermost_named, this)) {
  detail::error_prefix = [] {
    std::string path = running();
    if (!path.empty()) path.append(": ");
    return path;
  };
}
Named::~Named() {
  innermost_named = outer_;
  if (!outer_) detail::error_prefix = nullptr;
}
std::string Named::running() {
  return innermost_named ? path_of(LayerCall::open(), innermost_named->names_) : "";
}

std::string layer_of(const std::string& parameter) {
  const auto dot = parameter.rfind('.');
  return dot == parameter.npos ? "" : parameter.substr(0, dot);
}
std::string path_of(const std::vector<LayerKey>& layers, const Names& names) {
  for (auto& layer : layers)
    if (std::string path = names.find(layer); !path.empty()) return path;
  return "";
}

}  // namespace xgrad
