#pragma once
// Parameters in files: the safetensors format, which PyTorch and others read
// (https://github.com/huggingface/safetensors).
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

namespace detail {
void load_state(const Leaves& leaves, const Tensors& tensors, const std::string& source);
}  // namespace detail

/// Saves the parameters and buffers of a model by name.
template <class M>
void save(const M& model, const std::string& path) {
  save_tensors(path, {state(model), {}});
}
/// Puts arrays into the model's parameters and buffers by name. Throws Error, and leaves the model as it was,
/// when one is missing, left over, or of another shape or dtype; but what is stored as F16 or BF16 is
/// converted. `source` is what messages call their origin.
template <class M>
void load_state(M& model, const Tensors& tensors, const std::string& source) {
  detail::load_state(detail::leaves(model), tensors, source);
}
/// Loads what save() wrote.
template <class M>
void load(M& model, const std::string& path) {
  load_state(model, load_tensors(path), path);
}

}  // namespace xgrad
