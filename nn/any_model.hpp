#pragma once
// AnyModel: a model whose type is chosen when the program runs.
#include <functional>
#include <memory>

#include <xgrad/core/base/error.hpp>
#include <xgrad/nn/formats/checkpoint.hpp>

namespace xgrad {

/// A handle to a model of any type: copies share it. The functions on models (parameters, names_of, state,
/// save, load, fit, evaluate) take it like the model itself.
class AnyModel {
 public:
  /// None: whatever it is used for before it is assigned a model is an Error.
  AnyModel() = default;
  /// Takes a model of any type over.
  template <class M>
  requires(!std::same_as<M, AnyModel>)
      AnyModel(M model) {  // NOLINT: implicit, so that a factory may return any model
    auto held = std::make_shared<M>(std::move(model));
    forward_ = [held](const Variable& x) { return (*held)(x); };
    parameters_ = [held] { return xgrad::parameters(*held); };
    names_ = [held] { return xgrad::names_of(*held); };
    state_ = [held] { return xgrad::state(*held); };
    load_ = [held](const Tensors& tensors, const std::string& source) { load_state(*held, tensors, source); };
  }
  /// The model's forward pass.
  Variable operator()(const Variable& x) const { return of(forward_)(x); }

  ///@{
  /// The function of that name for the model that is held.
  friend Parameters parameters(const AnyModel& model) { return of(model.parameters_)(); }
  friend Parameters parameters(AnyModel& model) { return of(model.parameters_)(); }
  friend Names names_of(const AnyModel& model) { return of(model.names_)(); }
  friend Names names_of(AnyModel& model) { return of(model.names_)(); }
  friend std::vector<NamedArray> state(const AnyModel& model) { return of(model.state_)(); }
  friend void load_state(AnyModel& model, const Tensors& tensors, const std::string& source) {
    of(model.load_)(tensors, source);
  }
  ///@}

 private:
  template <class F>
  static const F& of(const F& function) {
    expect(bool(function), "AnyModel: no model has been assigned to it");
    return function;
  }

  std::function<Variable(const Variable&)> forward_;
  std::function<Parameters()> parameters_;
  std::function<Names()> names_;
  std::function<std::vector<NamedArray>()> state_;
  std::function<void(const Tensors&, const std::string&)> load_;
};

}  // namespace xgrad
