#pragma once
// NumPy's description of an array (private to npz and pickle).
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/array.hpp"

namespace xgrad::detail {

/// An array from NumPy's bytes. `type` is its dtype, as "<f4": byte order ('<', '|' or '=' here; '>' is
/// turned around), kind and width. `where` names the array in messages. Throws Error on other dtypes, and
/// when the bytes are not as many as the shape needs.
Array from_numpy(const std::string& where, std::string_view type, const std::vector<long>& shape,
                 bool fortran_order, std::string_view bytes);
/// How many elements an array of that type and shape has. Throws Error as from_numpy does.
long check_numpy(const std::string& where, std::string_view type, const std::vector<long>& shape,
                 std::uint64_t bytes);
/// Calls write(bytes, n), which returns how many it took, until all are taken: libarchive takes no more than
/// 2^31 - 1 at a time. Throws Error when it takes none.
void write_all(const std::function<std::size_t(const char*, std::size_t)>& write, const char* bytes,
               std::size_t n);
/// NumPy's name of a dtype: "<f4".
const char* numpy_type(DType dtype);

}  // namespace xgrad::detail
