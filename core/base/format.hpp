#pragma once
// Shapes and dtypes as arguments of {fmt}. Texts are made in a source file: this header needs no more of
// {fmt} than its core, which compiles in a few hundredths of a second.
#include <fmt/core.h>

#include <string>

#include <xgrad/core/base/dtype.hpp>
#include <xgrad/core/base/shape.hpp>

namespace xgrad::detail {

/// What is formatted as a text, with the width and the alignment of one.
struct TextFormatter : fmt::formatter<fmt::string_view> {
  fmt::format_context::iterator write(const std::string& text, fmt::format_context& context) const;
};

}  // namespace xgrad::detail

/// @namespace fmt
/// The {fmt} library: Shape, DType, Array and Variable can be arguments.

/// Shapes as Shape::str writes them.
template <>
struct fmt::formatter<xgrad::Shape> : xgrad::detail::TextFormatter {
  /// For {fmt}: called for "{}".
  auto format(const xgrad::Shape& shape, format_context& context) const {
    return write(shape.str(), context);
  }
};
/// DTypes by their name.
template <>
struct fmt::formatter<xgrad::DType> : xgrad::detail::TextFormatter {
  /// For {fmt}: called for "{}".
  auto format(xgrad::DType dtype, format_context& context) const {
    return write(xgrad::name(dtype), context);
  }
};
