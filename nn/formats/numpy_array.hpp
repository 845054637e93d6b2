#pragma once
// NumPy's description of an array (private to npy, npz and pickle).
#include <functional>
#include <string_view>
#include <vector>

#include <xgrad/core/array/array.hpp>
#include <xgrad/core/base/reader.hpp>

namespace xgrad::detail {

/// An array of the next bytes, which are converted as they come. `type` is its dtype, as "<f4": byte order
/// ('<',
/// '|' or '=' here; '>' is turned around), kind and width. Throws Error on other dtypes, when fewer bytes are
/// left than the shape needs, and on a bool that is neither 0 nor 1.
Array read_elements(Reader& in, std::string_view type, const std::vector<long>& shape, bool fortran_order);
/// A whole .npy: the header, then the elements, then the end.
Array read_npy(Reader& in);
/// The header of a .npy.
std::string npy_header(const Array& array);
/// Calls write(bytes, n), which returns how many it took, until all are taken: libarchive takes no more than
/// 2^31 - 1 at a time. Throws Error when it takes none.
void write_all(const std::function<std::size_t(const char*, std::size_t)>& write, const char* bytes,
               std::size_t n);

}  // namespace xgrad::detail
