// Matrix products: one primitive with both transpositions, so that no gradient needs a transposed copy.
#include <xgrad/ops/matmul.hpp>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/number.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/kernels/gemm.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {
namespace {

/// A stack of matrices, transposed or not, as the product sees it.
struct Stack {
  Shape batch;
  long rows, columns;
  Stack(const Shape& shape, bool transposed) : batch(shape.begin(), shape.end() - 2) {
    rows = shape[shape.rank() - 2];
    columns = shape[shape.rank() - 1];
    if (transposed) std::swap(rows, columns);
  }
};

/// op(a) op(b) for stacks of matrices.
Variable product(const Variable& a, const Variable& b, bool ta, bool tb) {
  const Stack left(a.shape(), ta), right(b.shape(), tb);
  Shape shape = broadcast("matmul", left.batch, right.batch);
  const Array y = kernels::matmul(a.data(), b.data(), ta, tb, shape);
  return record("matmul", keep_number(a.data(), b.data(), y),
                {{a, [=](auto& gy) { return ta ? product(b, gy, tb, true) : product(gy, b, false, !tb); }},
                 {b, [=](auto& gy) { return tb ? product(gy, a, true, ta) : product(a, gy, !ta, false); }}});
}

}  // namespace

Variable matmul(const Variable& left, const Variable& right, const MatmulOptions& options) {
  if (tracing()) return traced("matmul", matmul, options, left, right);
  Variable a = left, b = right;
  expect(a.rank() > 0 && b.rank() > 0, "matmul: cannot multiply {} by {}", a.shape(), b.shape());
  adapt("matmul", a, b);
  expect(is_f32_or_f64(a.dtype()) && a.dtype() == b.dtype(),
         "matmul: cannot multiply {} by {}; cast to f32 or f64", a.dtype(), b.dtype());
  const bool ta = a.rank() > 1 && options.transpose_a, tb = b.rank() > 1 && options.transpose_b;
  expect(a.dim(ta ? -2 : -1) == b.dim(b.rank() == 1 || tb ? -1 : -2), "matmul: cannot multiply {}{} by {}{}",
         a.shape(), ta ? " transposed" : "", b.shape(), tb ? " transposed" : "");
  if (a.rank() == 1) return squeeze(matmul(unsqueeze(a, 0), b, {.transpose_b = tb}), b.rank() == 1 ? -1 : -2);
  if (b.rank() == 1) return squeeze(matmul(a, unsqueeze(b, 1), {.transpose_a = ta}), -1);
  for (int i = 3; i <= std::min(a.rank(), b.rank()); ++i)
    expect(a.dim(-i) == b.dim(-i) || a.dim(-i) == 1 || b.dim(-i) == 1,
           "matmul: the leading axes of {} and {} do not broadcast", a.shape(), b.shape());
  return product(a, b, ta, tb);
}

Variable linear(const Variable& input, const Variable& matrix, const Variable& bias) {
  if (tracing()) return traced("linear", linear, input, matrix, bias);
  Variable x = input, weight = matrix;
  expect(x.rank() >= 1 && weight.rank() == 2 && x.dim(-1) == weight.shape()[1],
         "linear: input {} does not fit weight {}", x.shape(), weight.shape());
  adapt("linear", x, weight);
  expect(is_f32_or_f64(x.dtype()) && x.dtype() == weight.dtype(), "linear: input is {}, weight {}", x.dtype(),
         weight.dtype());
  Shape shape = x.shape();
  shape[x.rank() - 1] = weight.shape()[0];
  check_shape("linear", shape, width(x.dtype()));
  const Variable rows = reshape(
      x, {x.dim(-1) ? x.size() / x.dim(-1) : shape.size() / std::max(1l, weight.shape()[0]), x.dim(-1)});
  Variable y = reshape(matmul(rows, weight, {.transpose_b = true}), shape);
  if (!bias.defined()) return y;
  expect(bias.shape() == Shape{weight.shape()[0]}, "linear: bias {} does not fit weight {}", bias.shape(),
         weight.shape());
  Variable offset = bias;
  adapt("linear", y, offset);
  expect(offset.dtype() == y.dtype(), "linear: input is {}, bias {}", x.dtype(), bias.dtype());
  return y + offset;
}

}  // namespace xgrad
