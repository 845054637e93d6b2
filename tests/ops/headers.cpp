// The table is complete: every function of the public headers that returns arrays has a row, and meets all
// sizes.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/catch.hpp"
#include "tests/ops/special.hpp"
#include "tests/ops/table.hpp"
#include "tests/paths.hpp"

namespace xgrad::tests {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

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
    returns_arrays |= word == "Variable" || word == "Array" || word.ends_with("Result");
  }
  return returns_arrays && name != "operator" ? name : "";
}

/// What a header declares directly in its namespace: `namespace xgrad { ... }`, without the bodies.
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
  std::vector<std::filesystem::path> headers{root / "core/tape.hpp"};
  for (auto& entry : std::filesystem::directory_iterator(root / "ops"))
    if (entry.path().extension() == ".hpp") headers.push_back(entry.path());
  std::set<std::string> ops;
  for (auto& header : headers) ops.merge(ops_of(read(header)));
  ops.erase("record");  // by which ops are made
  return ops;
}

}  // namespace

TEST_CASE("the scanner of headers finds what must have rows, and nothing else", "[ops]") {
  CHECK(ops_of(R"(#pragma once
// Variable not_me(const Variable& x);
#include "core/tape.hpp"
namespace xgrad {
struct Options { long groups = 1; Array member(); };
enum class Kind { a, b };
inline constexpr bool keepdims = true;
/// Something about Variable f(x).
Variable plain(const Variable& x);
Variable with_defaults(const Variable& x, const Axes& axes = {}, const Options& o = {.groups = 2},
                       bool b = f());
std::vector<Variable> parts(const Variable& x);
Array indices(const Variable& x);
SplitResult both(const Variable& x);
template <std::size_t N> std::pair<Variable, Array> two(const Variable (&x)[N]);
inline Variable with_body(const Variable& x) { return Variable(1.0); }
Variable last(const Variable& x);
long count(const Variable& x);
void nothing(const Array& x);
inline Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }
inline Variable& operator+=(Variable& a, const Variable& b) { return a = add(a, b); }
template <class A> concept Both = (std::derived_from<A, Variable>);
namespace detail {
Variable hidden(const Variable& x);
}
}  // namespace xgrad
)") == std::set<std::string>{"plain", "with_defaults", "parts", "indices", "both", "two", "with_body",
                             "last"});
}

TEST_CASE("every op of the headers has a row in the table", "[ops]") {
  std::set<std::string> without_row = public_ops(), unknown;
  CHECK(without_row.size() > 60);
  for (auto& row : table())
    if (!public_ops().contains(row.op)) unknown.insert(row.op);
  for (auto& row : table()) without_row.erase(row.op);
  CHECK(without_row == std::set<std::string>{});
  CHECK(unknown == std::set<std::string>{});
}

TEST_CASE("every op of the headers has a row in the table of special values", "[ops][special]") {
  std::set<std::string> without_row = public_ops(), unknown;
  for (auto& row : special_values())
    if (!public_ops().contains(row.op)) unknown.insert(row.op);
  for (auto& row : special_values()) without_row.erase(row.op);
  CHECK(without_row == std::set<std::string>{});
  CHECK(unknown == std::set<std::string>{});
}

TEST_CASE("every op meets empty inputs, single elements, odd lengths and fused sizes", "[ops]") {
  std::set<std::string> missing;
  for (auto& row : table())
    for (const char* size : {"empty", "single", "odd", "large"}) missing.insert(row.op + ": " + size);
  for (auto& row : table())
    for (auto& shapes : row.shapes) {
      long elements = 0;
      for (auto& shape : shapes) {
        elements += shape.size();
        if (shape.size() == 0) missing.erase(row.op + ": empty");
        if (std::any_of(shape.begin(), shape.end(), [](long n) { return n > 4 && n % 2; }))
          missing.erase(row.op + ": odd");
      }
      if (shapes[0].size() == 1) missing.erase(row.op + ": single");
      if (elements > 4096) missing.erase(row.op + ": large");
    }
  CHECK(missing == std::set<std::string>{});
}

}  // namespace xgrad::tests
