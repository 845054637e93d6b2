#pragma once
// Numbers out of texts, whatever the locale.
#include <charconv>
#include <string_view>
#include <type_traits>

namespace xgrad {

namespace detail {
bool read_double(std::string_view text, double& value);
}

/// Whether all of the text is one number that T holds, as std::from_chars reads it; `value` is that number
/// then.
template <class T>
bool read_number(std::string_view text, T& value) {
  if constexpr (std::is_same_v<T, double>) {
    return detail::read_double(text, value);
  } else {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  }
}

}  // namespace xgrad
