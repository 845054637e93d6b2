#pragma once
// Variables as text, by to_string, std::cout << x and fmt::print("{}", x):
//   Variable([1., 2.], requires_grad)
//   Variable([0.8415, 0.9093], op=sin)
#include <concepts>

#include <xgrad/core/array/print.hpp>
#include <xgrad/core/tape/variable.hpp>

namespace xgrad {

/// The elements as of an Array, with the name if it has one, and the operation that made it or requires_grad.
std::string to_string(const Variable& x, const PrintOptions& options = {});

}  // namespace xgrad

/// Variables, and what is derived from them such as Parameters, as to_string writes them.
template <std::derived_from<xgrad::Variable> T>
struct fmt::formatter<T> : xgrad::detail::ArrayFormatter {
  /// For {fmt}: called for "{}".
  auto format(const xgrad::Variable& x, format_context& context) const {
    return write(xgrad::to_string(x, options), context);
  }
};
