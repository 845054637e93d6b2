// The programs of the oracle as libtorch runs them, with noise where asked for.
#include "tests/libtorch/oracle/row.hpp"

namespace xgrad::tests::oracle {
namespace {

Array array_of(const at::Tensor& t) {
  const at::Tensor full = (torch::zeros(t.sizes(), torch::kDouble) + t.detach()).contiguous();
  const Shape shape(t.sizes().begin(), t.sizes().end());
  return Array(shape, std::span<const double>(full.data_ptr<double>(), std::size_t(full.numel())));
}

/// Draws the signs by which results are disturbed.
class Disturber {
 public:
  explicit Disturber(const Noise& noise) : noise_(noise), g_(noise.seed) {}

  at::Tensor operator()(const at::Tensor& y) { return noise_.size > 0 ? y * (1 + sign(y.sizes()) * noise_.size) : y; }
  /// Adds to y what has an absolute noise in value, first and second derivative with respect to x.
  at::Tensor cancel(const at::Tensor& y, const at::Tensor& x) {
    if (!(noise_.size > 0 && noise_.cancelling)) return y;
    const at::Tensor d = torch::where(torch::isfinite(x), x - x.detach(), torch::zeros_like(x));
    const at::Tensor whole = (sign(x.sizes()) * d).sum();
    at::Tensor added = whole * sign(y.sizes()) + whole * whole / 2 + sign(y.sizes());
    if (x.sizes() == y.sizes()) added = added + sign(x.sizes()) * d + sign(x.sizes()) * d * d / 2;
    return y + added * noise_.size;
  }

 private:
  at::Tensor sign(at::IntArrayRef sizes) {
    return tensor(g_.integers(Shape(sizes.begin(), sizes.end()), 0, 2).cast(DType::f64)) * 2 - 1;
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
    leaves.push_back(disturb(tensor(leaf)).set_requires_grad(true));
    values.push_back(leaves.back());
  }
  Results results;
  for (auto& i : p.code) {
    Tensors t;
    Shapes shapes;
    for (auto operand : i.operands) {
      t.push_back(values[operand]);
      shapes.emplace_back(t.back().sizes().begin(), t.back().sizes().end());
    }
    const Row& row = rows()[i.row];
    at::Tensor y = row.theirs(t, arguments_of(i, shapes));
    if (row.cancels) y = disturb.cancel(y, t[0]);
    values.push_back(disturb(y));
    results.values.push_back(array_of(values.back()));
  }
  Tensors first, second;
  for (auto& leaf : leaves) first.push_back(torch::zeros_like(leaf)), second.push_back(torch::zeros_like(leaf));
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
