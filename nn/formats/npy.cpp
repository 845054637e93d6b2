// .npy: a dict in Python's notation and the elements (numpy/lib/format.py describes the format).
#include <charconv>
#include <filesystem>
#include <optional>

#include <xgrad/nn/formats/numpy.hpp>
#include <xgrad/nn/formats/numpy_array.hpp>

namespace xgrad {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
/// NumPy's name of a dtype. Throws Error for bf16, which it does not have.
const char* numpy_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "<f4";
    case DType::f64:
      return "<f8";
    case DType::i64:
      return "<i8";
    case DType::i32:
      return "<i4";
    case DType::u8:
      return "|u1";
    case DType::boolean:
      return "|b1";
    case DType::f16:
      return "<f2";
    case DType::bf16:
      fail("npy: NumPy has no bf16; cast to f32 first");
  }
  __builtin_unreachable();
}

/// What a header says, read by the grammar of Python's literals as far as NumPy writes them.
class HeaderParser {
 public:
  HeaderParser(const Reader& in, std::string_view text)
      : in_(in), start_(in.at() - text.size()), text_(text) {
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr" && !type)
        type = string();
      else if (key == "fortran_order" && !fortran)
        fortran = boolean();
      else if (key == "shape" && !shape)
        shape = numbers();
      else
        refuse("the key '{}' is given twice or is not one of a .npy header", key);
      if (!accept(',') && next() != '}') refuse("',' or '}}' was expected");
    }
    while (accept('\n')) continue;
    if (at_ != text_.size()) refuse("the end of the header was expected");
    if (!type || !fortran || !shape) refuse("'descr', 'fortran_order' or 'shape' is missing");
  }

  std::optional<std::string> type;
  std::optional<bool> fortran;
  std::optional<std::vector<long>> shape;

 private:
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> message, Args&&... args) const {
    in_.refuse_at(start_ + at_, message, std::forward<Args>(args)...);
  }
  /// The next character that is not a blank; 0 at the end.
  char next() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char sign) {
    if (next() != sign || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  void expect(char sign) {
    if (!accept(sign)) refuse("'{}' was expected in the header", sign);
  }
  std::string string() {
    const char quote = next();
    if (quote == '[') refuse("structured arrays cannot be read");
    if (quote != '\'' && quote != '"') refuse("a quoted string was expected");
    const auto end = text_.find(quote, ++at_);
    const std::string value(text_.substr(at_, end - at_));
    if (end == text_.npos || value.find('\\') != value.npos)
      refuse("this string is unterminated or has a backslash");
    at_ = end + 1;
    return value;
  }
  bool boolean() {
    next();
    for (const std::string_view word : {"True", "False"})
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return word == "True";
      }
    refuse("True or False was expected");
  }
  std::vector<long> numbers() {
    std::vector<long> values;
    bool comma = true;
    expect('(');
    while (!accept(')')) {
      next();
      long n = 0;
      const char* from = text_.data() + at_;
      const auto [end, error] = std::from_chars(from, text_.data() + text_.size(), n);
      if (error != std::errc() || n < 0 || !comma || values.size() == max_depth)
        refuse("the length of an axis was expected");
      at_ += std::size_t(end - from);
      accept('L');  // as Python 2 wrote it
      values.push_back(n);
      comma = accept(',');
    }
    if (values.size() == 1 && !comma) refuse("(n) is not a tuple; (n,) was expected");
    return values;
  }

  const Reader& in_;
  const std::uint64_t start_;  // of the header in the file
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Array detail::read_npy(Reader& in) {
  in.expect(in.text(std::min<std::uint64_t>(in.size(), magic.size()), "a .npy") == magic,
            "this is not a .npy file");
  const int version = in.take<std::uint8_t>("the version of the .npy"),
            minor = in.take<std::uint8_t>("the version of the .npy");
  in.expect(1 <= version && version <= 3 && minor == 0,
            "this is a .npy of version {}.{}; 1.0, 2.0 and 3.0 are known", version, minor);
  constexpr const char* length = "the length of the header";
  const std::uint32_t n = version == 1 ? in.take<std::uint16_t>(length) : in.take<std::uint32_t>(length);
  const std::string text = in.text(n, "the header");
  const HeaderParser header(in, text);
  const Array array = read_elements(in, *header.type, *header.shape, *header.fortran);
  in.end();
  return array;
}

std::string detail::npy_header(const Array& array) {
  std::string shape;
  for (long n : array.shape()) shape += fmt::format("{}, ", n);
  if (array.shape().rank() > 1) shape.resize(shape.size() - 2);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                   numpy_type(array.dtype()), shape);
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');  // the elements are aligned
  header += '\n';
  const auto length = std::uint16_t(header.size());
  return std::string(magic) + std::string{1, 0, char(length & 255), char(length >> 8)} + header;
}

Array load_npy(const std::string& path) {
  Reader in{std::filesystem::path(path)};
  return detail::read_npy(in);
}

}  // namespace xgrad
