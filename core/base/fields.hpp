#pragma once
// The members of a plain struct and their names, and the names of types, found by the compiler.
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace xgrad::detail {

/// Whether T can be copied: of containers std::is_copy_constructible says so whatever they hold.
template <class T>
constexpr bool is_copyable = std::is_copy_constructible_v<T>;
template <class T>
requires(requires { typename T::value_type; } && !std::is_same_v<typename T::value_type, T>)  //
    constexpr bool is_copyable<T> = std::is_copy_constructible_v<T> && is_copyable<typename T::value_type>;

/// Initialises a member of any type, also one that can be neither copied nor moved, as a mutex.
struct AnyMember {
  template <class T>
  requires(!std::is_same_v<std::remove_cv_t<T>, AnyMember>) && is_copyable<T> operator T&() const&& noexcept;
  template <class T>
  requires(!std::is_same_v<std::remove_cv_t<T>, AnyMember>) && is_copyable<T> operator T&&() const&& noexcept;
  template <class T>
  requires(!std::is_same_v<std::remove_cv_t<T>, AnyMember>) && (!is_copyable<T>)operator T() const&& noexcept;
};
/// Initialises the bases of T, and no member.
template <class T>
struct AnyBase {
  template <class B>
  requires(std::is_base_of_v<B, T> && !std::is_same_v<B, T>) operator B&() const&& noexcept;
  template <class B>
  requires(std::is_base_of_v<B, T> && !std::is_same_v<B, T>) operator B&&() const&& noexcept;
};

template <std::size_t N>
using Count = std::make_index_sequence<N>;

template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires { T{(void(I), AnyMember{})...}; };
}
struct Nothing {};
/// Whether T has a base: a first member that takes anything, as std::any, is none.
template <class T, std::size_t... I>
constexpr bool has_base(std::index_sequence<I...>) {
  return requires { T{AnyBase<T>{}, (void(I), AnyMember{})...}; }
  &&!requires { T{Nothing{}, (void(I), AnyMember{})...}; };
}
/// The same as takes() where no member is a C array: between parentheses each must have its own initialiser.
/// One argument might be copied from.
template <class T, std::size_t... I>
constexpr bool takes_one_each(std::index_sequence<I...>) {
  return sizeof...(I) == 1 || requires { T((void(I), AnyMember{})...); };
}
template <class T, std::size_t... Before, std::size_t... In, std::size_t... After>
constexpr bool takes_list(std::index_sequence<Before...>, std::index_sequence<In...>,
                          std::index_sequence<After...>) {
  return requires {
    T{(void(Before), AnyMember{})..., {(void(In), AnyMember{})...}, (void(After), AnyMember{})...};
  };
}

/// The most members that a struct may have.
inline constexpr std::size_t most_members = 64;

/// The largest N up to the given one for which T takes N initialisers.
template <class T, std::size_t N>
constexpr std::size_t most_taken() {
  if constexpr (N == 0 || takes<T>(Count<N>{}))
    return N;
  else
    return most_taken<T, N - 1>();
}
/// The most initialisers that T takes, one for each element of an array; 0 if none was found, and more than
/// most_members if there are more. Most structs have few.
template <class T>
constexpr std::size_t initialisers() {
  constexpr std::size_t few = 16, found = most_taken<T, few>();
  if constexpr (0 < found && found < few)
    return found;
  else
    return most_taken<T, most_members + 1>();
}

/// How many of the N initialisers of T go to the member that begins with the one at I: at most S. After a
/// member that is not an array, all the others would fit.
template <class T, std::size_t N, std::size_t I, std::size_t S>
constexpr std::size_t elements_at() {
  if constexpr (S < 2)
    return 1;
  else if constexpr (takes_list<T>(Count<I>{}, Count<S>{}, Count<N - I - S>{}) &&
                     !takes_list<T>(Count<I>{}, Count<S>{}, Count<N - I - 1>{}))
    return S;
  else
    return elements_at<T, N, I, S - 1>();
}
template <class T, std::size_t N, std::size_t I = 0>
constexpr std::size_t count_arrays_once() {
  if constexpr (I >= N)
    return 0;
  else
    return 1 + count_arrays_once<T, N, I + elements_at<T, N, I, N - I>()>();
}

/// How many members an aggregate has.
template <class T>
constexpr std::size_t member_count() {
  if constexpr (std::is_empty_v<T>) {
    return 0;
  } else {
    constexpr std::size_t n = initialisers<T>();
    static_assert(n > 0, "the members of this struct cannot be counted: give it `void each(auto&& f)`");
    static_assert(n <= most_members,
                  "a struct with more than 64 members, counting each element of a C array: group some of "
                  "them, use std::array, or give it `void each(auto&& f)`");
    if constexpr (n == 0 || n > most_members) {
      return 0;
    } else {
      constexpr bool derived = has_base<T>(Count<n - 1>{});
      static_assert(!derived,
                    "a struct with a base class: give it `void each(auto&& f)`, which names its own members, "
                    "and those of the base by f(\"\", static_cast<Base&>(*this))");
      if constexpr (derived)
        return 0;
      else if constexpr (takes_one_each<T>(Count<n>{}))
        return n;
      else
        return count_arrays_once<T, n>();
    }
  }
}

/// References to the members of an aggregate, in order.
template <class T>
constexpr auto members(T& m) {
  constexpr std::size_t n = member_count<std::remove_const_t<T>>();
  // clang-format off
#define XGRAD_TIE(count, ...) if constexpr (n == (count)) { auto& [__VA_ARGS__] = m; return std::tie(__VA_ARGS__); }
#define XGRAD_TIE_16(more, before, p) \
  XGRAD_TIE(more + 1, before p##1) \
  XGRAD_TIE(more + 2, before p##1, p##2) \
  XGRAD_TIE(more + 3, before p##1, p##2, p##3) \
  XGRAD_TIE(more + 4, before p##1, p##2, p##3, p##4) \
  XGRAD_TIE(more + 5, before p##1, p##2, p##3, p##4, p##5) \
  XGRAD_TIE(more + 6, before p##1, p##2, p##3, p##4, p##5, p##6) \
  XGRAD_TIE(more + 7, before p##1, p##2, p##3, p##4, p##5, p##6, p##7) \
  XGRAD_TIE(more + 8, before p##1, p##2, p##3, p##4, p##5, p##6, p##7, p##8) \
  XGRAD_TIE(more + 9, before p##1, p##2, p##3, p##4, p##5, p##6, p##7, p##8, p##9) \
  XGRAD_TIE(more + 10, before p##1, p##2, p##3, p##4, p##5, p##6, p##7, p##8, p##9, p##10) \
  XGRAD_TIE(more + 11, before p##1, p##2, p##3, p##4, p##5, p##6, p##7, p##8, p##9, p##10, p##11) \
  XGRAD_TIE(more + 12, before p##1, p##2, p##3, p##4, p##5, p##6, p##7, p##8, p##9, p##10, p##11, p##12) \
  XGRAD_TIE(more + 13, before p##1, p##2, p##3, p##4, p##5, p##6, p##7, p##8, p##9, p##10, p##11, p##12, p##13) \
  XGRAD_TIE(more + 14, before p##1, p##2, p##3, p##4, p##5, p##6, p##7, p##8, p##9, p##10, p##11, p##12, p##13, p##14) \
  XGRAD_TIE(more + 15, before p##1, p##2, p##3, p##4, p##5, p##6, p##7, p##8, p##9, p##10, p##11, p##12, p##13, p##14, p##15) \
  XGRAD_TIE(more + 16, before XGRAD_16(p))
#define XGRAD_16(p) p##1, p##2, p##3, p##4, p##5, p##6, p##7, p##8, p##9, p##10, p##11, p##12, p##13, p##14, p##15, p##16
#define XGRAD_FIRST_16 XGRAD_16(a),
#define XGRAD_FIRST_32 XGRAD_16(a), XGRAD_16(b),
#define XGRAD_FIRST_48 XGRAD_16(a), XGRAD_16(b), XGRAD_16(c),
  if constexpr (n == 0) { (void)m; return std::tie(); }
  XGRAD_TIE_16(0, , a)
  XGRAD_TIE_16(16, XGRAD_FIRST_16, b)
  XGRAD_TIE_16(32, XGRAD_FIRST_32, c)
  XGRAD_TIE_16(48, XGRAD_FIRST_48, d)
#undef XGRAD_TIE
#undef XGRAD_TIE_16
#undef XGRAD_16
#undef XGRAD_FIRST_16
#undef XGRAD_FIRST_32
#undef XGRAD_FIRST_48
  // clang-format on
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

/// What stands for a template argument in the compiler's name of a function: behind "T = ", up to the next
/// one.
consteval std::string_view argument_in(std::string_view function, std::string_view key) {
  const auto start = function.find(key) + key.size();
  auto stop = function.rfind("; std::string_view = ");
  if (stop == function.npos || stop < start) stop = function.rfind(']');
  return function.substr(start, stop - start);
}
/// "xgrad::Linear", "std::vector<Block>", "main()::Net".
template <class T>
consteval std::string_view type_name() {
  return argument_in(__PRETTY_FUNCTION__, "T = ");
}

/// The address of a member or a function as a template argument: Clang takes none of a member that is not
/// within a struct.
template <class T>
struct Spot {
  T* at;
};
template <class T>
Spot(T*) -> Spot<T>;

/// The last part of what a member or a function is called: "relu", and "conv1" of "Spot<xgrad::Conv2d>{(&
/// ghost<...>.value.Net::conv1)}".
template <auto Where>
consteval std::string_view spelled() {
  std::string_view text = argument_in(__PRETTY_FUNCTION__, "Where = ");
  text = text.substr(0, text.find_last_not_of(")}") + 1);
  return text.substr(text.find_last_of(":.&{ ") + 1);
}
template <class T, std::size_t I>
std::string member_name() {
  static_assert(
      requires { spelled<Spot{&std::get<I>(members(ghost<T>.value))}>(); },
      "a struct with a member that is a reference: hold the object itself, or share it by "
      "std::shared_ptr");
  return std::string(spelled<Spot{&std::get<I>(members(ghost<T>.value))}>());
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

}  // namespace xgrad::detail
