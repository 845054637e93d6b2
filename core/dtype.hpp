#pragma once
// The types of elements an array can hold; known at run time, so that ops are ordinary functions.
#include <cstdint>
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

}  // namespace xgrad
