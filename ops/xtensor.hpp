#pragma once
// Arithmetic between Variables and xtensor expressions, on either side: the expression is a constant.
#include <xgrad/core/xtensor.hpp>
#include <xgrad/ops/arithmetic.hpp>

namespace xgrad {

/// A Variable and an xtensor expression, in either order. Without these overloads xtensor's own templates are
/// preferred.
template <class A, class B>
concept VariableAndExpression = (std::derived_from<std::remove_cvref_t<A>, Variable> &&
                                 XtensorExpression<B>) ||
                                (XtensorExpression<A> && std::derived_from<std::remove_cvref_t<B>, Variable>);

namespace detail {
/// The operand as a Variable; an expression takes the dtype of the Variable that it meets.
template <class T>
Variable operand(const T& x, DType dtype) {
  if constexpr (XtensorExpression<T>)
    return Variable(to_array(x).cast(dtype));
  else
    return x;
}
template <class A, class B>
DType variable_dtype(const A& a, const B& b) {
  if constexpr (XtensorExpression<A>)
    return b.dtype();
  else
    return a.dtype();
}
}  // namespace detail

///@{
/// The function of this operator, add, sub, mul or div; the expression takes the dtype of the Variable and
/// gets no gradient.
template <class A, class B>
requires VariableAndExpression<A, B> Variable operator+(A&& a, B&& b) {
  const DType dtype = detail::variable_dtype(a, b);
  return add(detail::operand(a, dtype), detail::operand(b, dtype));
}
template <class A, class B>
requires VariableAndExpression<A, B> Variable operator-(A&& a, B&& b) {
  const DType dtype = detail::variable_dtype(a, b);
  return sub(detail::operand(a, dtype), detail::operand(b, dtype));
}
template <class A, class B>
requires VariableAndExpression<A, B> Variable operator*(A&& a, B&& b) {
  const DType dtype = detail::variable_dtype(a, b);
  return mul(detail::operand(a, dtype), detail::operand(b, dtype));
}
template <class A, class B>
requires VariableAndExpression<A, B> Variable operator/(A&& a, B&& b) {
  const DType dtype = detail::variable_dtype(a, b);
  return div(detail::operand(a, dtype), detail::operand(b, dtype));
}
///@}

}  // namespace xgrad
