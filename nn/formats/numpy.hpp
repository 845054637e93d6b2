#pragma once
// Arrays exchanged with NumPy: .npz archives both ways, and the pickles that the book's programs write.
#include <xgrad/core/base/limits.hpp>
#include <xgrad/nn/formats/checkpoint.hpp>

namespace xgrad {

/// Writes the arrays as a .npz that numpy.load opens, uncompressed as numpy.savez does; whoever reads `path`
/// finds the old file or the new one, whole. Metadata is left out: the format has none. Throws Error.
void save_npz(const std::string& path, const Tensors& tensors);
/// Reads a .npz of numpy.savez or savez_compressed: float32, float64, integers (unsigned up to 32 bits) and
/// bool (which become i64, or u8), in C or Fortran order. Throws Error that names the file, the array and
/// what is wrong; also beyond the limits.
Tensors load_npz(const std::string& path, const LoadLimits& limits = {});
/// Reads a .npy. Throws Error as load_npz does; it needs no limits: it is as large as its file.
Array load_npy(const std::string& path);

/// Reads the arrays in a dict, a list or a tuple (or dicts of lists: "outer.0"; or one array: "") that
/// Python's pickle wrote by protocol 0 to 5; NumPy's numbers are arrays of shape (). Other numbers, texts and
/// None are left out. Nothing is ever executed: whatever is none of these is refused by name. Throws Error
/// that names the file and the offset; also when lists are nested more than 100 deep, or hold the same so
/// often that it would take 64 times the memory of the file. That takes the place of limits.
Tensors load_pickle(const std::string& path);

namespace detail {
/// The book's W1, b1, W2, b2 … under the names of a model's weights and biases in order; its affine weights
/// are (in, out), ours (out, in). Throws Error when one is missing.
Tensors from_book(const Tensors& book, const std::vector<NamedArray>& model, const std::string& source);
}  // namespace detail

/// Puts the parameters of the book's networks, named W1, b1, W2, b2 …, into a model whose layers come in the
/// same order. Throws Error, and leaves the model as it was, when they do not fit.
template <class M>
void load_book(M& model, const Tensors& tensors, const std::string& source) {
  load_state(model, detail::from_book(tensors, state(model), source), source);
}

}  // namespace xgrad
