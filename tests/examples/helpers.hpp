#pragma once
// What tests of the example programs have in common.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

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

/// All bytes of a file.
inline std::string bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace xgrad::tests
