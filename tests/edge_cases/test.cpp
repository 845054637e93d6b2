// xgrad is right in the edge cases that docs/edge-cases.md tells of.
#include <fmt/format.h>

#include <xgrad/core/base/error.hpp>
#include "tests/catch.hpp"
#include "tests/edge_cases/xgrad.hpp"
#include "tests/paths.hpp"

namespace xgrad::tests::edge_cases {

TEST_CASE("xgrad is right in the edge cases", "[edge_cases]") {
  for (auto& c : cases(XGRAD_SOURCE_ROOT "/tests/edge_cases/cases.json")) {
    INFO(c.name << ", expected " << fmt::format("{}", fmt::join(c.expected, ", ")));
    if (!c.exception.empty()) continue;
    if (c.expected[0] == "Error") {
      CHECK_THROWS_AS(by_xgrad(c), Error);
      continue;
    }
    const std::vector<double> given = by_xgrad(c);
    INFO("given " << fmt::format("{}", fmt::join(given, ", ")));
    CHECK(right(c, given));
  }
}

}  // namespace xgrad::tests::edge_cases
