#pragma once
// Parameters and buffers: what a model is made of, as values.
#include <concepts>

#include <xgrad/core/tape/variable.hpp>

namespace xgrad {

/// A Variable that is trained. A value: a copy of a model has parameters of its own, and assigning one writes
/// into it, so that an optimizer that holds it continues with the new data. So do `+=`, `-=`, `*=` and `/=`.
class Parameter : public Variable {
 public:
  /// None: what a layer without a bias has.
  Parameter() = default;
  /// A leaf of the given data. Throws Error for integers.
  explicit Parameter(Array data) : Variable(std::move(data), xgrad::requires_grad) { adopt(); }
  /// Another parameter of the same data, frozen if the other is; its gradient is not copied.
  Parameter(const Parameter& other) : Variable(copy_of(other)) { adopt(); }
  /// The handle goes over: optimizers that hold the parameter go on with it.
  Parameter(Parameter&&) noexcept = default;
  /// Optimizers that hold the parameter refuse to go on.
  ~Parameter() { orphan(); }
  /// Writes the other's data into this parameter; where shape or dtype differ it becomes a new one, as a copy
  /// is, and optimizers that held the old one refuse to go on.
  Parameter& operator=(const Parameter& other) {
    if (defined() && other.defined() && other.shape() == shape() && other.dtype() == dtype()) {
      set_data(other.data());
    } else {
      orphan();
      Variable::operator=(copy_of(other));
      adopt();
    }
    return *this;
  }
  /// As from a copy, but the handle goes over where this parameter is none, as one is that was moved from:
  /// std::swap exchanges two parameters, and optimizers follow them.
  Parameter& operator=(Parameter&& other) {
    if (defined()) return *this = std::as_const(other);
    Variable::operator=(std::move(other));
    return *this;
  }
  /// Writes an array, a number or a Variable's data into this parameter, repeated to its shape and converted
  /// to its dtype. While operations are recorded, and where shapes do not fit, an Error; so it is where this
  /// parameter is none: assign Parameter(array) there.
  template <std::convertible_to<Variable> Value>
  requires(!std::derived_from<Value, Parameter>)  //
      Parameter&
      operator=(const Value& value) {
    detail::write_in_place("=", *this, value);
    return *this;
  }

 private:
  static Variable copy_of(const Parameter& other) {
    if (!other.defined()) return {};
    Variable copy(other.data(), xgrad::requires_grad);
    copy.set_requires_grad(other.requires_grad());
    return copy;
  }
};

/// An array that belongs to a model without being trained: saved with it, as running statistics. None as long
/// as it is undefined.
struct Buffer {
  Array value;  ///< its data
};

}  // namespace xgrad
