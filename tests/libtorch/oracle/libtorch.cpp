// The programs of the oracle as libtorch runs them, with noise where asked for.
#include "tests/libtorch/oracle/row.hpp"

namespace xgrad::tests::oracle {
namespace {

Array array_of(const at::Tensor& t) {
  const at::Tensor full = (torch::zeros(t.sizes(), torch::kDouble) + t.detach()).contiguous();
  const Shape shape(t.sizes().begin(), t.sizes().end());
  return Array(shape, std::span<const double>(full.data_ptr<double>(), std::size_t(full.numel())));
}

/// Draws what results are disturbed by.
class Disturber {
 public:
  explicit Disturber(const Noise& noise) : noise_(noise), g_(noise.seed) {}

  /// The value and the derivative of y are disturbed, each by noise of its own.
  at::Tensor operator()(const at::Tensor& y) {
    if (!(noise_.size > 0)) return y;
    return y + (y.detach() * some(y.sizes()) + moving(y) * some(y.sizes())) * noise_.size;
  }
  /// Adds to y what has an absolute noise in value, first and second derivative with respect to the first
  /// operand.
  at::Tensor absolute(const at::Tensor& y, const Tensors& t, Inexact inexact) {
    if (!(noise_.size > 0 && noise_.absolute) || inexact == Inexact::no) return y;
    const at::Tensor d = moving(t[0]);
    at::Tensor whole = (some(d.sizes()) * torch::where(d == d, d, torch::zeros_like(d))).sum();
    for (std::size_t i = 1; i < t.size(); ++i) whole = whole + (some(t[i].sizes()) * moving(t[i])).sum();
    // Not to what is NaN, whose gradient would go to all elements.
    at::Tensor added = torch::where(y == y, whole * some(y.sizes()) + whole * whole / 2 + some(y.sizes()),
                                    torch::zeros({}, y.options()));
    if (d.sizes() == y.sizes()) added = added + some(d.sizes()) * d + some(d.sizes()) * d * d / 2;
    if (d.sizes() == y.sizes()) {  // what is 0 at 0 does not saturate there: gelu(1e-18) has all its digits
      const at::Tensor x = t[0].detach().abs();
      added = added * torch::where(y.detach().abs() <= x, x.clamp_max(1), torch::ones({}, y.options()));
    }
    if (inexact == Inexact::centred)  // divided by .1 at least, times gamma
      return y + added * (10 * noise_.size * (1 + largest(t[0])) *
                          (t.size() > 1 ? largest(t[1]) : torch::ones({})));
    for (std::size_t i = 1; i < t.size(); ++i)  // targets, or their squares, are factors
      added = added * torch::square(1 + largest(t[i]));
    return y + added * noise_.size;
  }

 private:
  /// 0, with the derivative of y where y is finite.
  static at::Tensor moving(const at::Tensor& y) {
    return torch::where(torch::isfinite(y), y - y.detach(), torch::zeros_like(y));
  }
  static at::Tensor largest(const at::Tensor& y) {
    const at::Tensor finite = torch::where(torch::isfinite(y), y, torch::zeros_like(y)).flatten();
    return torch::cat({finite, torch::zeros({1}, torch::kDouble)}).abs().amax();
  }
  /// Numbers in [-1, 1] that do not add up to 0.
  at::Tensor some(at::IntArrayRef sizes) {
    return tensor(g_.uniform(Shape(sizes.begin(), sizes.end()), -1, 1, DType::f64));
  }
  Noise noise_;
  Generator g_;
};

/// Zeros where y does not depend on x.
Tensors gradients(const at::Tensor& y, const Tensors& xs, const at::Tensor& weights) {
  Tensors result = torch::autograd::grad({y}, xs, {weights}, true, true, true);
  for (std::size_t i = 0; i < xs.size(); ++i)
    if (!result[i].defined()) result[i] = torch::zeros_like(xs[i]);
  return result;
}

}  // namespace

std::string libtorch_version() { return TORCH_VERSION; }

Results theirs(const Program& p, const Noise& noise) {
  torch::set_num_threads(1);
  Disturber disturb(noise);
  Tensors leaves, values;
  for (auto& leaf : p.leaves) {
    leaves.push_back(tensor(leaf).set_requires_grad(true));
    values.push_back(leaves.back());
  }
  Results results;
  for (auto& i : p.code) {
    Tensors t;
    Shapes shapes;
    for (auto operand : i.operands) {
      t.push_back(disturb(values[operand]));
      shapes.emplace_back(t.back().sizes().begin(), t.back().sizes().end());
    }
    const Row& row = rows()[i.row];
    const at::Tensor y = disturb.absolute(row.theirs(t, arguments_of(i, shapes)), t, row.inexact);
    values.push_back(disturb(y));
    results.values.push_back(array_of(values.back()));
  }
  Tensors first, second;
  for (auto& leaf : leaves)
    first.push_back(torch::zeros_like(leaf)), second.push_back(torch::zeros_like(leaf));
  const at::Tensor& y = values.back();
  if (y.requires_grad()) {
    first = gradients(y, leaves, tensor(weights(0, results.values.back().shape())));
    at::Tensor all = torch::zeros({}, torch::kDouble);
    for (std::size_t i = 0; i < first.size(); ++i)
      all = all + (first[i] * tensor(weights(i + 1, p.leaves[i].shape()))).sum();
    if (all.requires_grad()) second = gradients(all, leaves, torch::ones({}, torch::kDouble));
  }
  for (auto& g : first) results.first.push_back(array_of(g));
  for (auto& g : second) results.second.push_back(array_of(g));
  return results;
}

}  // namespace xgrad::tests::oracle
