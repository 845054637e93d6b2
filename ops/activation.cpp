// Activation functions and their rules.
#include <xgrad/ops/activation.hpp>

#include <xgrad/core/array/pack_normal.hpp>
#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/attributes.hpp>
#include <xgrad/ops/density.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/strong.hpp>

namespace xgrad {
namespace {

/// g where y is positive, else 0: a strong product with the slope, which is NaN where y is.
Variable keep_positive(const Variable& g, const Variable& y) {
  return elementwise("keep_positive",
                     [](auto v, auto k) {
                       using P = decltype(v);
                       return pack::select(k > P(0) || v == P(0), v, k * P(0));
                     },
                     {{g, [=](auto& gy) { return keep_positive(gy, y); }}, {y}});
}

}  // namespace

Variable sigmoid(const Variable& x) {
  if (tracing()) return traced("sigmoid", sigmoid, x);
  return elementwise("sigmoid", [](auto v) { return pack::sigmoid(v); },
                     {{x, [=](auto& gy) { return strong_mul(gy, logistic_pdf(x)); }}});
}

Variable softplus(const Variable& x) {
  if (tracing()) return traced("softplus", softplus, x);
  return elementwise("softplus", [](auto v) { return pack::softplus(v); },
                     {{x, [=](auto& gy) { return strong_mul(gy, sigmoid(x)); }}});
}

Variable relu(const Variable& x) {
  if (tracing()) return traced("relu", relu, x);
  return elementwise("relu", [](auto v) { return pack::select(v <= decltype(v)(0), decltype(v)(0), v); },
                     {{x, [](auto& gy, auto& y) { return keep_positive(gy, y); }}});
}

Variable leaky_relu(const Variable& x, double slope) {
  if (tracing()) return traced("leaky_relu", leaky_relu, detail::Slope{slope}, x);
  return where(x > 0, x, x * slope);
}

// In one, as SiLU: a product would write normal_cdf(x) to a tile and read it again.
Variable gelu(const Variable& x) {
  if (tracing()) return traced("gelu", gelu, x);
  return elementwise(
      "gelu", [](auto v) { return pack::gelu(v); },
      {{x, [=](auto& gy) { return strong_mul(gy, normal_cdf(x) + strong_mul(x, normal_pdf(x))); }}});
}

Variable silu(const Variable& x) {
  if (tracing()) return traced("silu", silu, x);
  return elementwise(
      "silu", [](auto v) { return pack::silu(v); },
      {{x, [=](auto& gy) { return strong_mul(gy, sigmoid(x) + strong_mul(x, logistic_pdf(x))); }}});
}

}  // namespace xgrad
