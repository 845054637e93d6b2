#pragma once
// The bridge to xtensor, both ways: views of our data as xtensor adaptors, and arrays from xtensor
// expressions. The only public header that includes xtensor: a file that needs it compiles some five seconds
// longer.
#if __has_include(<xtensor/xadapt.hpp>)
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#else  // xtensor 0.26 and later have their headers in folders
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#endif

#include <xgrad/core/tape/variable.hpp>

namespace xgrad {

/// An xtensor expression: an array, a view, or arithmetic that has not been done yet.
template <class E>
concept XtensorExpression = xt::is_xexpression<std::remove_cvref_t<E>>::value;

/// The elements of an Array as an xtensor expression of its shape; valid as long as the Array is, so not of
/// a temporary one. Throws Error when T is not its dtype.
template <class T>
auto as_xtensor(const Array& array) {
  std::vector<std::size_t> shape(array.shape().begin(), array.shape().end());
  return xt::adapt(array.data<T>(), std::size_t(array.size()), xt::no_ownership(), shape);
}
template <class T>
auto as_xtensor(const Array&& array) = delete;  // of a temporary Array: keep it in a variable
/// The same for writing; copies the elements first when they are shared.
template <class T>
auto as_mutable_xtensor(Array& array) {
  std::vector<std::size_t> shape(array.shape().begin(), array.shape().end());
  return xt::adapt(array.mutable_data<T>(), std::size_t(array.size()), xt::no_ownership(), shape);
}

/// The elements of an xtensor expression. A type that is none of a dtype becomes f64, u8 or i64.
template <XtensorExpression E>
Array to_array(const E& expression) {
  using V = typename std::remove_cvref_t<E>::value_type;
  using T = std::conditional_t<is_element<V>, V,
                               std::conditional_t<std::is_floating_point_v<V>, double,
                                                  std::conditional_t<sizeof(V) == 1 && !std::is_signed_v<V>,
                                                                     std::uint8_t, std::int64_t>>>;
  const auto& shape = expression.shape();
  Array result(Shape(shape.begin(), shape.end()), dtype_of<T>);
  as_mutable_xtensor<T>(result) = xt::cast<T>(expression);
  return result;
}

}  // namespace xgrad
