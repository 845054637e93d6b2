#pragma once
// A rule carries the gradient of a result back to one input. Rules are small: most live without an
// allocation.
#include <cstddef>
#include <functional>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include <xgrad/core/tape/variable.hpp>

namespace xgrad {

/// A function (gy) or (gy, y) -> Variable, written with Variables so that it can be differentiated again.
class Rule {
 public:
  /// None: the input has no gradient.
  Rule() = default;
  /// A lambda (gy) or (gy, y) -> Variable. What it captures lives as long as the rule; up to 24 bytes of
  /// captures need no allocation.
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Rule>) Rule(F f) : type_(&type_for<F>) {
    if constexpr (is_small<F>)
      new (storage_) F(std::move(f));
    else
      *reinterpret_cast<F**>(storage_) = new F(std::move(f));
  }
  /// Rules move and are not copied.
  Rule(Rule&& other) noexcept : type_(std::exchange(other.type_, nullptr)) {
    if (type_) type_->move(other.storage_, storage_);
  }
  Rule& operator=(Rule&&) = delete;
  ~Rule() {
    if (type_) type_->destroy(storage_);
  }

  /// Whether there is a function.
  explicit operator bool() const { return type_ != nullptr; }
  /// Whether the rule asks for the result, whose data must then be kept.
  bool wants_result() const { return type_->wants_result; }
  /// The gradient of the input from gy, that of the result; y, the result, goes to rules that ask for it.
  Variable operator()(const Variable& gy, const Variable& y) const { return type_->call(storage_, gy, y); }

 private:
  struct Type {
    Variable (*call)(const void*, const Variable&, const Variable&);
    void (*move)(void* from, void* to) noexcept;
    void (*destroy)(void*) noexcept;
    bool wants_result;
  };
  static constexpr std::size_t inline_size = 24;
  template <class F>
  static constexpr bool is_small = sizeof(F) <= inline_size &&
                                   alignof(F) <= alignof(void*) && std::is_nothrow_move_constructible_v<F>;
  template <class F>
  static F& get(void* storage) {
    if constexpr (is_small<F>)
      return *std::launder(reinterpret_cast<F*>(storage));
    else
      return **reinterpret_cast<F**>(storage);
  }
  template <class F>
  static constexpr bool takes_result = std::is_invocable_v<const F&, const Variable&, const Variable&>;
  template <class F>
  static constexpr Type type_for{[](const void* storage, const Variable& gy, const Variable& y) -> Variable {
                                   const F& f = get<F>(const_cast<void*>(storage));
                                   if constexpr (takes_result<F>)
                                     return f(gy, y);
                                   else
                                     return f(gy);
                                 },
                                 [](void* from, void* to) noexcept {
                                   if constexpr (is_small<F>) {
                                     new (to) F(std::move(get<F>(from)));
                                     get<F>(from).~F();
                                   } else {
                                     *reinterpret_cast<F**>(to) = *reinterpret_cast<F**>(from);
                                   }
                                 },
                                 [](void* storage) noexcept {
                                   if constexpr (is_small<F>)
                                     get<F>(storage).~F();
                                   else
                                     delete &get<F>(storage);
                                 },
                                 takes_result<F>};

  const Type* type_ = nullptr;
  alignas(void*) std::byte storage_[inline_size];
};

/// One rule for all inputs, which run shared work once: a function (gy) or (gy, y) -> std::vector<Variable>,
/// the gradients in the order of the inputs. What it returns for an input that wants none is ignored and may
/// be undefined.
struct JointRule {
  std::function<std::vector<Variable>(const Variable& gy, const Variable& y)>
      function;       ///< as the tape calls it
  bool wants_result;  ///< whether it asks for y, whose data must then be kept

  /// A copyable lambda (gy) or (gy, y) -> std::vector<Variable>.
  template <class F>
  explicit JointRule(F f) : wants_result(std::is_invocable_v<const F&, const Variable&, const Variable&>) {
    if constexpr (std::is_invocable_v<const F&, const Variable&, const Variable&>)
      function = std::move(f);
    else
      function = [f = std::move(f)](const Variable& gy, const Variable&) { return f(gy); };
  }
};

/// An input with the rule that carries a gradient back to it: {x, [=](auto& gy) { return ...; }}, or (auto&
/// gy, auto& y) where the result helps. Without a rule, {x} has no gradient.
struct Edge {
  Variable input;  ///< of the operation
  Rule rule;       ///< for its gradient; none where it has none

  /// An input without a gradient.
  Edge(const Variable& x) : input(x) {}
  /// An input with its rule, a lambda (gy) or (gy, y) -> Variable.
  template <class F>
  Edge(const Variable& x, F f) : input(x), rule(std::move(f)) {}
};

}  // namespace xgrad
