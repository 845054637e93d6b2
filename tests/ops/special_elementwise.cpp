// Special values of arithmetic, comparisons and elementary functions.
#include <numbers>

#include "tests/ops/special.hpp"

namespace xgrad::tests {
namespace {

using enum Authority;
constexpr double slope_of_erf = 2 * std::numbers::inv_sqrtpi, ln2 = std::numbers::ln2;
constexpr double density = std::numbers::inv_sqrtpi / std::numbers::sqrt2;

Specials arithmetic() {
  auto clipped = [](auto& in) { return clip(in[0], 0, 1); };
  auto by_mask = [](auto& in) { return where(in[0], in[1], in[2]); };
  return {
      row("add", add, {-0., 0, inf, inf, nan}, {-0., -0., inf, -inf, 1}, {-0., 0, inf, nan, nan}, V(10, 1),
          V(10, 0), ieee),
      row("sub", sub, {0, -0., inf, nan}, {0, 0, inf, 1}, {0, -0., nan, nan}, V{1, 1, 1, 1, -1, -1, -1, -1},
          V(8, 0), ieee),
      row("mul", mul, {0, -0., 0, nan, 2}, {-3, 3, inf, 0, -inf}, {-0., -0., nan, nan, -inf},
          V{-3, 3, inf, 0, -inf, 0, 0, 0, nan, 2}, V(10, 1), ieee),
      row("div", div, {1, -1, 1, 0, 0, inf, -0.}, {0, 0, -0., 0, inf, inf, 2},
          {inf, -inf, -inf, nan, 0, nan, -0.}, {}, {}, ieee),
      row("div", div, {1, 0, 5}, {inf, 2, 1}, {0, 0, 5}, V{0, .5, 1, 0, 0, -5}, V{0, -.25, -1, 0, -.25, 9}),
      row("neg", neg, {0, -0., inf, -inf, nan}, {-0., 0, -inf, inf, nan}, V(5, -1), V(5, 0), ieee),
      row("abs", abs, {0, -0., -2, inf, -inf, nan}, {0, 0, 2, inf, inf, nan}, V{0, 0, -1, 1, -1, nan}, {},
          ieee),
      row("abs", abs, {0, -2, inf}, {0, 2, inf}, V{0, -1, 1}, V{0, 0, 0}),
      row("pow", pow, {0, -0., 0, 0, -0., 1, nan, nan, -1, inf, -inf, -2, 2, 2, .5},
          {3, 3, -1, 0, -1, nan, 0, 1, inf, -1, 3, .5, inf, -inf, inf},
          {0, -0., inf, 1, -inf, 1, 1, nan, 1, 0, -inf, nan, inf, 0, 0}, {}, {}, ieee),
      row("pow", pow, {2, 0, 0, 5}, {3, 2, 1, 0}, {8, 0, 0, 1}, V{12, 0, 1, 0, 8 * ln2, 0, 0, std::log(5)}),
      row("pow", pow, {0}, {-1}, {inf}, V{-inf, -inf}),
      row("pow", pow, {-2}, {2}, {4}, V{-4, nan}),
      row("maximum", maximum, {1, 0, inf, -inf, 2}, {1, -0., inf, -inf, 3}, {1, 0, inf, -inf, 3},
          V{.5, .5, .5, .5, 0, .5, .5, .5, .5, 1}, V(10, 0)),
      row("maximum", maximum, {nan, 1, nan}, {1, nan, nan}, {nan, nan, nan}, V(6, nan), {}, numpy),
      row("minimum", minimum, {1, 0, inf, -inf, 2}, {1, -0., inf, -inf, 3}, {1, 0, inf, -inf, 2},
          V{.5, .5, .5, .5, 1, .5, .5, .5, .5, 0}, V(10, 0)),
      row("minimum", minimum, {nan, 1, nan}, {1, nan, nan}, {nan, nan, nan}, V(6, nan), {}, numpy),
      {"where",
       {{1, 0, -0., nan, inf}, {1, nan, inf, 4, 5}, {nan, 7, 8, inf, nan}},
       by_mask,
       {1, 7, 8, 4, 5},
       V{0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0},
       V(15, 0),
       numpy},
      {"clip",
       {{-inf, 0, .5, 1, inf, nan}},
       clipped,
       {0, 0, .5, 1, 1, nan},
       V{0, 1, 1, 1, 0, nan},
       {},
       numpy},
      {"clip", {{-1, .5, 2}}, clipped, {0, .5, 1}, V{0, 1, 0}, V{0, 0, 0}},
  };
}

Specials comparisons() {
  const V a{0, nan, nan, inf, -inf, 1}, b{-0., nan, 1, inf, inf, 2};
  return {
      row("equal", equal, a, b, {1, 0, 0, 1, 0, 0}, {}, {}, ieee),
      row("not_equal", not_equal, a, b, {0, 1, 1, 0, 1, 1}, {}, {}, ieee),
      row("less", less, a, b, {0, 0, 0, 0, 1, 1}, {}, {}, ieee),
      row("less_equal", less_equal, a, b, {1, 0, 0, 1, 1, 1}, {}, {}, ieee),
      row("greater", greater, a, b, {0, 0, 0, 0, 0, 0}, {}, {}, ieee),
      row("greater_equal", greater_equal, a, b, {1, 0, 0, 1, 0, 0}, {}, {}, ieee),
  };
}

Specials elementary() {
  return {
      row("exp", exp, {0, -0., inf, -inf, nan}, {1, 1, inf, 0, nan}, V{1, 1, inf, 0, nan},
          V{1, 1, inf, 0, nan}, ieee),
      row("expm1", expm1, {0, -0., inf, -inf, nan}, {0, -0., inf, -1, nan}, V{1, 1, inf, 0, nan},
          V{1, 1, inf, 0, nan}, ieee),
      row("log", log, {0, 1, inf, nan}, {-inf, 0, inf, nan}, V{inf, 1, 0, nan}, V{-inf, -1, 0, nan}, ieee),
      row("log", log, {-0., -1, -inf}, {-inf, nan, nan}, {}, {}, ieee),
      row("log1p", log1p, {0, -0., -1, inf, nan}, {0, -0., -inf, inf, nan}, V{1, 1, inf, 0, nan},
          V{-1, -1, -inf, 0, nan}, ieee),
      row("log1p", log1p, {-2, -inf}, {nan, nan}, {}, {}, ieee),
      row("sqrt", sqrt, {0, -0., 4, inf, nan}, {0, -0., 2, inf, nan}, V{inf, inf, .25, 0, nan},
          V{-inf, -inf, -.03125, 0, nan}, ieee),
      row("sqrt", sqrt, {-1, -inf}, {nan, nan}, V{nan, nan}, V{nan, nan}, ieee),
      row("rsqrt", rsqrt, {0, 4, inf, nan}, {inf, .5, 0, nan}, V{-inf, -.0625, 0, nan},
          V{inf, .0234375, 0, nan}, ieee),
      row("rsqrt", rsqrt, {-1, -1e38}, {nan, nan}, V{nan, nan}, V{nan, nan}, ieee),
      row("square", square, {0, -0., 3, inf, -inf}, {0, 0, 9, inf, inf}, V{0, 0, 6, inf, -inf}, V(5, 2),
          ieee),
      row("square", square, {nan}, {nan}, V{nan}, {}, ieee),
      row("sin", sin, {0, -0., inf, -inf, nan}, {0, -0., nan, nan, nan}, V{1, 1, nan, nan, nan},
          V{0, 0, nan, nan, nan}, ieee),
      row("cos", cos, {0, -0., inf, -inf, nan}, {1, 1, nan, nan, nan}, V{0, 0, nan, nan, nan},
          V{-1, -1, nan, nan, nan}, ieee),
      row("tanh", tanh, {0, -0., inf, -inf, nan}, {0, -0., 1, -1, nan}, V{1, 1, 0, 0, nan},
          V{0, 0, 0, 0, nan}, ieee),
      row("erf", erf, {0, -0., inf, -inf, nan}, {0, -0., 1, -1, nan},
          V{slope_of_erf, slope_of_erf, 0, 0, nan}, V{0, 0, 0, 0, nan}, ieee),
      row("normal_cdf", normal_cdf, {0, -0., inf, -inf, nan}, {.5, .5, 1, 0, nan},
          V{density, density, 0, 0, nan}, V{0, 0, 0, 0, nan}),
      row("gaussian", gaussian, {0, -0., inf, -inf, nan}, {1, 1, 0, 0, nan}, V{0, 0, 0, 0, nan},
          V{-2, -2, 0, 0, nan}),
      row("normal_pdf", normal_pdf, {0, -0., inf, -inf, nan}, {density, density, 0, 0, nan},
          V{0, 0, 0, 0, nan}, V{-density, -density, 0, 0, nan}),
      row("logistic_pdf", logistic_pdf, {0, -0., inf, -inf, nan}, {.25, .25, 0, 0, nan}, V{0, 0, 0, 0, nan},
          V{-.125, -.125, 0, 0, nan}),
      row("strong_mul", strong_mul, {0, nan, inf, 2}, {inf, 0, nan, -inf}, {0, 0, nan, -inf},
          V{inf, 0, nan, -inf, 0, nan, inf, 2}, V(8, 1)),
      row("strong_div", strong_div, {0, 0, nan, 1}, {0, nan, inf, 0}, {0, 0, 0, inf}),
      row("strong_div", strong_div, {6, 0}, {2, 4}, {3, 0}, V{.5, .25, -1.5, 0}),
  };
}

}  // namespace

Specials special_elementwise() {
  Specials rows = arithmetic();
  for (auto part : {comparisons(), elementary()}) rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

Specials special_activations() {
  auto leaky = [](auto& in) { return leaky_relu(in[0], .25); };
  auto none = Reduction::none;
  auto binary = [=](auto& in) { return binary_cross_entropy_with_logits(in[0], in[1].detach(), none); };
  return {
      row("sigmoid", sigmoid, {0, -0., inf, -inf, nan}, {.5, .5, 1, 0, nan}, V{.25, .25, 0, 0, nan},
          V{0, 0, 0, 0, nan}),
      row("softplus", softplus, {0, -0., inf, -inf, nan}, {ln2, ln2, inf, 0, nan}, V{.5, .5, 1, 0, nan},
          V{.25, .25, 0, 0, nan}),
      row("relu", relu, {0, -0., 2, inf, -inf, nan}, {0, 0, 2, inf, 0, nan}, V{0, 0, 1, 1, 0, nan}, {},
          numpy),
      row("relu", relu, {0, 2, -2}, {0, 2, 0}, V{0, 1, 0}, V{0, 0, 0}, pytorch),
      {"leaky_relu",
       {{0, 2, -2, inf, -inf}},
       leaky,
       {0, 2, -.5, inf, -inf},
       V{.25, 1, .25, 1, .25},
       V(5, 0),
       pytorch},
      {"leaky_relu", {{nan}}, leaky, {nan}, {}, {}, pytorch},
      row("gelu", gelu, {0, -0., inf, -inf, nan}, {0, 0, inf, 0, nan}, V{.5, .5, 1, 0, nan},
          V{2 * density, 2 * density, 0, 0, nan}),
      row("silu", silu, {0, -0., inf, -inf, nan}, {0, 0, inf, 0, nan}, V{.5, .5, 1, 0, nan},
          V{.5, .5, 0, 0, nan}),
      {"binary_cross_entropy_with_logits",
       {{0, inf, inf, -inf, -inf, nan}, {1, 0, 1, 0, 1, 1}},
       binary,
       {ln2, inf, 0, 0, inf, nan},
       V{-.5, 1, 0, 0, -1, nan, 0, 0, 0, 0, 0, 0},
       V{.25, 0, 0, 0, 0, nan, 0, 0, 0, 0, 0, 0}},
      {"mse_loss",
       {{1, inf, nan}, {1, 2, 3}},
       [=](auto& in) { return mse_loss(in[0], in[1], none); },
       {0, inf, nan},
       V{0, inf, nan, 0, -inf, nan}},
  };
}

}  // namespace xgrad::tests
