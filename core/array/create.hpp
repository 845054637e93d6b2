#pragma once
// New arrays beyond constants: random numbers, ranges, the identity. Each gives an Array, which is a constant
// wherever a Variable is expected; Variable(randn({2, 3}), requires_grad) is a leaf. Names are PyTorch's,
// numpy.random's in brackets.
#include <xgrad/core/array/random.hpp>

namespace xgrad {

// Random numbers are those of default_generator(), which manual_seed seeds; Generator has more distributions.
// dtypes are floating-point types, of which f16 and bf16 are rounded from f32.

/// From the standard normal distribution (standard_normal).
Array randn(const Shape& shape, DType dtype = DType::f32);
/// Uniform in [0, 1) (random).
Array rand(const Shape& shape, DType dtype = DType::f32);
/// Integers in [low, high) (integers). Throws Error for an empty range, and when the dtype cannot hold them.
Array randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype = DType::i64);
/// Integers in [0, high).
Array randint(std::int64_t high, const Shape& shape, DType dtype = DType::i64);
/// 0 ... n - 1 in random order, as i64 (permutation).
Array randperm(long n);
/// randn in the shape and dtype of an Array or a Variable.
template <ArrayLike X>
Array randn_like(const X& like) {
  return randn(like.shape(), like.dtype());
}
/// rand in the shape and dtype of an Array or a Variable.
template <ArrayLike X>
Array rand_like(const X& like) {
  return rand(like.shape(), like.dtype());
}

/// n numbers from `start` to `stop`, both of which are among them, at equal distances. Throws Error for a
/// negative n, for ends that are not finite, and for integers.
Array linspace(double start, double stop, long n, DType dtype = DType::f32);
/// The identity matrix (n, n): 1 on the diagonal, else 0.
Array eye(long n, DType dtype = DType::f32);
/// The same of n rows and m columns.
Array eye(long n, long m, DType dtype = DType::f32);

namespace detail {
Array arange(std::int64_t start, std::int64_t stop, std::int64_t step, DType dtype);
Array arange(double start, double stop, double step, DType dtype);
template <class... T>
using RangeNumber = std::conditional_t<(std::is_integral_v<T> && ...), std::int64_t, double>;
template <class... T>
inline constexpr DType range_dtype = (std::is_integral_v<T> && ...) ? DType::i64 : DType::f32;
}  // namespace detail

/// A number of a program, other than a bool.
template <class T>
concept PlainNumber = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

/// start, start + step, start + 2 step, ... before `stop`: arange(2, 10, 3), arange(1, 0, -.1). Of integers
/// i64, else f32, unless a dtype is given. Throws Error for a step of 0, for one that leads away from `stop`,
/// and when the dtype cannot hold the elements.
template <PlainNumber A, PlainNumber B, PlainNumber C>
Array arange(A start, B stop, C step, DType dtype = detail::range_dtype<A, B, C>) {
  using T = detail::RangeNumber<A, B, C>;
  return detail::arange(T(start), T(stop), T(step), dtype);
}
/// The same by steps of 1.
template <PlainNumber A, PlainNumber B>
Array arange(A start, B stop, DType dtype = detail::range_dtype<A, B>) {
  return arange(start, stop, 1, dtype);
}
/// 0, 1, ... before `stop`, which need not be whole, as f32.
template <std::floating_point A>
Array arange(A stop, DType dtype = DType::f32) {
  return arange(0., stop, 1, dtype);
}

}  // namespace xgrad
