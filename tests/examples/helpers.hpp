#pragma once
// What tests of the example programs have in common.
#include <string>

#include "tests/helpers.hpp"
#include "tests/paths.hpp"

namespace xgrad::tests {

/// Text as one word of the shell's.
inline std::string word(const std::string& text) {
  std::string result = "'";
  for (char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}
/// The path of an example, ready for options.
inline std::string program(const char* name) {
  return word(std::string(XGRAD_BUILD_ROOT) + "/examples/" + name) + " ";
}

}  // namespace xgrad::tests
