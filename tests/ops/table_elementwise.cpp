// Rows of arithmetic, comparison, elementary functions and activations: one element at a time.
#include <cmath>
#include <numbers>

#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/density.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/strong.hpp>
#include "tests/ops/table.hpp"

namespace xgrad::tests {
namespace {

const std::vector<Shapes> one = {{{}},        {{1}},       {{0}},    {{17}},      {{3, 5}},
                                 {{2, 0, 3}}, {{2, 3, 4}}, {{5000}}, {{33, 155}}, {{1, 1, 1}}};
const std::vector<Shapes> two = {{{}, {}},
                                 {{1}, {1}},
                                 {{17}, {17}},
                                 {{3, 5}, {3, 5}},
                                 {{3, 1}, {1, 5}},
                                 {{2, 3, 4}, {4}},
                                 {{4}, {2, 3, 4}},
                                 {{33}, {}},
                                 {{}, {3, 5}},
                                 {{2, 1, 4}, {3, 1}},
                                 {{0}, {0}},
                                 {{0, 3}, {3}},
                                 {{2, 0}, {1}},
                                 {{1}, {5000}},
                                 {{70, 71}, {70, 71}},
                                 {{5, 1000}, {1000}},
                                 {{4, 33, 50}, {33, 1}},
                                 {{75, 1}, {1, 80}}};

Row unary(const char* op, Variable (*f)(const Variable&), double (*reference)(double), Draw draw = normal) {
  return {op,  "",  [=](auto& x) { return f(x[0]); }, [=](auto& x) { return each(reference, x[0]); },
          one, draw};
}
Row binary(const char* op, Variable (*f)(const Variable&, const Variable&),
           double (*reference)(double, double), Draw draw = normal) {
  return {
      op,  "",  [=](auto& x) { return f(x[0], x[1]); }, [=](auto& x) { return each(reference, x[0], x[1]); },
      two, draw};
}
Row comparison(const char* op, Variable (*f)(const Variable&, const Variable&),
               double (*reference)(double, double)) {
  Row row = binary(op, f, reference, alike);
  row.differentiable = false;
  row.dtype = DType::boolean;
  return row;
}

double logistic(double v) { return 1 / (1 + std::exp(-v)); }

}  // namespace

Rows elementwise_rows() {
  return {
      binary("add", add, [](double a, double b) { return a + b; }),
      binary("sub", sub, [](double a, double b) { return a - b; }),
      binary("mul", mul, [](double a, double b) { return a * b; }),
      binary(
          "div", div, [](double a, double b) { return a / b; }, positive),
      {"div", "of negative numbers", [](auto& x) { return div(x[0], x[1] - 3); },
       [](auto& x) { return each([](double a, double b) { return a / (b - 3); }, x[0], x[1]); }, two,
       last_positive},
      binary("strong_mul", strong_mul, [](double a, double b) { return a * b; }),
      binary(
          "strong_mul", strong_mul, [](double a, double b) { return a * b; }, with_zeros),
      binary(
          "strong_div", strong_div, [](double a, double b) { return a / b; }, positive),
      unary("neg", neg, [](double v) { return -v; }),
      binary(
          "pow", pow, [](double a, double b) { return std::pow(a, b); }, first_positive),
      {"pow", "by a number, also of negative ones",
       [](auto& x) { return pow(x[0], 2) + pow(x[0], 3) + pow(x[0], 0); },
       [](auto& x) { return each([](double v) { return v * v + v * v * v + 1; }, x[0]); }, one},
      {"pow", "of a number", [](auto& x) { return pow(1.7, x[0]); },
       [](auto& x) { return each([](double v) { return std::pow(1.7, v); }, x[0]); }, one},
      unary(
          "abs", abs, [](double v) { return std::abs(v); }, apart),
      binary(
          "maximum", maximum, [](double a, double b) { return a > b ? a : b; }, apart),
      binary(
          "minimum", minimum, [](double a, double b) { return a < b ? a : b; }, apart),
      {"where",
       "",
       [](auto& x) { return where(x[0] > 0, x[1], x[2]); },
       [](auto& x) {
         return each([](double c, double a, double b) { return c > 0 ? a : b; }, x[0], x[1], x[2]);
       },
       {{{}, {}, {}},
        {{17}, {17}, {17}},
        {{3, 1}, {5}, {1, 1}},
        {{2, 3}, {}, {2, 3}},
        {{4}, {3, 1}, {}},
        {{0}, {0}, {1}},
        {{33, 155}, {155}, {33, 155}},
        {{80, 1}, {75}, {80, 75}}},
       apart},
      {"clip", "", [](auto& x) { return clip(x[0], -.493, .713); },
       [](auto& x) { return each([](double v) { return v < -.493  ? -.493
                                                       : v > .713 ? .713
                                                                  : v; }, x[0]); },
       one, apart},
      comparison("equal", equal, [](double a, double b) { return double(a == b); }),
      comparison("not_equal", not_equal, [](double a, double b) { return double(a != b); }),
      comparison("less", less, [](double a, double b) { return double(a < b); }),
      comparison("less_equal", less_equal, [](double a, double b) { return double(a <= b); }),
      comparison("greater", greater, [](double a, double b) { return double(a > b); }),
      comparison("greater_equal", greater_equal, [](double a, double b) { return double(a >= b); }),
      {"add_gradients",
       "",
       [](auto& x) { return add_gradients(x[0], x[1]); },
       [](auto& x) { return each([](double a, double b) { return a + b; }, x[0], x[1]); },
       {{{}, {}}, {{0, 2}, {0, 2}}, {{3, 5}, {3, 5}}, {{70, 71}, {70, 71}}}},

      unary("exp", exp, [](double v) { return std::exp(v); }),
      unary(
          "log", log, [](double v) { return std::log(v); }, positive),
      unary(
          "log1p", log1p, [](double v) { return std::log1p(v); }, unit),
      unary("expm1", expm1, [](double v) { return std::expm1(v); }),
      unary(
          "sqrt", sqrt, [](double v) { return std::sqrt(v); }, positive),
      unary(
          "rsqrt", rsqrt, [](double v) { return 1 / std::sqrt(v); }, positive),
      unary("square", square, [](double v) { return v * v; }),
      unary("sin", sin, [](double v) { return std::sin(v); }),
      unary("cos", cos, [](double v) { return std::cos(v); }),
      unary("tanh", tanh, [](double v) { return std::tanh(v); }),
      unary("erf", erf, [](double v) { return std::erf(v); }),
      unary("gaussian", gaussian, [](double v) { return std::exp(-v * v); }),
      unary("normal_pdf", normal_pdf,
            [](double v) { return std::exp(-v * v / 2) / std::sqrt(2 * std::numbers::pi); }),
      unary("logistic_pdf", logistic_pdf, [](double v) { return logistic(v) * logistic(-v); }),
      unary("normal_cdf", normal_cdf, [](double v) { return .5 * std::erfc(-v / std::sqrt(2)); }),

      unary("sigmoid", sigmoid, logistic),
      unary("softplus", softplus, [](double v) { return std::log(1 + std::exp(v)); }),
      unary(
          "relu", relu, [](double v) { return v > 0 ? v : 0; }, apart),
      {"leaky_relu", "", [](auto& x) { return leaky_relu(x[0]) + leaky_relu(x[0], .3); },
       [](auto& x) { return each([](double v) { return v > 0 ? 2 * v : .31 * v; }, x[0]); }, one, apart},
      unary("gelu", gelu, [](double v) { return v * .5 * std::erfc(-v / std::sqrt(2)); }),
      unary("silu", silu, [](double v) { return v * logistic(v); }),
      {"cast", "to f64", [](auto& x) { return cast(x[0], DType::f64); }, [](auto& x) { return x[0]; }, one,
       normal, true, DType::f64},
  };
}

}  // namespace xgrad::tests
