// The bounds of the accuracy job, on a smaller grid.
#include <fstream>
#include <regex>
#include <set>

#include <xgrad/ops/arithmetic.hpp>
#include "tests/accuracy/cases.hpp"
#include "tests/catch.hpp"
#include "tests/paths.hpp"

namespace xgrad::tests {

TEST_CASE("values and derivatives are within the stated units of the last place", "[ops][accuracy]") {
  for (auto& c : accuracy_cases())
    for (bool f64 : {false, true}) {
      const Errors errors = f64 ? measure<double>(c, 300) : measure<float>(c, 300);
      for (int order = 0; order < 3; ++order) {
        INFO(c.name << ", " << (f64 ? "f64" : "f32") << ", order " << order);
        const Worst &normal = errors.normal[std::size_t(order)],
                    &small = errors.subnormal[std::size_t(order)];
        UNSCOPED_INFO("worst at " << (normal.at.empty() ? 0 : normal.at[0]));
        CHECK(normal.ulps <= c.bound(order, f64));
        CHECK(small.ulps <= c.bound(order, f64));
      }
    }
}

TEST_CASE("every elementary function and activation has a case of accuracy", "[ops][accuracy]") {
  std::set<std::string> declared, missing;
  for (const char* header : {"ops/math.hpp", "ops/activation.hpp"}) {
    std::ifstream file(std::string(XGRAD_SOURCE_ROOT) + "/" + header);
    const std::regex declaration("^Variable (\\w+)\\(const Variable& x.*");
    std::smatch found;
    for (std::string line; std::getline(file, line);)
      if (std::regex_match(line, found, declaration)) declared.insert(found[1]);
  }
  CHECK(declared.size() > 15);
  missing = declared;
  for (auto& c : accuracy_cases()) missing.erase(c.name);
  CHECK(missing == std::set<std::string>{});
}

TEST_CASE("row-wise operations are as accurate as their condition allows", "[ops][accuracy]") {
  for (auto& c : row_cases()) {
    INFO(c.name);
    for (double error : measure<float>(c, 3)) CHECK(error <= row_bound);
    for (double error : measure<double>(c, 3)) CHECK(error <= row_bound);
  }
}

TEST_CASE("the measure of accuracy finds errors", "[ops][accuracy]") {
  Case wrong = accuracy_cases()[1];
  REQUIRE(wrong.name == "square");
  wrong.f = [](auto& x) { return x[0] * x[0] * (1 + 1e-6); };
  const Errors errors = measure<float>(wrong, 100);
  for (auto& worst : errors.normal) CHECK(worst.ulps > 5);
  wrong.f = [](auto& x) { return x[0] * x[0] / x[0] * x[0]; };  // NaN at 0
  CHECK(measure<double>(wrong, 100).subnormal[0].ulps == INFINITY);
}

}  // namespace xgrad::tests
