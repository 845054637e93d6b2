#pragma once
// The members of a plain struct and their names, found by the compiler.
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace xgrad::detail {

struct AnyMember {
  template <class T>
  constexpr operator T&() const&& noexcept;
  template <class T>
  constexpr operator T&&() const&& noexcept;
};
template <class T, std::size_t... I>
constexpr bool has_members(std::index_sequence<I...>) {
  return requires { T{(void(I), AnyMember{})...}; };
}
/// How many members an aggregate has: the most that it can be initialised with.
template <class T, std::size_t N = 24>
constexpr std::size_t member_count() {
  if constexpr (N == 0)
    return 0;
  else if constexpr (has_members<T>(std::make_index_sequence<N>{}))
    return N;
  else
    return member_count<T, N - 1>();
}

/// References to the members of an aggregate, in order.
template <class T>
constexpr auto members(T& m) {
  constexpr std::size_t n = member_count<std::remove_const_t<T>>();
  // clang-format off
  if constexpr (n == 0) { (void)m; return std::tie(); }
  else if constexpr (n == 1) { auto& [a] = m; return std::tie(a); }
  else if constexpr (n == 2) { auto& [a, b] = m; return std::tie(a, b); }
  else if constexpr (n == 3) { auto& [a, b, c] = m; return std::tie(a, b, c); }
  else if constexpr (n == 4) { auto& [a, b, c, d] = m; return std::tie(a, b, c, d); }
  else if constexpr (n == 5) { auto& [a, b, c, d, e] = m; return std::tie(a, b, c, d, e); }
  else if constexpr (n == 6) { auto& [a, b, c, d, e, f] = m; return std::tie(a, b, c, d, e, f); }
  else if constexpr (n == 7) { auto& [a, b, c, d, e, f, g] = m; return std::tie(a, b, c, d, e, f, g); }
  else if constexpr (n == 8) { auto& [a, b, c, d, e, f, g, h] = m; return std::tie(a, b, c, d, e, f, g, h); }
  else if constexpr (n == 9) { auto& [a, b, c, d, e, f, g, h, i] = m; return std::tie(a, b, c, d, e, f, g, h, i); }
  else if constexpr (n == 10) { auto& [a, b, c, d, e, f, g, h, i, j] = m; return std::tie(a, b, c, d, e, f, g, h, i, j); }
  else if constexpr (n == 11) { auto& [a, b, c, d, e, f, g, h, i, j, k] = m; return std::tie(a, b, c, d, e, f, g, h, i, j, k); }
  else if constexpr (n == 12) { auto& [a, b, c, d, e, f, g, h, i, j, k, l] = m; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l); }
  else if constexpr (n == 13) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, o] = m; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, o); }
  else if constexpr (n == 14) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, o, p] = m; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, o, p); }
  else if constexpr (n == 15) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, o, p, q] = m; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, o, p, q); }
  else if constexpr (n == 16) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, o, p, q, r] = m; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, o, p, q, r); }
  // clang-format on
  else
    static_assert(n <= 16,
                  "a model with more than 16 members: group some of them, or give it `void each(auto&& f)`");
}

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
/// Never defined: it has an address only, which tells the compiler's names of its members.
template <class T>
struct Ghost {
  T value;
};
template <class T>
extern Ghost<T> ghost;

/// The address of a member as a template argument: Clang takes none that is not within a struct.
template <class T>
struct Spot {
  T* at;
};
template <class T>
Spot(T*) -> Spot<T>;

template <auto Where>
consteval std::string_view spelled() {
  const std::string_view text =
      __PRETTY_FUNCTION__;  // ends in "value.Net::conv1)}; ...]" or ".value.conv1}]"
  const auto brace = text.rfind('}'), stop = text[brace - 1] == ')' ? brace - 1 : brace;
  const auto start = text.find_last_of(":.", stop) + 1;
  return text.substr(start, stop - start);
}
template <class T, std::size_t I>
std::string member_name() {
  return std::string(spelled<Spot{&std::get<I>(members(ghost<T>.value))}>());
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

}  // namespace xgrad::detail
