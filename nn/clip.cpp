// Clipping: norms in double, scaled where squares would overflow or vanish.
#include <xgrad/nn/clip.hpp>

#include <cmath>
#include <limits>
#include <set>

#include <xgrad/core/base/error.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduce.hpp>

namespace xgrad {
namespace {

/// Those that have a gradient, each once.
Parameters with_gradient(const Parameters& parameters) {
  Parameters found;
  std::set<const Node*> seen;
  for (auto& p : parameters)
    if (p.value.grad().defined() && seen.insert(p.value.node()).second) found.push_back(p);
  return found;
}

bool has_nan(const Variable& x) { return sum(cast(x != x, DType::f64)).item() > 0; }

/// A norm as a product, since it may be outside of the range where its factors are not.
struct Norm {
  double scale = 0, root = 1;
};
Norm norm_of(const Variable& x) {
  // Far from both ends of the range what a square may have lost does not show.
  const double quick = sum(square(x)).item();
  if (quick > 1e-20 && quick < 1e30) return {std::sqrt(quick)};
  const Variable wide = cast(x, DType::f64);
  const double squares = sum(square(wide)).item();
  if (std::isnan(squares) || (squares > 1e-280 && squares <= std::numeric_limits<double>::max()))
    return {std::sqrt(squares)};
  const double largest = x.size() == 0 ? 0 : max(abs(wide)).item();
  if (largest == 0 || std::isinf(largest)) return {largest};
  return {largest, std::sqrt(sum(square(wide / largest)).item())};
}

}  // namespace

double detail::norm(const Variable& x) {
  const Norm n = norm_of(x);
  return n.scale * n.root;
}

double clip_grad_norm(const Parameters& parameters, double max_norm) {
  expect(max_norm >= 0, "clip_grad_norm: {} is not a norm", max_norm);
  NoGrad off;
  const Parameters clipped = with_gradient(parameters);
  std::vector<Norm> norms;
  double largest = 0;
  for (auto& p : clipped) {
    norms.push_back(norm_of(p.value.grad()));
    expect(std::isfinite(norms.back().scale), "clip_grad_norm: the gradient of {} holds {}", p.name,
           std::isnan(norms.back().scale) ? "NaN" : "inf");
    largest = std::max(largest, norms.back().scale);
  }
  if (largest == 0) return 0;
  double squares = 0;
  for (auto& n : norms) squares += std::pow(n.scale / largest * n.root, 2);
  const double root = std::sqrt(squares), norm = largest * root;
  if (norm > max_norm)
    for (auto p : clipped) {
      const Variable wide = cast(p.value.grad(), DType::f64);  // the factor may be outside of f32's range
      p.value.mutable_grad() = cast(wide / largest * (max_norm / root), p.value.dtype()).data();
    }
  return norm;
}

void clip_grad_value(const Parameters& parameters, double limit) {
  expect(limit >= 0, "clip_grad_value: {} is not a limit", limit);
  NoGrad off;
  const Parameters clipped = with_gradient(parameters);
  for (auto& p : clipped)
    expect(!has_nan(p.value.grad()), "clip_grad_value: the gradient of {} holds NaN", p.name);
  for (auto p : clipped) p.value.mutable_grad() = clip(p.value.grad(), -limit, limit).data();
}

}  // namespace xgrad
