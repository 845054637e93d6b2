#pragma once
// The types of elements an array can hold; known at run time, so that ops are ordinary functions.
#include <cstdint>
#include <iosfwd>
#include <limits>
#include <type_traits>

#include <xgrad/core/base/half.hpp>

namespace xgrad {

/// The one list of types: X(name, C++ type) for each.
#define XGRAD_DTYPES(X) \
  X(f32, float)         \
  X(f64, double)        \
  X(i64, std::int64_t)  \
  X(i32, std::int32_t)  \
  X(u8, std::uint8_t)   \
  X(boolean, bool)      \
  X(f16, Float16)       \
  X(bf16, BFloat16)

/// The types of elements. Arithmetic is done in f32, f64 and i64, which can have any operation's results; the
/// others are stored, read and written: see `arithmetic`.
enum class DType : std::uint8_t {
#define XGRAD_ENUMERATOR(name, T) name,
  XGRAD_DTYPES(XGRAD_ENUMERATOR)
#undef XGRAD_ENUMERATOR
};

/// All of them.
inline constexpr DType all_dtypes[] = {
#define XGRAD_ELEMENT(name, T) DType::name,
    XGRAD_DTYPES(XGRAD_ELEMENT)
#undef XGRAD_ELEMENT
};

/// Calls `f.template operator()<T>()` with the C++ type of `dtype`.
template <class F>
constexpr decltype(auto) dispatch(DType dtype, F&& f) {
  switch (dtype) {
#define XGRAD_CASE(name, T) \
  case DType::name:         \
    return f.template operator()<T>();
    XGRAD_DTYPES(XGRAD_CASE)
#undef XGRAD_CASE
  }
  __builtin_unreachable();
}

/// "f32", "f64", "i64", "i32", "u8", "bool", "f16" or "bf16".
constexpr const char* name(DType dtype) {
  if (dtype == DType::boolean) return "bool";
  constexpr const char* names[] = {
#define XGRAD_NAME(name, T) #name,
      XGRAD_DTYPES(XGRAD_NAME)
#undef XGRAD_NAME
  };
  return names[int(dtype)];
}
/// Writes its name.
std::ostream& operator<<(std::ostream& out, DType dtype);
/// Bytes of one element.
constexpr long width(DType dtype) {
  return dispatch(dtype, []<class T>() { return long(sizeof(T)); });
}

/// The type in which elements of `dtype` are computed: itself, f32 for the floating-point types of 16 bits,
/// i64 for small integers and bool.
constexpr DType arithmetic(DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::f16:
    case DType::bf16:
      return DType::f32;
    case DType::f64:
      return DType::f64;
    case DType::i64:
    case DType::i32:
    case DType::u8:
    case DType::boolean:
      return DType::i64;
  }
  __builtin_unreachable();
}
/// The one rule of promotion, the type of what two types are computed to: f64 where one is f64, else f32
/// where one is a floating-point type, else i64.
constexpr DType promote(DType a, DType b) {
  a = arithmetic(a);
  b = arithmetic(b);
  return a == DType::f64 || b == DType::f64   ? DType::f64
         : a == DType::f32 || b == DType::f32 ? DType::f32
                                              : a;
}
/// Whether its elements are floating-point numbers, which can have gradients.
constexpr bool is_floating(DType dtype) { return arithmetic(dtype) != DType::i64; }
/// Whether it is f32 or f64, which operations that are not elementwise take.
constexpr bool is_f32_or_f64(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

namespace detail {
template <class T>
constexpr int index_of() {
  int index = 0;
#define XGRAD_INDEX(name, U)              \
  if (std::is_same_v<T, U>) return index; \
  ++index;
  XGRAD_DTYPES(XGRAD_INDEX)
#undef XGRAD_INDEX
  return -1;
}
}  // namespace detail

/// Whether T is the C++ type of a DType.
template <class T>
inline constexpr bool is_element = detail::index_of<T>() >= 0;

/// The DType of a C++ element type.
template <class T>
requires is_element<T>
inline constexpr DType dtype_of = DType(detail::index_of<T>());

namespace detail {
/// Throws Error: arithmetic was dispatched on a dtype that does not support it.
[[noreturn]] void not_computed_in(DType dtype);
}  // namespace detail

/// dispatch() for the types that arithmetic is done in. Throws Error for others, which callers refuse or
/// cast.
template <class F>
decltype(auto) dispatch_arithmetic(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f.template operator()<float>();
    case DType::f64:
      return f.template operator()<double>();
    case DType::i64:
      return f.template operator()<std::int64_t>();
    case DType::i32:
    case DType::u8:
    case DType::boolean:
    case DType::f16:
    case DType::bf16:
      break;
  }
  detail::not_computed_in(dtype);
}
/// The same for f32 and f64.
template <class F>
decltype(auto) dispatch_floating(DType dtype, F&& f) {
  if (!is_f32_or_f64(dtype)) detail::not_computed_in(dtype);
  return dtype == DType::f32 ? f.template operator()<float>() : f.template operator()<double>();
}

/// `value` as a To. From floating to integer the fraction is cut off, what is out of range becomes the
/// nearest end of it, and NaN 0. Integers keep the lowest bits. As bool, all but 0 is true.
template <class To, class From>
constexpr To convert(From value) {
  if constexpr (std::is_same_v<From, To>) {
    return value;
  } else if constexpr (std::is_class_v<From>) {
    return convert<To>(float(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From(0);
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    using Limits = std::numeric_limits<To>;
    constexpr From low = From(Limits::min()), end = From(Limits::max() / 2 + 1) * 2;
    return value >= end ? Limits::max() : value < low ? Limits::min() : value == value ? To(value) : To(0);
  } else if constexpr (std::is_class_v<To> && std::is_integral_v<From>) {
    return To(double(value));
  } else {
    return To(value);
  }
}

/// Whether elements of `dtype` can be `value`, which floating-point ones round: integers have no fractions,
/// and a range.
constexpr bool can_hold(DType dtype, double value) {
  return is_floating(dtype) || dispatch(dtype, [=]<class T>() {
           // 2^63, which is no i64, would come back as the largest, and that as 2^63.
           return double(convert<T>(value)) == value && !(value >= 0x1p63);
         });
}

}  // namespace xgrad
