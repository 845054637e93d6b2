#pragma once
// Parameters in files: the safetensors format, which PyTorch and others read
// (https://github.com/huggingface/safetensors).
#include <functional>
#include <map>

#include <xgrad/nn/visit.hpp>

namespace xgrad {

/// What a safetensors file holds.
struct Tensors {
  std::vector<NamedArray> arrays;               ///< in the order of the file
  std::map<std::string, std::string> metadata;  ///< texts by name

  /// The array of the given name. Throws Error when there is none.
  const Array& at(const std::string& name) const;
};

/// Writes the arrays and texts, and the SHA-256 of all of it among the texts; whoever reads `path` finds the
/// old file or the new one, whole. Throws Error.
void save_tensors(const std::string& path, const Tensors& tensors);
/// Reads a safetensors file of F32, F64, F16, BF16, I64, I32, U8 and BOOL. Throws Error that names the file
/// and the offset of what is wrong; for damage anywhere in a file that save_tensors wrote. Nothing is
/// compressed: it takes the memory of the file, and needs no limits.
Tensors load_tensors(const std::string& path);

/// What a name in a file is called in the model: a function, or a map, in which names that are not listed
/// stay as they are. An array whose new name is empty is left out.
class Rename {
 public:
  /// All names stay.
  Rename() = default;
  /// By a function of the name in the file.
  template <std::invocable<const std::string&> F>
  requires(!std::same_as<F, Rename>) Rename(F function)  // NOLINT: implicit, so that it can be given as it is
      : function_(std::move(function)) {}
  ///@{
  /// From the name in the file to that in the model: `.rename = {{"fc.weight", "head.weight"}}`.
  Rename(const std::map<std::string, std::string>& names);
  Rename(std::initializer_list<std::pair<const std::string, std::string>> names)
      : Rename(std::map<std::string, std::string>(names)) {}
  ///@}
  /// The name in the model.
  std::string operator()(const std::string& name) const { return function_ ? function_(name) : name; }

 private:
  std::function<std::string(const std::string&)> function_;
};

/// How arrays are put into a model.
struct LoadOptions {
  Rename rename = {};  ///< from names of the file to those of the model
  /// Whether it is an Error when an array is missing or left over. Otherwise what is there is loaded, and
  /// parameters that are missing stay as they are.
  bool strict = true;
};
/// What did not find its place; empty where the loading was strict.
struct LoadReport {
  ///@{
  /// Names that the model has and the file does not; and the reverse, as the file has them.
  std::vector<std::string> missing, unexpected;
  ///@}
};

namespace detail {
LoadReport load_leaves(const Leaves& leaves, const std::vector<NamedArray>& arrays, const std::string& source,
                       const LoadOptions& options);
}  // namespace detail

/// Saves the parameters and buffers of a model by name.
template <class M>
void save(const M& model, const std::string& path) {
  save_tensors(path, {state(model), {}});
}
/// Puts arrays into the model's parameters and buffers by name. Throws one Error that names all that are
/// missing, left over, or of another shape or dtype, and leaves the model as it was; but what is stored as
/// F16 or BF16 is converted. `source` is what messages call their origin. With `.strict = false` it returns
/// what was missing or left over; another shape is an Error all the same.
template <class M>
LoadReport load_state(M& model, const Tensors& tensors, const std::string& source,
                      const LoadOptions& options = {}) {
  return detail::load_leaves(detail::leaves(model), tensors.arrays, source, options);
}
/// The same for what state(model) gave: `const auto best = state(net); ... load_state(net, best);`.
template <class M>
LoadReport load_state(M& model, const std::vector<NamedArray>& state, const LoadOptions& options = {}) {
  return detail::load_leaves(detail::leaves(model), state, "load_state", options);
}
/// Loads what save() wrote, or another program: load(net, "resnet.safetensors", {.rename = {{"fc.weight",
/// "head.weight"}}, .strict = false}).
template <class M>
LoadReport load(M& model, const std::string& path, const LoadOptions& options = {}) {
  return load_state(model, load_tensors(path), path, options);
}

}  // namespace xgrad
