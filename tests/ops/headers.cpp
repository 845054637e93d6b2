// The table is complete: every function of the public headers that returns arrays has a row, and meets all
// sizes.
#include <algorithm>
#include <set>

#include "tests/catch.hpp"
#include "tests/ops/public_ops.hpp"
#include "tests/ops/special.hpp"
#include "tests/ops/table.hpp"

namespace xgrad::tests {

TEST_CASE("the scanner of headers finds what must have rows, and nothing else", "[ops]") {
  CHECK(ops_of(R"(#pragma once
// Variable not_me(const Variable& x);
#include <xgrad/core/tape/tape.hpp>
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
