// The elementwise operations with their derivatives, exactly.
#include "tests/accuracy/cases.hpp"

#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>

namespace xgrad::tests {
namespace {

using Unary = Variable (*)(const Variable&);
using Binary = Variable (*)(const Variable&, const Variable&);
/// The function with its first and second derivative.
using Three = std::array<Term, 3>;
const std::vector<Interval> narrow = {{-3, 3}, {-110, 110}}, wide = {{-3, 3}, {-110, 110}, {-750, 750}};

Case unary(const char* name, Unary f, Three (*exact)(const Real&), std::vector<Interval> dense,
           std::vector<double> near = {0}) {
  Case c{name, 1, [=](auto& x) { return f(x[0]); }, {}};
  c.exact = [=](auto& x) {
    const Three t = exact(x[0]);
    return Terms{std::vector{t[0]}, std::vector{t[1]}, std::vector{t[2]}};
  };
  c.dense = std::move(dense);
  c.near = std::move(near);
  return c;
}
Case binary(const char* name, Binary f, Terms (*exact)(const Real&, const Real&),
            std::vector<Interval> dense) {
  Case c{name, 2, [=](auto& x) { return f(x[0], x[1]); }, {}};
  c.exact = [=](auto& x) { return exact(x[0], x[1]); };
  c.dense = std::move(dense);
  return c;
}

Real normal_pdf(const Real& x) { return exp(-x * x / 2) / sqrt(pi() * 2); }
Real normal_cdf_of(const Real& x) { return erfc(-x / sqrt(Real(2))) / 2; }
Real logistic(const Real& x) { return Real(1) / (exp(-x) + 1); }
Real logistic_slope(const Real& x) { return logistic(x) * logistic(-x); }
Real step(const Real& x) { return Real(0) < x ? 1 : 0; }

Three square_of(const Real& x) { return {x * x, x * 2, 2.0}; }
Three tanh_of(const Real& x) {
  const Real slope = sech(x) * sech(x);
  return {tanh(x), slope, tanh(x) * slope * -2};
}
Three erf_of(const Real& x) {
  const Real slope = exp(-x * x) * 2 / sqrt(pi());
  return {erf(x), slope, Term(x * slope * -2).with({slope})};
}
Three sigmoid_of(const Real& x) { return {logistic(x), logistic_slope(x), -logistic_slope(x) * tanh(x / 2)}; }
Three softplus_of(const Real& x) { return {max(x, 0) + log1p(exp(-abs(x))), logistic(x), logistic_slope(x)}; }
Three gelu_of(const Real& x) {
  const Real p = normal_pdf(x), cdf = normal_cdf_of(x);
  return {Term(x * cdf), Term(cdf, x * p).with({cdf}), Term(p * 2, -x * x * p).with({p})};
}
Three silu_of(const Real& x) {
  const Real p = logistic_slope(x);
  return {x * logistic(x), Term(logistic(x), x * p).with({logistic(x)}),
          Term(p * 2, -x * p * tanh(x / 2)).with({p})};
}
Terms pow_of(const Real& a, const Real& b) {
  const Real y = pow(a, b), less = pow(a, b - 1), log_a = log(a);
  const Term mixed = Term(less, b * less * log_a);
  return {std::vector<Term>{y},
          {Term(b * less).with({less}), Term(y * log_a).with({y})},
          {Term(b * (b - 1) * pow(a, b - 2)).with({pow(a, b - 2)}), mixed.with({less, b * less}),
           mixed.with({y, less, b * less}), Term(y * log_a * log_a).with({y})}};
}

Case with(Case c, std::array<double, 2> value_bound, double limit = INFINITY) {
  c.value_bound = value_bound;
  c.limit = limit;
  return c;
}

std::vector<Case> all_cases() {
  const std::vector<Interval> positive = {{0, 3}, {0, 1000}}, trigonometric = {{-7, 7}, {-1e4, 1e4}};
  std::vector<double> quarters;  // the roots of sin and cos, and what is halfway
  for (int k = -12; k <= 12; ++k) quarters.push_back(double(pi() * k / 4));
  for (int k : {100, 999, 3183, 6365}) quarters.push_back(double(pi() * k / 2));
  Case power = binary("pow", pow, pow_of, {{0, 10}, {-20, 20}});
  power.positive = true;  // elsewhere there is no derivative by the exponent
  return {
      unary(
          "abs", abs,
          [](const Real& x) {
            return Three{abs(x), x < 0 ? -1.0 : double(step(x)), 0.0};
          },
          narrow),
      unary("square", square, square_of, narrow),
      unary(
          "exp", exp,
          [](const Real& x) {
            return Three{exp(x), exp(x), exp(x)};
          },
          wide),
      unary(
          "expm1", expm1,
          [](const Real& x) {
            return Three{expm1(x), exp(x), exp(x)};
          },
          wide),
      unary("log", log,
            [](const Real& x) {
              return Three{log(x), Real(1) / x, Real(-1) / (x * x)};
            },
            positive, {0, 1}),
      unary("log1p", log1p,
            [](const Real& x) {
              return Three{log1p(x), Real(1) / (x + 1), Real(-1) / ((x + 1) * (x + 1))};
            },
            {{-1, 3}, {-1, 1000}}),
      unary(
          "sqrt", sqrt,
          [](const Real& x) {
            return Three{sqrt(x), Real(1) / (sqrt(x) * 2), Real(-1) / (x * sqrt(x) * 4)};
          },
          positive),
      unary(
          "rsqrt", rsqrt,
          [](const Real& x) {
            return Three{Real(1) / sqrt(x), Real(-1) / (x * sqrt(x) * 2), Real(3) / (x * x * sqrt(x) * 4)};
          },
          positive),
      with(unary(
               "sin", sin,
               [](const Real& x) {
                 return Three{sin(x), cos(x), -sin(x)};
               },
               trigonometric, quarters),
           {2, 2}, 1e4),
      with(unary(
               "cos", cos,
               [](const Real& x) {
                 return Three{cos(x), -sin(x), -cos(x)};
               },
               trigonometric, quarters),
           {2, 2}, 1e4),
      unary("tanh", tanh, tanh_of, wide),
      unary("erf", erf, erf_of, {{-1, 1}, {-7, 7}, {-28, 28}}),
      with(
          unary(
              "normal_cdf", normal_cdf,
              [](const Real& x) {
                return Three{normal_cdf_of(x), normal_pdf(x), Term(-x * normal_pdf(x)).with({normal_pdf(x)})};
              },
              {{-2, 2}, {-15, 9}, {-39, 9}}),
          {6, 4}),
      with(unary("sigmoid", sigmoid, sigmoid_of, wide), {2.5, 2.5}),
      unary("softplus", softplus, softplus_of, wide),
      unary(
          "relu", relu,
          [](const Real& x) {
            return Three{max(x, 0), step(x), 0.0};
          },
          narrow),
      unary(
          "leaky_relu", [](const Variable& x) { return leaky_relu(x, .25); },
          [](const Real& x) {
            return Three{x < 0 ? x / 4 : x, Real(0) < x ? 1.0 : .25, 0.0};
          },
          narrow),
      with(unary("gelu", gelu, gelu_of, {{-2, 2}, {-15, 9}, {-39, 9}},
                 {0, -.7517915246, 1.4142135623, -1.4142135623}),
           {6, 4}),
      with(unary("silu", silu, silu_of, wide, {0, -1.2784645427, 2.3993572805, -2.3993572805}), {3, 3}),
      binary("add", add,
             [](const Real& a, const Real& b) {
               return Terms{std::vector<Term>{a + b}, {1.0, 1.0}, {0.0, 0.0, 0.0, 0.0}};
             },
             {{-3, 3}, {-3, 3}}),
      binary("sub", sub,
             [](const Real& a, const Real& b) {
               return Terms{std::vector<Term>{a - b}, {1.0, -1.0}, {0.0, 0.0, 0.0, 0.0}};
             },
             {{-3, 3}, {-3, 3}}),
      binary("mul", mul,
             [](const Real& a, const Real& b) {
               return Terms{std::vector<Term>{a * b}, {b, a}, {0.0, 1.0, 1.0, 0.0}};
             },
             {{-3, 3}, {-3, 3}}),
      binary("div", div,
             [](const Real& a, const Real& b) {
               const Real inverse = Real(1) / b, square = inverse * inverse;
               return Terms{std::vector<Term>{a / b},
                            {inverse, -a * square},
                            {0.0, -square, -square, a * square * inverse * 2}};
             },
             {{-3, 3}, {-3, 3}}),
      power,
  };
}

}  // namespace

const std::vector<Case>& accuracy_cases() {
  static const std::vector<Case> cases = all_cases();
  return cases;
}

}  // namespace xgrad::tests
