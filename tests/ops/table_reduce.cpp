// Rows of reductions: over all axes, one, several, kept or dropped.
#include <algorithm>
#include <cmath>

#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/reduce.hpp>
#include "tests/ops/table.hpp"

namespace xgrad::tests {
namespace {

using Reduction = Variable (*)(const Variable&, const Axes&, bool);
using Line = double (*)(const std::vector<double>&);

/// An op's rows over various axes. What has a value for no elements at all is given some such shapes too.
Rows reductions(const char* op, Reduction f, Line reference, Draw draw = normal, bool of_nothing = false) {
  auto row = [=](const char* what, Axes axes, bool keep, std::vector<Shapes> shapes) {
    return Row{op,
               what,
               [=](auto& x) { return f(x[0], axes, keep); },
               [=](auto& x) { return along(x[0], axes, keep, reference); },
               std::move(shapes),
               draw};
  };
  Rows rows{
      row("over all", {}, false, {{{}}, {{1}}, {{17}}, {{3, 5}}, {{2, 3, 4}}, {{1, 33, 1}}, {{33, 155}}}),
      row("over all, kept", {}, true, {{{}}, {{1}}, {{3, 5}}, {{33, 155}}}),
      row("over the first", 0, false, {{{5}}, {{1}}, {{1, 7}}, {{7, 1}}, {{4, 0}}, {{3, 2, 5}}, {{155, 33}}}),
      row("over the last", -1, false,
          {{{5}}, {{3, 1}}, {{0, 4}}, {{3, 17}}, {{2, 3, 4}}, {{2, 33, 100}}, {{5, 2000}}}),
      row("over the middle, kept", {1}, true, {{{2, 3, 4}}, {{3, 1, 2}}, {{2, 4, 0}}, {{17, 33, 10}}}),
      row("over the outer ones, kept", {2, 0}, true, {{{2, 3, 4}}, {{1, 5, 1}}, {{2, 0, 3}}, {{17, 3, 100}}}),
      row("over all but channels", {0, -2, -1}, false, {{{2, 3, 4, 5}}, {{3, 1, 1, 1}}, {{4, 5, 17, 17}}}),
  };
  if (of_nothing) rows.push_back(row("of nothing", {1}, false, {{{3, 0}}, {{2, 0, 3}}, {{0, 0}}}));
  return rows;
}

double variance(const std::vector<double>& v) {
  const double middle = average(v);
  double sum = 0;
  for (double e : v) sum += (e - middle) * (e - middle);
  return sum / double(v.size());
}
double product(const std::vector<double>& v) {
  double result = 1;
  for (double e : v) result *= e;
  return result;
}

}  // namespace

Rows reduce_rows() {
  Rows rows{
      {"prod",
       "with zeros",
       [](auto& x) { return prod(x[0], -1); },
       [](auto& x) { return along(x[0], -1, false, product); },
       {{{1}}, {{2}}, {{3}}, {{3, 4}}, {{5, 7}}, {{2, 2}}},
       with_zeros},
      {"cumsum",
       "along the first axis",
       [](auto& x) { return cumsum(x[0], 0); },
       [](auto& x) {
         return lines(x[0], 0, [](auto& line, std::size_t i) {
           return total({line.begin(), line.begin() + long(i) + 1});
         });
       },
       {{{1}}, {{0}}, {{17}}, {{3, 5}}, {{2, 0, 3}}, {{33, 155}}}},
      {"cumsum",
       "along the middle axis",
       [](auto& x) { return cumsum(x[0], -2); },
       [](auto& x) {
         return lines(x[0], -2, [](auto& line, std::size_t i) {
           return total({line.begin(), line.begin() + long(i) + 1});
         });
       },
       {{{3, 5}}, {{2, 3, 4}}, {{1, 1, 1}}, {{2, 0, 3}}, {{5, 33, 40}}}},
  };
  auto add = [&](const Rows& more) { rows.insert(rows.end(), more.begin(), more.end()); };
  add(reductions("sum", sum, total, normal, true));
  add(reductions("mean", mean, average));
  add(reductions("var", var, variance));
  add(reductions(
      "max", max, [](auto& v) { return *std::max_element(v.begin(), v.end()); }, apart));
  add(reductions(
      "min", min, [](auto& v) { return *std::min_element(v.begin(), v.end()); }, apart));
  add(reductions("logsumexp", logsumexp, log_sum_exp));
  // The product of many is tiny or huge: numbers near 1 keep it comparable.
  add(reductions(
      "prod", [](const Variable& x, const Axes& axes, bool keep) { return prod(x * .01 + 1, axes, keep); },
      [](const std::vector<double>& v) {
        double result = 1;
        for (double e : v) result *= e * .01 + 1;
        return result;
      },
      normal, true));
  for (int axis : {0, -1})
    for (bool keep : {false, true})
      rows.push_back({"argmax",
                      "",
                      [=](auto& x) { return Variable(argmax(x[0].data(), axis, keep)); },
                      [=](auto& x) {
                        return along(x[0], axis, keep, [](auto& v) {
                          return double(std::max_element(v.begin(), v.end()) - v.begin());
                        });
                      },
                      {{{1}}, {{17}}, {{3, 5}}, {{1, 0, 3}}, {{33, 155}}, {{2, 50, 60}}},
                      alike,
                      false,
                      DType::i64});
  return rows;
}

}  // namespace xgrad::tests
