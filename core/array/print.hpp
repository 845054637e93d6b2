#pragma once
// Arrays as text, by to_string, std::cout << x and fmt::print("{}", x):
//   array([[1. , 2.5],
//          [3. , 4. ]])
#include <xgrad/core/array/array.hpp>
#include <xgrad/core/base/format.hpp>

namespace xgrad {

/// How arrays are written.
struct PrintOptions {
  int precision = -1;       ///< digits after the point; -1: as many as are needed, at most 4
  bool scientific = false;  ///< 1.5e-03; otherwise only where magnitudes differ too much
  long threshold = 1000;    ///< arrays of more elements are abridged
  long edge = 3;            ///< elements shown at either end of an axis that is abridged
  int line_width = 90;      ///< rows are broken after that many characters
};

/// The elements, rows aligned, abridged by "..." beyond 1,000 of them. What the elements do not show is
/// noted: the dtype unless it is f32, i64 or bool, and the shape where elements are left out or there are
/// none. Computes them if they are pending.
std::string to_string(const Array& x, const PrintOptions& options = {});

namespace detail {
/// "{:.2f}", "{:.2}", "{:.2e}", "{}": the digits after the point, fixed or scientific.
struct ArrayFormatter {
  constexpr fmt::format_parse_context::iterator parse(fmt::format_parse_context& context) {
    auto at = context.begin();
    const auto end = context.end();
    if (at != end && *at == '.') {
      options.precision = 0;
      for (++at; at != end && *at >= '0' && *at <= '9' && options.precision < 100; ++at)
        options.precision = 10 * options.precision + (*at - '0');
    }
    if (at != end && (*at == 'e' || *at == 'f')) options.scientific = *at++ == 'e';
    if (at != end && *at != '}') bad_format();
    return at;
  }
  [[noreturn]] static void bad_format();
  static fmt::format_context::iterator write(const std::string& text, fmt::format_context& context);

  PrintOptions options;
};

/// `head`(elements, notes), as arrays and Variables are written.
std::string print(const char* head, const Array& x, std::vector<std::string> notes,
                  const PrintOptions& options);
/// The same for debuggers, which call it in the stopped program: computes nothing and takes no lock, and an
/// array that is pending has no elements. The text is valid until the thread's next call.
const char* describe(const char* head, const Array& x, std::vector<std::string> notes);
}  // namespace detail
}  // namespace xgrad

/// Arrays as to_string writes them.
template <>
struct fmt::formatter<xgrad::Array> : xgrad::detail::ArrayFormatter {
  /// For {fmt}: called for "{}".
  auto format(const xgrad::Array& x, format_context& context) const {
    return write(xgrad::to_string(x, options), context);
  }
};
