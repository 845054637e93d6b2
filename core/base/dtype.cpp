// What is said when an operation has let through a dtype that it cannot compute in.
#include <xgrad/core/base/dtype.hpp>

#include <xgrad/core/base/error.hpp>

namespace xgrad {

void detail::not_computed_in(DType dtype) { fail("{}: nothing is computed in it; cast first", dtype); }

}  // namespace xgrad
