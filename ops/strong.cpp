// The strong product and quotient: each is its own rule.
#include <xgrad/ops/strong.hpp>

#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/arithmetic.hpp>

namespace xgrad {

Variable strong_mul(const Variable& a, const Variable& b) {
  if (tracing()) return traced("strong_mul", strong_mul, a, b);
  return elementwise(
      "strong_mul", [](auto x, auto y) { return pack::strong_mul(x, y); },
      {{a, [=](auto& gy) { return strong_mul(gy, b); }}, {b, [=](auto& gy) { return strong_mul(gy, a); }}});
}

Variable strong_div(const Variable& a, const Variable& b) {
  if (tracing()) return traced("strong_div", strong_div, a, b);
  return elementwise("strong_div", [](auto x, auto y) { return pack::strong_div(x, y); },
                     {{a, [=](auto& gy) { return strong_div(gy, b); }},
                      {b, [=](auto& gy, auto& y) { return -strong_div(strong_mul(gy, y), b); }}});
}

}  // namespace xgrad
