// Scans the public headers for operations.
#include "tests/ops/public_ops.hpp"

#include <filesystem>
#include <set>
#include <sstream>
#include <vector>

#include "tests/helpers.hpp"
#include "tests/paths.hpp"

namespace xgrad::tests {
namespace {

/// The lines without comments and directives.
std::string code_of(const std::string& header) {
  std::istringstream lines(header);
  std::string code;
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with('#')) code += line.substr(0, line.find("//")) + "\n";
  return code;
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> result(1);
  for (char c : text) {
    if (std::isalnum(c) || c == '_')
      result.back() += c;
    else if (!result.back().empty())
      result.emplace_back();
  }
  if (result.back().empty()) result.pop_back();
  return result;
}

/// The name of the op that a declaration declares; "" when it is something else, or an operator.
std::string op_of(const std::string& declaration) {
  auto before = words(declaration.substr(0, declaration.find('(')));
  if (declaration.find('(') == std::string::npos || before.size() < 2) return "";
  const std::string name = before.back();
  before.pop_back();
  bool returns_arrays = false;
  for (auto& word : before) {
    if (word == "operator" || word == "concept") return "";
    returns_arrays |=
        word == "Variable" || word == "Variables" || word == "Array" || word.ends_with("Result");
  }
  return returns_arrays && name != "operator" ? name : "";
}

}  // namespace

std::set<std::string> ops_of(const std::string& header) {
  std::set<std::string> ops;
  std::string declaration;
  int braces = 0, parentheses = 0;
  auto finish = [&] {
    if (const std::string op = op_of(declaration); !op.empty()) ops.insert(op);
    declaration.clear();
  };
  for (char c : code_of(header)) {
    parentheses += (c == '(') - (c == ')');
    if (c == '{' && parentheses == 0 && ++braces <= 2)
      finish();
    else if (c == '}' && parentheses == 0)
      --braces;
    else if (c == ';' && braces == 1)
      finish();
    else if (braces == 1)
      declaration += c;
  }
  return ops;
}

std::set<std::string> public_ops() {
  const std::filesystem::path root = XGRAD_SOURCE_ROOT;
  std::vector<std::filesystem::path> headers{root / "core/tape/tape.hpp"};
  for (auto& entry : std::filesystem::directory_iterator(root / "ops"))
    if (entry.path().extension() == ".hpp") headers.push_back(entry.path());
  std::set<std::string> ops;
  for (auto& header : headers) ops.merge(ops_of(read_file(header)));
  ops.erase("record");  // by which ops are made
  return ops;
}

}  // namespace xgrad::tests
