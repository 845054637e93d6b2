// Measures the errors of elementwise operations and of their derivatives, and writes them to a page.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <ostream>

#include <xgrad/core/base/files.hpp>
#include "examples/common/program.hpp"
#include "tests/accuracy/cases.hpp"

namespace {
using namespace xgrad;
using namespace xgrad::tests;

constexpr const char* introduction = R"(# Accuracy

Written by `./run accuracy`, which compares each elementwise operation and its first and second derivatives with MPFR,
in units of the last place (ulp) of the exact result. Points are of all magnitudes and both signs, and dense where results
change, at the ends of the range, and around roots. `tests/accuracy/bounds.cpp` holds the bounds on a smaller grid: {} ulp for
first and {} for second derivatives of every operation.

- Where a derivative is a sum of terms that cancel (those of gelu and silu, the mixed one of pow), its error is in ulp of the
  largest term: gelu' has a root near -.75, gelu'' at +-1.41.
- Results that are subnormal, or that have a subnormal factor (x times the density of normal_cdf), are apart: their error is
  in units of the smallest subnormal number, times what that factor is multiplied by.
- sin and cos are apart beyond |x| = 10,000. pow is tried with positive bases; where a power of the formula overflows although
  its product with a small factor would not (b (b - 1) a^(b - 2) for tiny a and b), the derivative is infinite.
- Of two inputs, the worst of all partial derivatives counts.
- 0 stands for correctly rounded.
- Measured with AVX-512. Without it normal_cdf, gelu and erf of f32 are computed otherwise; with AVX2 their values are within 5.6,
  5.0 and 2.0 ulp and their derivatives within the same bounds.

Points for one input: {}, for two: {}; each for f32 and f64.

| operation | dtype | value | first derivative | second derivative |
|---|---|---|---|---|
)";

std::string worst(const Worst& w) {
  if (w.ulps == 0) return "0";
  std::string at;
  for (double x : w.at) at += fmt::format("{}{:.5g}", at.empty() ? "" : ", ", x);
  return fmt::format("{:.2f} at {}", w.ulps, at);
}
std::string line(const Case& c, bool f64, const std::array<Worst, 3>& errors) {
  return fmt::format("| {} | {} | {} | {} | {} |\n", c.name, f64 ? "f64" : "f32", worst(errors[0]),
                     worst(errors[1]), worst(errors[2]));
}
bool any(const std::array<Worst, 3>& errors) { return errors[0].ulps + errors[1].ulps + errors[2].ulps > 0; }

constexpr const char* about_rows = R"(
## Rows

The error of an element of a row-wise operation, and of its gradient for given gradients g of the results, divided by
u times a condition; u is 2^-24 in f32 and 2^-53 in f64. Rows of {} elements: {} of each of 16 kinds, of scales .01 to 100,
normal, with one element far above the others, with ties, and far from 0. The bound is {}. Here d = x - max(x), p is the
softmax, m the mean, s = sqrt(var + eps).

| operation | condition of the value | f32 | f64 | condition of the gradient | f32 | f64 |
|---|---|---|---|---|---|---|
)";

/// The table of rows; `held` becomes false where a bound is not.
std::string rows(int n, bool& held) {
  std::string text = fmt::format(about_rows, row_length, n, row_bound);
  for (auto& c : row_cases()) {
    const auto f32 = measure<float>(c, n), f64 = measure<double>(c, n);
    text += fmt::format("| {} | {} | {:.2f} | {:.2f} | {} | {:.2f} | {:.2f} |\n", c.name, c.value_condition,
                        f32[0], f64[0], c.gradient_condition, f32[1], f64[1]);
    for (double error : {f32[0], f32[1], f64[0], f64[1]}) held &= error <= row_bound;
  }
  return text;
}

/// Measures all at about n points, prints the rows, and writes the page unless its name is empty. False where
/// an error is above its bound.
bool measure_all(const std::filesystem::path& file, int n) {
  std::string normal, subnormal, beyond;
  bool held = true;
  for (auto& c : accuracy_cases())
    for (bool f64 : {false, true}) {
      const Errors e = f64 ? measure<double>(c, n) : measure<float>(c, n);
      normal += line(c, f64, e.normal);
      if (any(e.subnormal)) subnormal += line(c, f64, e.subnormal);
      if (c.limit < 1e300) beyond += line(c, f64, e.beyond);
      print(line(c, f64, e.normal));
      for (int order = 0; order < 3; ++order)
        if (const Worst& w = e.normal[std::size_t(order)]; w.ulps > c.bound(order, f64)) {
          held = false;
          print("  above the bound of {} ulp: {}\n", c.bound(order, f64), worst(w));
        }
    }
  const std::string row_table = rows(n / 100, held);
  print(row_table);
  constexpr const char* heading =
      "\n| operation | dtype | value | first derivative | second derivative |\n|---|---|---|---|---|\n";
  if (!file.empty())
    replace_file(file, [&](std::ostream& page) {
      page << fmt::format(introduction, first_bound, second_bound, 8 * n, n) << normal
           << "\n## Subnormal results\n\nIn units of the smallest subnormal number, times what a factor is "
              "multiplied by.\n"
           << heading << subnormal << "\n## Beyond |x| = 10,000\n"
           << heading << beyond << row_table;
    });
  return held;
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path page;
  int points = 5000;
  CLI::App app("Measures the errors of elementwise operations and of their derivatives.");
  app.add_option("page", page, "the page to write them to");
  app.add_option("points", points, "points for two inputs; for one there are eight times as many")
      ->capture_default_str()
      ->check(CLI::Range(100, 1'000'000));
  return program(app, argc, argv, [&] { return measure_all(page, points) ? 0 : 1; });
}
