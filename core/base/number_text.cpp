// Doubles by std::from_chars, which Clang's libc++ has from version 20 on; before that by the C library.
#include <xgrad/core/base/number_text.hpp>

#include <locale.h>
#include <stdlib.h>

#include <cerrno>
#include <cmath>
#include <string>

namespace xgrad {

bool detail::read_double(std::string_view text, double& value) {
#ifdef __cpp_lib_to_chars
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
#else
  // What strtod reads beyond that: blanks, a plus, hexadecimal digits.
  if (text.find_first_of(" \t\n\v\f\r+") == 0 || text.find_first_of("xX") != text.npos) return false;
  static const locale_t plain = newlocale(LC_ALL_MASK, "C", nullptr);
  const std::string copy(text);
  char* end = nullptr;
  errno = 0;
  value = strtod_l(copy.c_str(), &end, plain);
  const bool beyond = errno == ERANGE && (value == 0 || std::isinf(value));
  return !copy.empty() && end == copy.c_str() + copy.size() && !beyond;
#endif
}

}  // namespace xgrad
