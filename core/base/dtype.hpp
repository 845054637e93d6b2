#pragma once
// The types of elements an array can hold; known at run time, so that ops are ordinary functions.
#include <cstdint>
#include <limits>
#include <type_traits>

namespace xgrad {

/// The types of elements: float, double, std::int64_t and std::uint8_t. f32 and f64 have gradients; u8 holds
/// pixels and is cast before anything is computed.
enum class DType : std::uint8_t { f32, f64, i64, u8 };

/// "f32", "f64", "i64" or "u8".
constexpr const char* name(DType dtype) {
  constexpr const char* names[] = {"f32", "f64", "i64", "u8"};
  return names[int(dtype)];
}
/// Bytes of one element.
constexpr long width(DType dtype) {
  constexpr long widths[] = {4, 8, 8, 1};
  return widths[int(dtype)];
}
/// Whether it is f32 or f64.
constexpr bool is_floating(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

/// Whether T is the C++ type of a DType.
template <class T>
inline constexpr bool is_element = std::is_same_v<T, float> || std::is_same_v<T, double> ||
                                   std::is_same_v<T, std::int64_t> || std::is_same_v<T, std::uint8_t>;

/// The DType of a C++ element type.
template <class T>
requires is_element<T>
inline constexpr DType dtype_of = std::is_same_v<T, float>          ? DType::f32
                                  : std::is_same_v<T, double>       ? DType::f64
                                  : std::is_same_v<T, std::int64_t> ? DType::i64
                                                                    : DType::u8;

/// Calls `f.template operator()<T>()` with the C++ type of `dtype`.
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f.template operator()<float>();
    case DType::f64:
      return f.template operator()<double>();
    case DType::i64:
      return f.template operator()<std::int64_t>();
    default:
      return f.template operator()<std::uint8_t>();
  }
}
/// The same for the two floating-point types; anything else is taken as f64, so check before.
template <class F>
decltype(auto) dispatch_floating(DType dtype, F&& f) {
  return dtype == DType::f32 ? f.template operator()<float>() : f.template operator()<double>();
}

/// Whether elements of `dtype` can be `value`, which floating-point ones round: integers have no fractions,
/// and a range.
inline bool can_hold(DType dtype, double value) {
  if (is_floating(dtype)) return true;
  const double low = dtype == DType::u8 ? 0 : -0x1p63, end = dtype == DType::u8 ? 256 : 0x1p63;
  return value >= low && value < end && __builtin_trunc(value) == value;
}

/// `value` as a To. From floating to integer the fraction is cut off, what is out of range becomes the
/// nearest end of it, and NaN 0.
template <class To, class From>
To convert(From value) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    using Limits = std::numeric_limits<To>;
    constexpr From low = From(Limits::min()), end = From(Limits::max() / 2 + 1) * 2;
    return value >= end ? Limits::max() : value < low ? Limits::min() : value == value ? To(value) : To(0);
  } else {
    return To(value);
  }
}

}  // namespace xgrad
