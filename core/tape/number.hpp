#pragma once
// Arrays made of numbers alone, which take the dtype of what they meet (Array::is_number), in operations that
// are not elementwise.
#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// x, in `dtype` if it is made of numbers alone. Throws Error that names `op` when an integer cannot hold
/// one.
inline Variable adapt(const char* op, const Variable& x, DType dtype) {
  if (x.dtype() == dtype || !x.data().is_number()) return x;
  return record("cast", number_as(op, x.data(), dtype), {{x, [](auto& gy) { return gy; }}});
}
/// The same for two operands, each of which may take the dtype of the other.
inline void adapt(const char* op, Variable& a, Variable& b) {
  a = adapt(op, a, b.dtype());
  b = adapt(op, b, a.dtype());
}

/// Indices or labels as i64, from any type of integers. Throws Error that names `op` and what they are for
/// others.
inline Array integers(const char* op, const char* what, const Array& given) {
  expect(!is_floating(given.dtype()) && given.dtype() != DType::boolean, "{}: {} must be integers, not {}",
         op, what, given.dtype());
  return given.cast(DType::i64);
}

/// y, which was made of x alone, as a number if x is one.
inline Array keep_number(const Array& x, Array y) {
  Value::of(y)->is_number = x.is_number();
  return y;
}
/// The same for what was made of two.
inline Array keep_number(const Array& a, const Array& b, Array y) {
  return keep_number(a.is_number() ? b : a, std::move(y));
}

}  // namespace xgrad
