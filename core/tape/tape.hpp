#pragma once
// How operations join the graph, and the four operations that the tape itself is made of.
#include <span>

#include <xgrad/core/tape/rule.hpp>

namespace xgrad {

/// The result y of an operation with the rules for its inputs; `op` must be a string literal. Inputs that
/// want no gradient are dropped. A rule may return the gradient in the shape and dtype of y: the tape sums it
/// to its input's. What the backward pass keeps alive is what the rules capture, and y where a rule asks for
/// it.
Variable record(const char* op, Array y, std::span<Edge> edges);
/// The same for edges written in place: `record("exp", y, {{x, [](auto& gy, auto& y) { return gy * y; }}})`.
template <std::size_t N>
Variable record(const char* op, Array y, Edge (&&edges)[N]) {
  return record(op, std::move(y), std::span<Edge>(edges));
}

/// The same with one rule for all inputs: `record("f", y, {{a}, {b}}, JointRule([=](auto& gy) { ... }))`.
/// Throws Error when an edge has a rule, too.
Variable record(const char* op, Array y, std::span<Edge> edges, JointRule joint);
/// The same for edges written in place.
template <std::size_t N>
Variable record(const char* op, Array y, Edge (&&edges)[N], JointRule joint) {
  return record(op, std::move(y), std::span<Edge>(edges), std::move(joint));
}

/// a + b for equal shapes, as gradients are added.
Variable add_gradients(const Variable& a, const Variable& b);
/// x summed along the axes where `shape` has length 1 or none: the adjoint of broadcast_to. Throws Error when
/// x is not an expansion of `shape`.
Variable sum_to(const Variable& x, const Shape& shape);
/// x repeated to `shape` by NumPy's rules. Throws Error when it does not fit.
Variable broadcast_to(const Variable& x, const Shape& shape);
/// x converted to f32 or f64; the gradient is converted back. Integers may be converted but have no gradient.
Variable cast(const Variable& x, DType dtype);

}  // namespace xgrad
