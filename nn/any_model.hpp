#pragma once
// AnyModel: a model whose type is chosen when the program runs.
#include <functional>
#include <memory>

#include <xgrad/core/base/error.hpp>
#include <xgrad/nn/visit.hpp>

namespace xgrad {

/// A handle to a model of any type: copies share it. The functions on models (parameters, names_of, state,
/// save, load, fit, evaluate) take it like the model itself, and it may be a member of another.
class AnyModel {
 public:
  /// None: whatever it is used for before it is assigned a model is an Error.
  AnyModel() = default;
  /// Takes a model of any type over.
  template <class M>
  requires(!std::same_as<M, AnyModel> && std::is_invocable_r_v<Variable, M&, const Variable&>)
      AnyModel(M model) {  // NOLINT: implicit, so that a factory may return any model
    auto held = std::make_shared<M>(std::move(model));
    forward_ = [held](const Variable& x) { return (*held)(x); };
    walk_ = [held](detail::Visitor& visitor, const std::string& path) { detail::walk(*held, visitor, path); };
  }
  /// The model's forward pass.
  Variable operator()(const Variable& x) const { return of(forward_)(x); }

  /// Shows a visitor what the model holds, as if it stood here itself.
  void walk(detail::Visitor& visitor, const std::string& path) const { of(walk_)(visitor, path); }

 private:
  template <class F>
  static const F& of(const F& function) {
    expect(bool(function), "AnyModel: no model has been assigned to it");
    return function;
  }

  std::function<Variable(const Variable&)> forward_;
  std::function<void(detail::Visitor&, const std::string&)> walk_;
};

}  // namespace xgrad
