#pragma once
// An elementwise operation in one expression: what it computes and the rule of each input.
#include <xgrad/core/array/map.hpp>
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

namespace detail {
Variable elementwise(const char* op, const StepFns& fns, std::span<Edge> edges);
}

/// f for each element of the edges' inputs, broadcast, recorded with their rules:
///   return elementwise("tanh", [](auto v) { using std::tanh; return tanh(v); },
///                      {{x, [](auto& gy, auto& y) { return gy * (1 - y * y); }}});
/// f is a lambda without captures over SIMD packs (core/array/map.hpp).
template <class F, std::size_t N>
Variable elementwise(const char* op, F, Edge (&&edges)[N]) {
  static_assert(N <= max_inputs);
  return detail::elementwise(op, lazy::floating_steps<F, N>, edges);
}
/// The same for an f that is also defined for 64-bit integers.
template <class F, std::size_t N>
Variable elementwise_numeric(const char* op, F, Edge (&&edges)[N]) {
  static_assert(N <= max_inputs);
  return detail::elementwise(op, lazy::all_steps<F, N>, edges);
}
/// The same for an f that gives pack::mask, 1 or 0; the result is an array of bool, without a gradient.
template <class F, std::size_t N>
Variable elementwise_predicate(const char* op, F, Edge (&&edges)[N]) {
  static_assert(N <= max_inputs);
  return detail::elementwise(op, lazy::predicate_steps<F, N>, edges);
}

}  // namespace xgrad
