#pragma once
// Errors: one way to raise them, and how shapes and dtypes are written in messages.
#include <fmt/core.h>

#include <new>
#include <string>
#include <string_view>

#include <xgrad/core/base/dtype.hpp>
#include <xgrad/core/base/exception.hpp>
#include <xgrad/core/base/shape.hpp>

namespace xgrad {

namespace detail {
using ErrorPrefix = std::string (*)();
/// Names what this thread is in, for the beginning of messages; core/tape/layer_call.hpp sets it.
inline constinit thread_local ErrorPrefix error_prefix = nullptr;
[[noreturn]] inline void raise(const std::string& text) {
  throw Error(error_prefix ? error_prefix() + text : text);
}
}  // namespace detail

/// Throws Error with the formatted message.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> message, Args&&... args) {
  detail::raise(fmt::format(message, std::forward<Args>(args)...));
}

/// Throws Error with the formatted message unless `ok`.
template <class... Args>
void expect(bool ok, fmt::format_string<Args...> message, Args&&... args) {
  if (!ok) [[unlikely]]
    fail(message, std::forward<Args>(args)...);
}

/// What an exception says to users: std::bad_alloc does not say it in words.
inline const char* text_of(const std::exception& e) {
  return dynamic_cast<const std::bad_alloc*>(&e) ? "out of memory" : e.what();
}

}  // namespace xgrad

/// @namespace fmt
/// The {fmt} library, which formats messages; Shape and DType can be arguments.

/// Shapes in messages: as Shape::str writes them.
template <>
struct fmt::formatter<xgrad::Shape> : fmt::formatter<std::string_view> {
  /// For {fmt}: called for "{}".
  auto format(const xgrad::Shape& shape, format_context& ctx) const -> format_context::iterator;
};
/// DTypes in messages: by their name.
template <>
struct fmt::formatter<xgrad::DType> : fmt::formatter<std::string_view> {
  /// For {fmt}: called for "{}".
  auto format(xgrad::DType dtype, format_context& ctx) const -> format_context::iterator;
};
