#pragma once
// Errors: one way to raise them.
#include <new>
#include <string>
#include <string_view>

#include <xgrad/core/base/exception.hpp>
#include <xgrad/core/base/format.hpp>

namespace xgrad {

namespace detail {
using ErrorPrefix = std::string (*)();
/// Names what this thread is in, for the beginning of messages; core/tape/layer_call.hpp sets it.
inline constinit thread_local ErrorPrefix error_prefix = nullptr;
/// Throws Error with the text, after the prefix; with $XGRAD_BACKTRACE the program's own lines follow.
[[noreturn]] void raise(const std::string& text);
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
