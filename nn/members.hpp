#pragma once
// What a model is made of: the kinds of members, what each kind holds, and what is refused.
#include <concepts>
#include <utility>

#include <xgrad/core/base/fields.hpp>
#include <xgrad/nn/parameter.hpp>

namespace xgrad::detail {

template <class M>
concept IsLeaf = std::same_as<M, Parameter> || std::same_as<M, Buffer>;
struct AnyFunction {
  void operator()(const std::string&, auto&) const {}
};
template <class M>
concept HasEach = requires(M& m, AnyFunction& f) {
  m.each(f);
};
class Visitor;
/// Holds a model whose type is known when the program runs, as AnyModel does.
template <class M>
concept Erased = requires(M& m, Visitor& visitor) {
  m.walk(visitor, std::string());
};
template <class M>
concept PointerLike = std::is_class_v<M> && requires(M& m) {
  *m;
  static_cast<bool>(m);
  requires std::is_class_v<std::remove_reference_t<decltype(*m)>>;
};
/// How many types a std::variant is made of.
template <class M>
constexpr std::size_t alternatives = 0;
template <template <class...> class Template, class... Args>
constexpr std::size_t alternatives<Template<Args...>> = sizeof...(Args);
template <class M>
concept VariantLike = requires(M& m) {
  m.index();
  m.valueless_by_exception();
};
/// Whose elements can be looked into: not a path, whose elements are paths, or a vector<bool>.
template <class M>
concept Range = requires(M& m) {
  m.end();
  requires !std::same_as<std::remove_cvref_t<decltype(*m.begin())>, M>;
};
template <class M>
concept TupleLike = requires {
  std::tuple_size<M>::value;
};
/// A function of one Variable, as a layer is.
template <class M>
concept Callable = std::invocable<M&, const Variable&>;

/// A layer or parameter, or what has one among its template arguments.
template <class T>
constexpr bool is_model = IsLeaf<T> || HasEach<T> || Erased<T> || Callable<T>;
template <class T>
constexpr bool is_model<const T> = is_model<T>;
template <class T>
constexpr bool is_model<T*> = is_model<T>;
template <class T>
constexpr bool is_model<T[]> = is_model<T>;
template <template <class...> class Template, class... Args>
requires(!Callable<Template<Args...>>)  //
    constexpr bool is_model<Template<Args...>> = IsLeaf<Template<Args...>> || HasEach<Template<Args...>> ||
                                                 (is_model<Args> || ...);

/// How a walk goes on from an object, or why it cannot.
enum class Kind {
  leaf,
  erased,
  each,
  pointer,
  variant,
  map,
  range,
  tuple,
  aggregate,
  constant,
  raw_pointer,
  unordered,
  closed,
  unknown
};

template <class M>
consteval Kind kind_of() {
  using enum Kind;
  if constexpr (IsLeaf<M>)
    return leaf;
  else if constexpr (std::is_array_v<M>)
    return range;
  else if constexpr (std::is_pointer_v<M>)
    return is_model<std::remove_pointer_t<M>> && !std::is_function_v<std::remove_pointer_t<M>> ? raw_pointer
                                                                                               : constant;
  else if constexpr (!std::is_class_v<M> || std::same_as<M, Variable> || std::same_as<M, Array>)
    return constant;
  else if constexpr (Erased<M>)
    return erased;
  else if constexpr (HasEach<M>)
    return each;
  else if constexpr (PointerLike<M>)
    return pointer;
  else if constexpr (VariantLike<M>)
    return variant;
  else if constexpr (requires { typename M::hasher; })
    return is_model<M> ? unordered : constant;
  else if constexpr (Range<M>)
    return requires { typename M::mapped_type; }
  ? map : range;
  else if constexpr (TupleLike<M>) return tuple;
  else if constexpr (std::is_aggregate_v<M>) return aggregate;
  else if constexpr (type_name<M>().starts_with("std::reference_wrapper") ||
                     type_name<M>() == "std::any") return closed;
  else if constexpr (type_name<M>().starts_with("std::"))  // a mutex, a stream, a path, a function
          return is_model<M> &&
          !Callable<M>
      ? closed
      : constant;
  else return std::is_trivially_copyable_v<M> ? constant : unknown;
}

/// Does not compile: says what is wrong with a member of that type.
template <Kind kind, class Member>
struct Refused {
  static_assert(kind != Kind::raw_pointer,
                "a raw pointer to a layer or parameter, of which nobody knows who owns it: hold the layer "
                "itself, or share it by std::shared_ptr");
  static_assert(kind != Kind::unordered, "a hash table of layers, whose order is not fixed: use std::map");
  static_assert(kind != Kind::closed,
                "layers in a type that cannot be looked into: hold them by value or in std::vector, "
                "std::array, std::map, std::optional, std::unique_ptr or std::shared_ptr; a model of any "
                "type is an xgrad::AnyModel");
  static_assert(kind != Kind::unknown,
                "a class with a constructor or with private members needs `void each(auto&& f)` that names "
                "its layers and parameters, as the layers have; for one without any it is empty");
};
/// A text as a template argument.
template <std::size_t N>
struct Text {
  char letters[N] = {};
  consteval explicit Text(std::string_view text) {
    for (std::size_t i = 0; i < N; ++i) letters[i] = text[i];
  }
};
/// The same for a member of a struct, so that the compiler names it.
template <Text name, class Model, Kind kind, class Member>
struct RefusedMember : Refused<kind, Member> {};

template <class Model, std::size_t I, class F>
void call_for_member(F& f, auto& member) {
  using Member = std::remove_cvref_t<decltype(member)>;
  constexpr Kind kind = kind_of<Member>();
  if constexpr (kind >= Kind::raw_pointer) {
    constexpr auto name = spelled<Spot{&std::get<I>(members(ghost<Model>.value))}>();
    (void)sizeof(RefusedMember<Text<name.size()>(name), Model, kind, Member>);
  } else if constexpr (kind != Kind::constant || Callable<Member>) {
    f(member_name<Model, I>(), member);
  }
}

/// What a map's key is called.
template <class Key>
std::string key_name(const Key& key) {
  if constexpr (std::convertible_to<const Key&, std::string_view>)
    return std::string(std::string_view(key));
  else if constexpr (std::integral<Key>)
    return std::to_string(key);
  else
    static_assert(std::is_enum_v<Key>, "a map of layers has texts, integers or enumerators for keys");
  if constexpr (std::is_enum_v<Key>) return std::to_string(std::underlying_type_t<Key>(key));
}

/// Calls f(name, part) for what a model holds: members, elements, the object behind a pointer. Where the name
/// is empty the part stands in the model's place. A leaf, a constant and a null pointer hold nothing.
template <class M, class F>
void each_part(M& model, F&& f) {
  using Model = std::remove_const_t<M>;
  constexpr Kind kind = kind_of<Model>();
  if constexpr (kind == Kind::each) {
    const_cast<Model&>(model).each(f);
  } else if constexpr (kind == Kind::pointer) {
    if (model) f("", *model);
  } else if constexpr (kind == Kind::variant) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      auto part = [&](auto* held) {
        if (held) f("", *held);
      };
      (part(get_if<I>(&model)), ...);
    }
    (Count<alternatives<Model>>{});
  } else if constexpr (kind == Kind::map) {
    if constexpr (kind_of<typename Model::mapped_type>() != Kind::constant)
      for (auto& [key, value] : model) f(key_name(key), value);
  } else if constexpr (kind == Kind::range) {
    using Element = decltype(*std::begin(model));
    std::size_t i = 0;
    if constexpr (std::is_lvalue_reference_v<Element> &&
                  kind_of<std::remove_cvref_t<Element>>() != Kind::constant)
      for (auto& element : model) f(std::to_string(i++), element);
  } else if constexpr (kind == Kind::tuple) {
    [&]<std::size_t... I>(std::index_sequence<I...>) { (f(std::to_string(I), std::get<I>(model)), ...); }
    (Count<std::tuple_size<Model>::value>{});
  } else if constexpr (kind == Kind::aggregate) {
    auto all = members(model);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (call_for_member<Model, I>(f, std::get<I>(all)), ...);
    }
    (Count<std::tuple_size_v<decltype(all)>>{});
  } else {
    (void)sizeof(Refused<kind, Model>);
  }
}

}  // namespace xgrad::detail
