#pragma once
// Leaves from a few numbers, and values and gradients as a few numbers: what tests of single points are
// written with.
#include <cmath>

#include <xgrad/ops/ops.hpp>
#include "tests/helpers.hpp"

namespace xgrad::tests {

inline constexpr double nan = NAN, inf = INFINITY;
using V = std::vector<double>;

inline Variable leaf(const V& elements, DType dtype = DType::f64) {
  return Variable(Array({long(elements.size())}, elements).cast(dtype), requires_grad);
}
/// Of the sum of y; zeros where y does not depend on x.
inline V gradient(const Variable& y, const Variable& x) { return values(grad(y, {x})[0]); }
/// Of the sum of the gradient; zeros where that does not depend on x.
inline V second_gradient(const Variable& y, const Variable& x) {
  const Variable g = grad(y, {x}, {.create_graph = true})[0];
  return g.requires_grad() ? gradient(g, x) : V(std::size_t(x.size()), 0);
}
/// Equal to a relative error, where a NaN is equal to another and an infinity to itself alone.
inline bool same(const V& a, const V& b, double tolerance = 0) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [=](double x, double y) {
    return x == y || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= tolerance * std::abs(y);
  });
}

}  // namespace xgrad::tests
