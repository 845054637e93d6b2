#pragma once
// NumPy's description of an array (private to npz and pickle).
#include <string>
#include <string_view>

#include "core/array.hpp"

namespace xgrad::detail {

/// An array from NumPy's bytes. `type` is its dtype, as "<f4": byte order ('<', '|' or '=' here; '>' is
/// turned around), kind and width. `where` names the array in messages. Throws Error on other dtypes, and
/// when the bytes are not as many as the shape needs.
Array from_numpy(const std::string& where, std::string_view type, const std::vector<long>& shape,
                 bool fortran_order, std::string_view bytes);
/// NumPy's name of a dtype: "<f4".
const char* numpy_type(DType dtype);

}  // namespace xgrad::detail
