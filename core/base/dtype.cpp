// How dtypes and shapes are formatted, and what is said of a dtype that an operation cannot compute in.
#include <xgrad/core/base/dtype.hpp>

#include <fmt/format.h>

#include <xgrad/core/base/error.hpp>

namespace xgrad {

void detail::not_computed_in(DType dtype) { fail("{}: nothing is computed in it; cast first", dtype); }

}  // namespace xgrad
