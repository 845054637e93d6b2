// Arrays as text.
#include <xgrad/core/array/print.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace {

constexpr int most_digits = 4;

/// A number with the given digits after the point: "1.50", "1." without any.
std::string in_digits(double x, int digits, bool scientific) {
  if (!std::isfinite(x)) return fmt::format("{}", x);
  if (scientific) return fmt::format("{:#.{}e}", x, digits);
  return fmt::format("{:#.{}f}", x, digits);
}
/// How many digits after the point are not zeros at the end.
int digits_of(const std::string& number) {
  const auto point = number.find('.'), end = std::min(number.find('e'), number.size());
  if (point == number.npos) return 0;
  const auto last = number.find_last_not_of('0', end - 1);
  return int(last - point);
}

/// The elements that are shown, and how.
class Printer {
 public:
  Printer(const Array& x, const PrintOptions& options)
      : x_(x), options_(options), abridged_(x.size() > options.threshold) {
    collect(0, 0);
    dispatch(x.dtype(), [&]<class T>() { write_cells<T>(x.data<T>()); });
    for (auto& cell : cells_) width_ = std::max(width_, cell.size());
  }
  bool abridged() const { return abridged_; }
  /// All but the first line begin with `indent` spaces.
  std::string text(int indent) {
    text_.clear(), next_ = 0;
    write(0, indent);
    return std::move(text_);
  }

 private:
  /// What is shown along an axis: indices, -1 for those that are left out.
  std::vector<long> shown(int axis) const {
    const long n = x_.shape()[axis], edge = std::max(options_.edge, 1l);
    std::vector<long> indices;
    for (long i = 0; i < n; ++i) {
      if (abridged_ && n > 2 * edge && i == edge) {
        indices.push_back(-1);
        i = n - edge;
      }
      indices.push_back(i);
    }
    return indices;
  }
  void collect(int axis, long offset) {
    if (axis == x_.rank()) return places_.push_back(offset);
    for (long i : shown(axis))
      if (i >= 0) collect(axis + 1, offset * x_.shape()[axis] + i);
  }

  template <class T>
  void write_cells(const T* data) {
    if constexpr (std::is_same_v<T, bool>) {
      for (long at : places_) cells_.push_back(data[at] ? "true" : "false");
    } else if constexpr (std::is_integral_v<T>) {
      for (long at : places_) cells_.push_back(fmt::to_string(std::int64_t(data[at])));
    } else if (x_.rank() == 0 && options_.precision < 0 && !options_.scientific) {
      cells_.push_back(scalar(data[0]));
    } else {
      std::vector<double> numbers;
      for (long at : places_) numbers.push_back(convert<double>(data[at]));
      write_numbers(numbers);
    }
  }
  /// As many digits as distinguish the number from others of its type.
  template <class T>
  static std::string scalar(T x) {
    std::string text = sizeof(T) == 2 ? fmt::format("{:.4g}", convert<double>(x)) : fmt::format("{}", x);
    if (text.find_first_not_of("-0123456789") == text.npos) text += '.';
    return text;
  }
  void write_numbers(const std::vector<double>& numbers) {
    double least = INFINITY, most = 0;
    bool whole = true;
    for (double x : numbers)
      if (const double size = std::abs(x); size > 0 && size < INFINITY) {
        least = std::min(least, size), most = std::max(most, size);
        whole &= size == std::trunc(size);
      }
    const bool spread = most >= 1e8 || (!whole && (least < 1e-4 || most / least > 1e3));
    const bool scientific = options_.scientific || (spread && options_.precision < 0);
    int digits = options_.precision;
    if (digits < 0) {
      digits = 0;
      for (double x : numbers)
        if (std::isfinite(x)) digits = std::max(digits, digits_of(in_digits(x, most_digits, scientific)));
    }
    for (double x : numbers) cells_.push_back(in_digits(x, digits, scientific));
  }

  void write(int axis, int indent) {
    if (axis == x_.rank()) {
      text_ += cells_[next_++];
      return;
    }
    const std::vector<long> indices = shown(axis);
    const bool last = axis + 1 == x_.rank();
    const std::string new_line = fmt::format("\n{:{}}", "", indent + 1);
    const std::string between = last ? ", " : fmt::format(",{:\n>{}}{}", "", x_.rank() - axis - 2, new_line);
    long column = indent + 1;
    text_ += '[';
    for (std::size_t k = 0; k < indices.size(); ++k) {
      if (k) text_ += between;
      if (!last) {
        if (indices[k] < 0)
          text_ += "...";
        else
          write(axis + 1, indent + 1);
        continue;
      }
      const std::string cell = indices[k] < 0 ? "..." : fmt::format("{:>{}}", cells_[next_++], width_);
      if (k && column + long(cell.size()) > options_.line_width) {
        text_.pop_back();
        text_ += new_line;
        column = indent + 1;
      }
      text_ += cell;
      column += long(cell.size()) + 2;
    }
    text_ += ']';
  }

  const Array& x_;
  const PrintOptions& options_;
  const bool abridged_;
  std::vector<long> places_;  // of the elements that are shown, in order
  std::vector<std::string> cells_;
  std::size_t width_ = 0, next_ = 0;
  std::string text_;
};

std::string joined(const char* head, const std::string& elements, const std::vector<std::string>& notes) {
  return fmt::format("{}({}{}{})", head, elements, notes.empty() ? "" : ", ", fmt::join(notes, ", "));
}
std::string shape_note(const Array& x) { return fmt::format("shape={}", x.shape().str()); }
std::string dtype_note(const Array& x) { return fmt::format("dtype={}", name(x.dtype())); }

}  // namespace

std::string detail::print(const char* head, const Array& x, std::vector<std::string> notes,
                          const PrintOptions& options) {
  if (!x.defined()) return joined(head, "undefined", notes);
  std::string elements = "[]";
  bool abridged = true;
  if (x.size() > 0) {
    Printer printer(x, options);
    elements = printer.text(int(std::char_traits<char>::length(head)) + 1);
    abridged = printer.abridged();
  }
  const DType dtype = x.dtype();
  const bool shows = dtype == DType::i64 || dtype == DType::boolean;  // by how its elements are written
  if (dtype != DType::f32 && !(shows && x.size() > 0) && !x.is_number())
    notes.insert(notes.begin(), dtype_note(x));
  if (abridged) notes.insert(notes.begin(), shape_note(x));
  return joined(head, elements, notes);
}

const char* detail::describe(const char* head, const Array& x, std::vector<std::string> notes) {
  thread_local std::string text;
  if (x.defined() && !Value::of(x)->ready()) {
    notes.insert(notes.begin(), {shape_note(x), dtype_note(x)});
    text = joined(head, "pending", notes);
  } else {
    text = print(head, x, std::move(notes), {.threshold = 100});
  }
  return text.c_str();
}

std::string to_string(const Array& x, const PrintOptions& options) {
  return detail::print("array", x, {}, options);
}
std::ostream& operator<<(std::ostream& out, const Array& x) { return out << to_string(x); }

void detail::ArrayFormatter::bad_format() {
  fail("format: arrays are written by {{}}, {{:.2}}, {{:.2f}} or {{:.2e}}");
}
fmt::format_context::iterator detail::ArrayFormatter::write(const std::string& text,
                                                            fmt::format_context& context) {
  return std::copy(text.begin(), text.end(), context.out());
}

}  // namespace xgrad

// For tools/debuggers.
extern "C" const char* xgrad_describe_array(const void* array);
extern "C" const char* xgrad_describe_array(const void* array) {
  return xgrad::detail::describe("array", *static_cast<const xgrad::Array*>(array), {});
}
