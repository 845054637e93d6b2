#pragma once
// AnyModel: a model whose type is chosen when the program runs.
#include <xgrad/core/base/error.hpp>
#include <xgrad/nn/clone.hpp>
#include <xgrad/nn/describe.hpp>
#include <xgrad/nn/formats/checkpoint.hpp>

namespace xgrad {

/// A model of any type that can be called with one Variable: a value like the model itself, of which a copy
/// is a clone(). The functions on models (parameters, state, save, load, fit, evaluate, ...) take it as they
/// take the model, and it may be a member of another one.
class AnyModel {
 public:
  /// None: whatever it is used for before it is assigned a model is an Error.
  AnyModel() = default;
  /// Takes a model of any type over.
  template <detail::Callable M>
  requires(!std::same_as<M, AnyModel>)
      AnyModel(M model)  // NOLINT: implicit, so that a factory may return any model
      : held_(std::make_unique<Holder<M>>(std::move(model))) {}
  ///@{
  /// A copy has parameters of its own. Throws Error for a model that cannot be copied, and as clone() does.
  AnyModel(const AnyModel& other) : held_(other.held_ ? other.held_->copy() : nullptr) {}
  AnyModel& operator=(const AnyModel& other) {
    if (!held_ || !other.held_ || !held_->assign(*other.held_)) *this = AnyModel(other);
    return *this;
  }
  AnyModel(AnyModel&&) noexcept = default;
  AnyModel& operator=(AnyModel&&) noexcept = default;
  ///@}
  /// The model's forward pass.
  Variable operator()(const Variable& x) const { return held()(x); }

  /// For visit() only: goes on with the model.
  void walk(detail::Visitor& visitor, const std::string& path) const { held().walk(visitor, path); }
  /// As describe() writes the model.
  std::string text() const { return held().text(); }

 private:
  struct Held {
    virtual ~Held() = default;
    virtual Variable operator()(const Variable& x) = 0;
    virtual void walk(detail::Visitor& visitor, const std::string& path) = 0;
    virtual std::string text() const = 0;
    virtual std::unique_ptr<Held> copy() const = 0;
    virtual bool assign(const Held& other) = 0;  // false where that is not possible
  };
  template <class M>
  struct Holder final : Held {
    explicit Holder(M held) : model(std::move(held)) {}
    Variable operator()(const Variable& x) override { return model(x); }
    void walk(detail::Visitor& visitor, const std::string& path) override {
      detail::walk(model, visitor, path);
    }
    std::string text() const override { return describe(model); }
    std::unique_ptr<Held> copy() const override {
      if constexpr (detail::is_copyable<M>)
        return std::make_unique<Holder>(clone(model));
      else
        fail("AnyModel: {} cannot be copied", detail::type_name<M>());
    }
    bool assign(const Held& other) override {
      if constexpr (detail::is_copyable<M> && std::is_move_assignable_v<M>)
        if (auto* same = dynamic_cast<const Holder*>(&other)) {
          model = clone(same->model);
          return true;
        }
      return false;
    }
    M model;
  };
  Held& held() const {
    expect(held_ != nullptr, "AnyModel: no model has been assigned to it");
    return *held_;
  }

  std::unique_ptr<Held> held_;
};

}  // namespace xgrad
