#pragma once
// Matrix products.
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {

/// Which matrices matmul transposes, without a copy; vectors stay as they are.
struct MatmulOptions {
  bool transpose_a = false;  ///< use a with its last two axes exchanged
  bool transpose_b = false;  ///< use b with its last two axes exchanged
};
/// (..., m, k) x (..., k, n) -> (..., m, n) with the leading axes broadcast; a vector (k,) is a row on the
/// left and a column on the right, and its axis of length 1 is dropped from the result. f32 or f64.
Variable matmul(const Variable& a, const Variable& b, const MatmulOptions& options = {});
/// x (..., in), weight (out, in), bias (out,) or undefined -> x weight' + bias (..., out).
Variable linear(const Variable& x, const Variable& weight, const Variable& bias = {});

}  // namespace xgrad
