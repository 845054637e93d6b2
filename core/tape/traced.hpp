#pragma once
// How public operations are noted while a Trace is alive.
#include <concepts>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <xgrad/core/base/fields.hpp>
#include <xgrad/core/tape/rule.hpp>
#include <xgrad/core/tape/trace.hpp>

namespace xgrad {

namespace detail {

/// A call of a public operation.
struct NotedCall {
  const char* op;
  std::vector<Variable> operands;     // undefined where one was not given
  std::vector<Variable> results;      // in order
  std::vector<Attribute> attributes;  // the other arguments
  std::vector<LayerKey> layers;       // that were running, the innermost first
  long layer_call;                    // LayerCall::innermost()
  decltype(Operation::call) again;
};
/// Notes what was recorded by record() or elementwise() outside of any operation that is traced: it shows in
/// the program, which cannot be run.
void note_primitive(const char* op, std::span<const Edge> edges, const Variable& result);

extern constinit thread_local bool is_tracing;

/// While one is alive, nothing on this thread is noted.
class [[nodiscard]] Untraced {
  Scoped<bool> tracing_{is_tracing, false};
};

struct None {};

template <class T>
Variable to_operand(const T& x) {
  if constexpr (std::same_as<T, Array>)
    return x.defined() ? Variable(x) : Variable();
  else
    return x;
}
template <class T>
T from_operand(const Variable& x) {
  if constexpr (std::same_as<T, Array>)
    return x.defined() ? x.data() : Array();
  else
    return x;
}

/// The Variables of a result: one, a vector, or the members of a struct.
template <class R>
std::vector<Variable> variables_of(const R& result) {
  if constexpr (std::same_as<R, Array> || std::same_as<R, Variable>) {
    return {to_operand(result)};
  } else if constexpr (std::derived_from<R, std::vector<Variable>>) {
    return result;
  } else {
    return std::apply([](const auto&... member) { return std::vector<Variable>{member...}; },
                      members(result));
  }
}

template <class T>
concept HasName = requires(T value) {
  { name(value) } -> std::convertible_to<std::string>;
};

template <class A>
std::vector<Attribute> attributes_of(const A& aggregate);

template <class T>
void describe(std::vector<Attribute>& into, std::string label, const T& value) {
  auto put = [&](AttributeValue v) { into.push_back({std::move(label), std::move(v)}); };
  if constexpr (std::same_as<T, bool>)
    put(value);
  else if constexpr (HasName<T>)
    put(std::string(name(value)));
  else if constexpr (std::integral<T>)
    put(long(value));
  else if constexpr (std::floating_point<T>)
    put(double(value));
  else if constexpr (requires { value.h, value.w; })
    put(std::vector<long>{value.h, value.w});
  else if constexpr (requires { long(*value.begin()); })
    put(std::vector<long>(value.begin(), value.end()));
  else if constexpr (requires { value.begin()->first; }) {
    std::vector<long> flat;
    for (auto& [first, second] : value) flat.insert(flat.end(), {long(first), long(second)});
    put(std::move(flat));
  } else if constexpr (std::is_aggregate_v<T>) {
    for (Attribute& a : attributes_of(value)) into.push_back(std::move(a));
  } else {
    static_assert(std::is_same_v<T, void>, "unsupported attribute type: add its description here");
  }
}
/// The members of an aggregate as attributes; those of aggregates within it beside them.
template <class A>
std::vector<Attribute> attributes_of(const A& aggregate) {
  std::vector<Attribute> result;
  const auto all = members(aggregate);
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (describe(result, member_name<A, I>(), std::get<I>(all)), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<decltype(all)>>{});
  return result;
}

/// f of the operands and the attributes: the aggregate where f takes it, else its members one by one.
template <class F, class A, class... In>
auto call_with(const F& f, const A& attributes, const In&... in) {
  if constexpr (std::is_invocable_v<const F&, const In&..., const A&> && !std::is_empty_v<A>)
    return f(in..., attributes);
  else
    return std::apply([&](const auto&... member) { return f(in..., member...); }, members(attributes));
}

/// Gives a result that is an operand, as that of a reshape to the same shape, a node of its own.
void set_apart(Variable& result, const std::vector<Variable>& operands);
template <class R>
void set_apart(R& results, const std::vector<Variable>& operands) {
  if constexpr (std::derived_from<R, std::vector<Variable>>)
    for (Variable& result : results) set_apart(result, operands);
}

/// Calls f, untraced, and notes the call as `op`. `again` is f of other operands.
template <class F, class Again>
auto note_result(const char* op, const F& f, std::vector<Variable> operands,
                 std::vector<Attribute> attributes, Again again) {
  auto result = [&] {
    const Untraced untraced;
    return f();
  }();
  set_apart(result, operands);
  note({op, std::move(operands), variables_of(result), std::move(attributes), LayerCall::open(),
        LayerCall::innermost(), std::move(again)});
  return result;
}

}  // namespace detail

/// Whether a Trace is alive on this thread, outside any operation.
inline bool tracing() { return detail::is_tracing; }

/// What operations are called with, beside attributes.
template <class T>
concept Operand = std::same_as<T, Variable> || std::same_as<T, Array>;

/// Calls a public operation and notes it. Each begins by it, and is called again without a trace:
///   Variable softmax(const Variable& x, int axis) {
///     if (tracing()) return traced("softmax", softmax, Along{axis}, x);
/// The operands are Variables and Arrays; the attributes, if there are any, an aggregate whose members are
/// the other arguments, or that is itself the last argument.
template <class F, class A, Operand... In>
requires(!Operand<A>) auto traced(const char* op, F f, const A& attributes, const In&... operands) {
  using namespace detail;
  auto again = [f, attributes](std::span<const Variable> in) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return variables_of(call_with(f, attributes, from_operand<In>(in[I])...));
    }
    (std::index_sequence_for<In...>{});
  };
  return note_result(
      op, [&] { return call_with(f, attributes, operands...); }, {to_operand(operands)...},
      attributes_of(attributes), std::move(again));
}
/// The same for an operation without attributes.
template <class F, Operand... In>
auto traced(const char* op, F f, const In&... operands) {
  return traced(op, std::move(f), detail::None{}, operands...);
}
/// The same for an operation of a list of Variables.
template <class F, class A>
auto traced(const char* op, F f, const A& attributes, const std::vector<Variable>& operands) {
  using namespace detail;
  auto again = [f, attributes](std::span<const Variable> in) {
    return variables_of(call_with(f, attributes, std::vector<Variable>(in.begin(), in.end())));
  };
  return note_result(
      op, [&] { return call_with(f, attributes, operands); }, operands, attributes_of(attributes),
      std::move(again));
}

}  // namespace xgrad
