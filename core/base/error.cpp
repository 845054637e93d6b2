// How errors are raised, and what is written of shapes and dtypes.
#include <xgrad/core/base/error.hpp>

#include <fmt/format.h>

#include <ostream>

#include <xgrad/core/base/backtrace.hpp>

namespace xgrad {

void detail::raise(const std::string& text) {
  throw Error((error_prefix ? error_prefix() + text : text) + (wants_backtrace() ? backtrace() : ""));
}

fmt::format_context::iterator detail::TextFormatter::write(const std::string& text,
                                                           fmt::format_context& context) const {
  return format(text, context);
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.str(); }
std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name(dtype); }

}  // namespace xgrad
