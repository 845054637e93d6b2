#pragma once
// Floating-point numbers of 16 bits: types to store elements in, converted to float for arithmetic.
#include <bit>
#include <cstdint>

namespace xgrad {
namespace detail {

/// x as a float of which each format with fewer digits makes what it would have made of x: rounded to odd, so
/// that rounding twice is rounding once.
constexpr float to_odd(double x) {
  const float nearest = float(x);
  if (double(nearest) == x || x != x) return nearest;
  auto bits = std::bit_cast<std::uint32_t>(nearest);
  if ((double(nearest) < 0 ? -double(nearest) : double(nearest)) > (x < 0 ? -x : x)) --bits;
  return std::bit_cast<float>(bits | 1);
}

}  // namespace detail

/// IEEE 754's binary16: 5 bits of exponent, 10 of fraction; from 6e-8 to 65504.
struct Float16 {
  std::uint16_t bits;  ///< as stored

  Float16() = default;
  /// The nearest, of two the one whose last bit is 0; infinite from 65520.
  constexpr explicit Float16(float x) : bits(0) {
    const auto all = std::bit_cast<std::uint32_t>(x), size = all & 0x7fffffff;
    // Below 2^-14 the last bit counts 2^-24, as that of .5 does in a float.
    const std::uint32_t small = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + .5f) - 0x3f000000;
    const std::uint32_t normal = (size - 0x38000000 + 0xfff + (size >> 13 & 1)) >> 13;
    const std::uint32_t nan = 0x7e00 | (size >> 13 & 0x3ff);
    bits = std::uint16_t((all >> 16 & 0x8000) | (size > 0x7f800000    ? nan
                                                 : size >= 0x477ff000 ? 0x7c00
                                                 : size < 0x38800000  ? small
                                                                      : normal));
  }
  /// The same, rounded once.
  constexpr explicit Float16(double x) : Float16(detail::to_odd(x)) {}
  /// The same number.
  constexpr operator float() const {
    const std::uint32_t sign = std::uint32_t(bits & 0x8000) << 16, size = bits & 0x7fff;
    const float small = float(int(size)) * 0x1p-24f;
    const std::uint32_t normal = (size << 13) + (size < 0x7c00 ? 0x38000000 : 0x70000000);
    return std::bit_cast<float>(sign | (size < 0x400 ? std::bit_cast<std::uint32_t>(small) : normal));
  }
};

/// The upper half of a float: its range, with 7 bits of fraction.
struct BFloat16 {
  std::uint16_t bits;  ///< as stored

  BFloat16() = default;
  /// The nearest, of two the one whose last bit is 0.
  constexpr explicit BFloat16(float x) : bits(0) {
    const auto all = std::bit_cast<std::uint32_t>(x);
    bits = std::uint16_t(x != x ? all >> 16 | 0x40 : (all + 0x7fff + (all >> 16 & 1)) >> 16);
  }
  /// The same, rounded once.
  constexpr explicit BFloat16(double x) : BFloat16(detail::to_odd(x)) {}
  /// The same number.
  constexpr operator float() const { return std::bit_cast<float>(std::uint32_t(bits) << 16); }
};

}  // namespace xgrad
