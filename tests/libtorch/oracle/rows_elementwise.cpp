// The elementwise operations of the oracle's table.
#include "tests/libtorch/oracle/row.hpp"

namespace xgrad::tests::oracle {
namespace {

Arguments limits(Generator& g, const Shapes&) {
  const double low = double(g.below(5)) - 3, ends[] = {low, low + 1, low + 2.5, INFINITY};
  return {.r = {low, ends[g.below(4)]}};
}
Arguments exponent(Generator& g, const Shapes&) {
  const double exponents[] = {-2, -1, -.5, 0, .5, 1, 2, 3, 2.5};
  return {.r = {exponents[g.below(9)]}};
}

}  // namespace

std::vector<Row> elementwise_rows() {
  return {
      ROW("add", two, none, x[0] + x[1], t[0] + t[1]),
      ROW("sub", two, none, x[0] - x[1], t[0] - t[1]),
      ROW("mul", two, none, x[0] * x[1], t[0] * t[1]),
      ROW("mul", two, none, x[0] * (x[1] - .5), t[0] * (t[1] - .5)),
      ROW("div", two, none, x[0] / x[1], t[0] / t[1]),
      ROW("div", two, none, x[0] / (abs(x[1]) + .5), t[0] / (torch::abs(t[1]) + .5)),
      ROW("neg", same, none, -x[0], -t[0]),
      ROW("pow", two, none, pow(x[0], x[1]), torch::pow(t[0], t[1])),
      ROW("pow", two, none, pow(abs(x[0]) + .5, x[1]), torch::pow(torch::abs(t[0]) + .5, t[1])),
      ROW("pow", same, exponent, pow(x[0], a.r[0]), torch::pow(t[0], a.r[0])),
      ROW("pow", same, none, pow(1.5, x[0]), torch::pow(1.5, t[0])),
      ROW("abs", same, none, abs(x[0]), torch::abs(t[0])),
      ROW("maximum", two, none, maximum(x[0], x[1]), torch::maximum(t[0], t[1])),
      ROW("minimum", two, none, minimum(x[0], x[1]), torch::minimum(t[0], t[1])),
      ROW("where", three, none, where(x[0] > 0, x[1], x[2]), torch::where(t[0] > 0, t[1], t[2])),
      ROW("clip", same, limits, clip(x[0], a.r[0], a.r[1]), torch::clamp(t[0], a.r[0], a.r[1])),
      ROW("equal", two, none, where(x[0] == x[1], x[0] * 2, x[1]),
          torch::where(t[0] == t[1], t[0] * 2, t[1])),
      ROW("not_equal", two, none, where(x[0] != x[1], x[0], x[1] * 2),
          torch::where(t[0] != t[1], t[0], t[1] * 2)),
      ROW("less", two, none, where(x[0] < x[1], x[0], x[1] * 2), torch::where(t[0] < t[1], t[0], t[1] * 2)),
      ROW("less_equal", two, none, where(x[0] <= x[1], x[0], x[1] * 2),
          torch::where(t[0] <= t[1], t[0], t[1] * 2)),
      ROW("greater", two, none, where(x[0] > x[1], x[0], x[1] * 2),
          torch::where(t[0] > t[1], t[0], t[1] * 2)),
      ROW("greater_equal", two, none, where(x[0] >= x[1], x[0], x[1] * 2),
          torch::where(t[0] >= t[1], t[0], t[1] * 2)),
      ROW("exp", same, none, exp(x[0]), torch::exp(t[0])),
      ROW("log", same, none, log(x[0]), torch::log(t[0])),
      ROW("log", same, none, log(abs(x[0]) + .5), torch::log(torch::abs(t[0]) + .5)),
      ROW("log1p", same, none, log1p(x[0]), torch::log1p(t[0])),
      ROW("log1p", same, none, log1p(abs(x[0])), torch::log1p(torch::abs(t[0]))),
      ROW("expm1", same, none, expm1(x[0]), torch::expm1(t[0]), saturates),
      ROW("sqrt", same, none, sqrt(x[0]), torch::sqrt(t[0])),
      ROW("sqrt", same, none, sqrt(square(x[0]) + .5), torch::sqrt(torch::square(t[0]) + .5), saturates),
      ROW("rsqrt", same, none, rsqrt(x[0]), torch::rsqrt(t[0])),
      ROW("rsqrt", same, none, rsqrt(abs(x[0]) + .5), torch::rsqrt(torch::abs(t[0]) + .5)),
      ROW("square", same, none, square(x[0]), torch::square(t[0])),
      ROW("sin", same, none, sin(x[0]), torch::sin(t[0])),
      ROW("cos", same, none, cos(x[0]), torch::cos(t[0])),
      ROW("tanh", same, none, tanh(x[0]), torch::tanh(t[0]), saturates),
      ROW("erf", same, none, erf(x[0]), torch::erf(t[0])),
      ROW("normal_cdf", same, none, normal_cdf(x[0]), torch::special::ndtr(t[0]), saturates),
      ROW("sigmoid", same, none, sigmoid(x[0]), torch::sigmoid(t[0]), saturates),
      ROW("softplus", same, none, softplus(x[0]), torch::softplus(t[0], 1, 100), saturates),
      ROW("relu", same, none, relu(x[0]), torch::relu(t[0])),
      ROW("leaky_relu", same, none, leaky_relu(x[0], .2), torch::leaky_relu(t[0], .2)),
      ROW("gelu", same, none, gelu(x[0]), torch::gelu(t[0]), saturates),
      ROW("gaussian", same, none, gaussian(x[0]), torch::exp(-torch::square(t[0]))),
      ROW("normal_pdf", same, none, normal_pdf(x[0]),
          torch::exp(-torch::square(t[0]) / 2) / std::sqrt(2 * M_PI)),
      ROW("logistic_pdf", same, none, logistic_pdf(x[0]), torch::sigmoid(t[0]) * torch::sigmoid(-t[0]),
          saturates),
      ROW("strong_mul", two, none, strong_mul(x[0], x[1]) + 0, t[0] * t[1] + 0),
      ROW("strong_div", two, none, strong_div(x[0], x[1]) + 0, t[0] / t[1] + 0),
      ROW("silu", same, none, silu(x[0]), torch::silu(t[0]), saturates),
  };
}

}  // namespace xgrad::tests::oracle
