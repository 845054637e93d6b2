#pragma once
// Parameters and buffers: what a model is made of, as values.
#include "core/variable.hpp"

namespace xgrad {

/// A Variable that is trained. A value: a copy of a model has parameters of its own, and assigning one writes into it, so
/// that an optimizer that holds it goes on with the new data.
class Parameter : public Variable {
 public:
  explicit Parameter(Array data) : Variable(std::move(data), xgrad::requires_grad) {}
  Parameter(const Parameter& other) : Parameter(other.data()) { set_requires_grad(other.requires_grad()); }
  Parameter(Parameter&&) noexcept = default;
  Parameter& operator=(const Parameter& other) {
    if (defined() && other.shape() == shape() && other.dtype() == dtype()) set_data(other.data());
    else Variable::operator=(Variable(other.data(), xgrad::requires_grad));
    return *this;
  }
};

/// An array that belongs to a model without being trained: saved with it, as running statistics.
struct Buffer {
  Array value;
};

}  // namespace xgrad
