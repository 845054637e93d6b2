#pragma once
// Which layer is running on a thread, and what layers and parameters are called in their model.
#include <string>
#include <typeindex>
#include <utility>
#include <vector>

#include <xgrad/core/tape/variable.hpp>

namespace xgrad {

/// An object of a model: two may have one address, as a struct and its first member do, but not two of a
/// type.
using LayerKey = std::pair<const void*, std::type_index>;

/// The paths of a model's layers and parameters: "blocks.0.conv1", "blocks.0.conv1.weight". names_of(model)
/// in nn/visit.hpp finds them.
struct Names {
  std::vector<std::pair<LayerKey, std::string>> layers;         ///< by the object
  std::vector<std::pair<const Node*, std::string>> parameters;  ///< by Variable::node()

  ///@{
  /// The path, the first where there are several; "" where there is none.
  std::string find(LayerKey layer) const;
  std::string find(const Node* parameter) const;
  ///@}
};

/// While one is alive, its layer is running on this thread; layers of the library open one in their call
/// operator, and Sequential for each of its elements: `const LayerCall call(*this);`.
class [[nodiscard]] LayerCall {
 public:
  /// The layer must outlive it.
  template <class Layer>
  explicit LayerCall(const Layer& layer) : LayerCall(&layer, typeid(Layer)) {}
  ~LayerCall();
  LayerCall(const LayerCall&) = delete;
  LayerCall& operator=(const LayerCall&) = delete;

  /// The calls that are open on this thread, the innermost first.
  static std::vector<LayerKey> open();
  /// A number that the innermost open call shares with no other; 0 when none is open.
  static long innermost();

 private:
  LayerCall(const void* layer, const std::type_info& type);

  const void* layer_;
  const std::type_info& type_;
  LayerCall* outer_;
  long number_;
};

/// While one is alive, errors on this thread begin with the path of the layer in which they were raised:
/// `const Named named(names_of(net));`.
class [[nodiscard]] Named {
 public:
  /// Takes the names over; the model must not move.
  explicit Named(Names names);
  ~Named();
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;

  /// The path of the layer that is running on this thread, the innermost that has a name; "" when there is
  /// none.
  static std::string running();

 private:
  const Names names_;
  const Named* outer_;
};

/// The path of the layer that a parameter belongs to: "blocks.0.conv1" for "blocks.0.conv1.weight"; "" for
/// one that the model holds itself.
std::string layer_of(const std::string& parameter);
/// The path of the first of the layers that has one; "" when none has.
std::string path_of(const std::vector<LayerKey>& layers, const Names& names);

}  // namespace xgrad
