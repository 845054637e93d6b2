// Values, first and second gradients of the ops beside libtorch's, in f64.
#include <torch/torch.h>
#undef CHECK

#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/gradcheck.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"

namespace xgrad::tests {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

enum class Draw { normal, positive, alike };  // alike: -1, 0 and 1, so that many are equal

struct Row {
  const char* name;
  TestFunction ours;
  std::function<Tensor(const Tensors&)> theirs;
  std::vector<Shape> shapes;
  Draw draw = Draw::normal;
};

Array drawn(Generator& g, const Shape& shape, Draw draw) {
  if (draw == Draw::alike) return g.integers(shape, -1, 2).cast(DType::f64);
  return draw == Draw::positive ? g.uniform(shape, .2, 2, DType::f64) : g.normal(shape, 0, 1, DType::f64);
}
Tensor tensor(const Array& a) {
  const std::vector<long> shape(a.shape().begin(), a.shape().end());
  void* data = const_cast<char*>(a.bytes());
  return torch::from_blob(data, shape, a.dtype() == DType::i64 ? torch::kLong : torch::kDouble).clone();
}

/// "" when the elements agree to 1e-10.
std::string difference(const Array& ours, Tensor theirs) {
  const std::vector<long> shape(ours.shape().begin(), ours.shape().end());
  if (theirs.sizes() != at::IntArrayRef(shape)) return "their shape is not " + ours.shape().str();
  theirs = torch::zeros(shape, torch::kDouble) + theirs.detach();  // which may have no data where it is 0
  for (long i = 0; i < ours.size(); ++i) {
    const double a = ours.data<double>()[i], b = theirs.data_ptr<double>()[i];
    if (!(std::abs(a - b) <= 1e-10 * std::max(1.0, std::abs(b))))
      return fmt::format("element {}: {:.17g}, theirs {:.17g}", i, a, b);
  }
  return "";
}

/// Zeros where y does not depend on x.
Tensors gradients(const Tensor& y, const Tensors& xs, const Tensor& weights) {
  Tensors result = torch::autograd::grad({y}, xs, {weights}, true, true, true);
  for (std::size_t i = 0; i < xs.size(); ++i)
    if (!result[i].defined()) result[i] = torch::zeros_like(xs[i]);
  return result;
}

void check(const Row& row) {
  INFO(row.name);
  Generator g(7);
  std::vector<Variable> xs;
  Tensors ts;
  for (auto& shape : row.shapes) {
    const Array x = drawn(g, shape, row.draw);
    xs.emplace_back(x, requires_grad);
    ts.push_back(tensor(x).set_requires_grad(true));
  }
  const Variable y = row.ours(xs);
  const Tensor z = row.theirs(ts);
  CHECK(difference(y.data(), z) == "");
  const Array w = g.normal(y.shape(), 0, 1, DType::f64);
  const auto ours = grad(y, xs, {.create_graph = true, .grad_output = Variable(w)});
  const Tensors theirs = gradients(z, ts, tensor(w));
  Variable sum_ours(0.0);
  Tensor sum_theirs = torch::zeros({}, torch::kDouble);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    INFO("first gradient of input " << i);
    CHECK(difference(ours[i].data(), theirs[i]) == "");
    const Array u = g.normal(xs[i].shape(), 0, 1, DType::f64);
    sum_ours = sum_ours + sum(ours[i] * Variable(u));
    sum_theirs = sum_theirs + (theirs[i] * tensor(u)).sum();
  }
  if (!sum_theirs.requires_grad()) return;
  const Tensors second = gradients(sum_theirs, ts, torch::ones({}, torch::kDouble));
  const auto own = sum_ours.requires_grad() ? grad(sum_ours, xs) : std::vector<Variable>();
  for (std::size_t i = 0; i < xs.size(); ++i) {
    INFO("second gradient of input " << i);
    const Array mine = own.empty() ? zeros_like(xs[i].data()) : own[i].data();
    CHECK(difference(mine, second[i]) == "");
  }
}

const Array labels = array<std::int64_t>({2, 0, 1, 2, 2});
const Array pixels(Shape{2, 2, 2}, std::vector<std::int64_t>{0, 2, 1, 1, 2, 0, 0, 2});
const Array means = array<double>({.3, -1, 2}), variances = array<double>({.5, 1, 3});
const Array rows = array<std::int64_t>({3, 0, 3, 1});
const Array places(Shape{2, 4}, std::vector<std::int64_t>{0, 2, 1, 1, 2, 0, 0, 2});

}  // namespace

#define ROW(name, ours, theirs, ...)                                                               \
  check({name, [](auto& x) -> Variable { return ours; }, [](auto& t) -> Tensor { return theirs; }, \
         __VA_ARGS__})
using S = std::vector<Shape>;

TEST_CASE("arithmetic and elementary functions are libtorch's", "[libtorch]") {
  ROW("add", x[0] + x[1], t[0] + t[1], S{{3, 1, 5}, {4, 1}});
  ROW("sub", x[0] - x[1], t[0] - t[1], S{{3, 5}, {}});
  ROW("mul", x[0] * x[1], t[0] * t[1], S{{5}, {3, 5}});
  ROW("div", x[0] / x[1], t[0] / t[1], S{{3, 5}, {3, 1}}, Draw::positive);
  ROW("pow", pow(x[0], x[1]), torch::pow(t[0], t[1]), S{{3, 5}, {5}}, Draw::positive);
  ROW("square", pow(x[0], 2), torch::pow(t[0], 2), S{{33}});
  ROW("cube", pow(x[0], 3), torch::pow(t[0], 3), S{{33}});
  ROW("power -1", pow(x[0], -1), torch::pow(t[0], -1), S{{33}}, Draw::positive);
  ROW("power 0", pow(x[0], 0), torch::pow(t[0], 0), S{{33}}, Draw::alike);
  ROW("2^x", pow(2, x[0]), torch::pow(2, t[0]), S{{33}});
  ROW("abs", abs(x[0]), torch::abs(t[0]), S{{33}}, Draw::alike);
  ROW("maximum", maximum(x[0], x[1]), torch::maximum(t[0], t[1]), S{{33}, {33}}, Draw::alike);
  ROW("minimum", minimum(x[0], x[1]), torch::minimum(t[0], t[1]), S{{3, 5}, {5}}, Draw::alike);
  ROW("where", where(x[0] > 0, x[1], x[2]), torch::where(t[0] > 0, t[1], t[2]), S{{3, 1}, {5}, {3, 5}});
  ROW("clip", clip(x[0], -.5, 1), torch::clamp(t[0], -.5, 1), S{{33}}, Draw::alike);
  ROW("exp", exp(x[0]), torch::exp(t[0]), S{{33}});
  ROW("log", log(x[0]), torch::log(t[0]), S{{33}}, Draw::positive);
  ROW("log1p", log1p(x[0]), torch::log1p(t[0]), S{{33}}, Draw::positive);
  ROW("expm1", expm1(x[0]), torch::expm1(t[0]), S{{33}});
  ROW("sqrt", sqrt(x[0]), torch::sqrt(t[0]), S{{33}}, Draw::positive);
  ROW("rsqrt", rsqrt(x[0]), torch::rsqrt(t[0]), S{{33}}, Draw::positive);
  ROW("sin", sin(x[0]), torch::sin(t[0]), S{{33}});
  ROW("cos", cos(x[0]), torch::cos(t[0]), S{{33}});
  ROW("tanh", tanh(x[0]), torch::tanh(t[0]), S{{33}});
  ROW("erf", erf(x[0]), torch::erf(t[0]), S{{33}});
  ROW("normal_cdf", normal_cdf(x[0]), torch::special::ndtr(t[0]), S{{33}});
  ROW("sigmoid", sigmoid(x[0]), torch::sigmoid(t[0]), S{{33}});
  ROW("softplus", softplus(x[0] * 9), torch::softplus(t[0] * 9, 1, 100), S{{33}});
  ROW("relu", relu(x[0]), torch::relu(t[0]), S{{33}}, Draw::alike);
  ROW("leaky_relu", leaky_relu(x[0], .2), torch::leaky_relu(t[0], .2), S{{33}}, Draw::alike);
  ROW("gelu", gelu(x[0]), torch::gelu(t[0]), S{{5000}});
  ROW("silu", silu(x[0]), torch::silu(t[0]), S{{33}});
}

TEST_CASE("reductions, shape and index ops are libtorch's", "[libtorch]") {
  ROW("sum", sum(x[0], {0, -1}), t[0].sum(at::IntArrayRef{0, -1}), S{{3, 4, 5}});
  ROW("mean", mean(x[0], 1, keepdims), t[0].mean({1}, true), S{{3, 4, 5}});
  ROW("var", var(x[0], {0, 2}), t[0].var(at::IntArrayRef{0, 2}, false), S{{3, 4, 5}});
  ROW("max", max(x[0], {0, 2}), t[0].amax(at::IntArrayRef{0, 2}), S{{3, 4, 5}}, Draw::alike);
  ROW("min", min(x[0]), t[0].amin(), S{{3, 4, 5}}, Draw::alike);
  ROW("prod", prod(x[0], 1), t[0].prod(1), S{{3, 4}}, Draw::alike);
  ROW("logsumexp", logsumexp(x[0] * 9, 1), torch::logsumexp(t[0] * 9, 1), S{{3, 33}});
  ROW("cumsum", cumsum(x[0], 1), t[0].cumsum(1), S{{3, 17, 2}});
  ROW("transpose", transpose(x[0], {2, 0, 1}), t[0].permute({2, 0, 1}), S{{3, 4, 5}});
  ROW("flip", flip(x[0], {0, 2}), t[0].flip({0, 2}), S{{3, 4, 5}});
  ROW("slice", slice(x[0], 1, -5, 7, 2), t[0].slice(1, -5, 7, 2), S{{3, 9}});
  ROW("pad", pad(x[0], {{1, 2}, {0, 3}}, 7), torch::constant_pad_nd(t[0], {0, 3, 1, 2}, 7), S{{2, 3, 4}});
  ROW("concat", concat({x[0], x[1]}, 1), torch::cat({t[0], t[1]}, 1), S{{3, 2}, {3, 4}});
  ROW("stack", stack({x[0], x[1]}, -1), torch::stack({t[0], t[1]}, -1), S{{3, 2}, {3, 2}});
  ROW("gather", gather(x[0], 0, places), t[0].gather(0, tensor(places)), S{{3, 5}});
  ROW("scatter_add", scatter_add(x[0], 0, places, x[1]), t[0].scatter_add(0, tensor(places), t[1]),
      S{{3, 5}, {2, 4}});
  ROW("take", take(x[0], rows, 1), t[0].index_select(1, tensor(rows)), S{{3, 4, 2}});
  ROW("embedding", embedding(x[0], places), torch::embedding(t[0], tensor(places)), S{{5, 3}});
}

TEST_CASE("matrix products are libtorch's", "[libtorch]") {
  ROW("matrices", matmul(x[0], x[1]), torch::matmul(t[0], t[1]), S{{17, 33}, {33, 5}});
  ROW("stacks", matmul(x[0], x[1]), torch::matmul(t[0], t[1]), S{{2, 1, 3, 4}, {5, 4, 2}});
  ROW("vectors", matmul(x[0], x[1]), torch::matmul(t[0], t[1]), S{{33}, {33}});
  ROW("vector by stack", matmul(x[0], x[1]), torch::matmul(t[0], t[1]), S{{4}, {5, 4, 2}});
  ROW("stack by vector", matmul(x[0], x[1]), torch::matmul(t[0], t[1]), S{{5, 3, 4}, {4}});
  ROW("transposed", matmul(x[0], x[1], {.transpose_a = true, .transpose_b = true}),
      torch::matmul(t[0].mT(), t[1].mT()), S{{2, 4, 3}, {5, 4}});
  ROW("linear", linear(x[0], x[1], x[2]), torch::linear(t[0], t[1], t[2]), S{{2, 5, 3}, {4, 3}, {4}});
}

TEST_CASE("convolution and pooling are libtorch's", "[libtorch]") {
  const Conv2dOptions all{.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2};
  check({"conv2d with all options",
         [=](auto& x) { return conv2d(x[0], x[1], x[2], all); },
         [](auto& t) {
           return torch::conv2d(t[0], t[1], t[2], {2, 1}, {1, 2}, {1, 2}, 2);
         },
         {{2, 4, 7, 9}, {6, 2, 3, 2}, {6}}});
  ROW("conv2d", conv2d(x[0], x[1], {}, {.padding = 1}), torch::conv2d(t[0], t[1], {}, 1, 1),
      S{{2, 17, 9, 9}, {33, 17, 3, 3}});
  const ConvTranspose2dOptions transposed{
      .stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}, .dilation = {2, 1}, .groups = 2};
  check({"conv_transpose2d with all options",
         [=](auto& x) { return conv_transpose2d(x[0], x[1], x[2], transposed); },
         [](auto& t) {
           return torch::conv_transpose2d(t[0], t[1], t[2], {2, 3}, {1, 0}, {1, 2}, 2, {2, 1});
         },
         {{2, 4, 5, 3}, {4, 3, 3, 2}, {6}}});
  const WindowOptions w{.stride = {2, 1}, .padding = {1, 2}, .dilation = {2, 1}};
  check({"unfold",
         [=](auto& x) {
           return unfold(x[0], {2, 3}, w);
         },
         [](auto& t) {
           return torch::im2col(t[0], {2, 3}, {2, 1}, {1, 2}, {2, 1});
         },
         {{2, 3, 5, 7}}});
  check({"fold",
         [=](auto& x) {
           return fold(x[0], {5, 7}, {2, 3}, w);
         },
         [](auto& t) {
           return torch::col2im(t[0], {5, 7}, {2, 3}, {2, 1}, {1, 2}, {2, 1});
         },
         {{2, 18, 27}}});
  ROW("max_pool2d", max_pool2d(x[0], 2), torch::max_pool2d(t[0], 2), S{{2, 3, 7, 8}}, Draw::alike);
  ROW("max_pool2d, padded", max_pool2d(x[0], {3, 2}, {.stride = {2, 1}, .padding = 1}),
      torch::max_pool2d(t[0], {3, 2}, {2, 1}, 1), S{{2, 3, 7, 8}}, Draw::alike);
  ROW("avg_pool2d", avg_pool2d(x[0], {3, 2}, {.stride = {2, 1}, .padding = 1}),
      torch::avg_pool2d(t[0], {3, 2}, {2, 1}, 1), S{{2, 3, 7, 8}});
  ROW("global_avg_pool", global_avg_pool(x[0]), torch::adaptive_avg_pool2d(t[0], {1, 1}).flatten(1),
      S{{2, 3, 5, 7}});
}

TEST_CASE("normalisation, softmax and losses are libtorch's", "[libtorch]") {
  ROW("batch_norm", batch_norm(x[0], x[1], x[2], 1e-3).y,
      torch::batch_norm(t[0], t[1], t[2], {}, {}, true, .1, 1e-3, false), S{{4, 3, 5, 5}, {3}, {3}});
  ROW("batch_norm of rows", batch_norm(x[0], {}, {}).y,
      torch::batch_norm(t[0], {}, {}, {}, {}, true, .1, 1e-5, false), S{{17, 5}});
  ROW("batch_norm in evaluation", batch_norm(x[0], x[1], x[2], Variable(means), Variable(variances)),
      torch::batch_norm(t[0], t[1], t[2], tensor(means), tensor(variances), false, .1, 1e-5, false),
      S{{4, 3, 5, 5}, {3}, {3}});
  ROW("layer_norm", layer_norm(x[0], x[1], x[2]), torch::layer_norm(t[0], {3, 5}, t[1], t[2]),
      S{{4, 3, 5}, {3, 5}, {3, 5}});
  ROW("softmax", softmax(x[0], 1), torch::softmax(t[0], 1), S{{3, 17, 2}});
  ROW("log_softmax", log_softmax(x[0] * 9), torch::log_softmax(t[0] * 9, -1), S{{3, 17}});
  ROW("cross_entropy", cross_entropy(x[0], labels), torch::cross_entropy_loss(t[0], tensor(labels)),
      S{{5, 3}});
  ROW("cross_entropy, smoothed",
      cross_entropy(x[0], labels, {.label_smoothing = .1, .reduction = Reduction::sum}),
      torch::cross_entropy_loss(t[0], tensor(labels), {}, at::Reduction::Sum, -100, .1), S{{5, 3}});
  ROW("cross_entropy of images",
      cross_entropy(x[0], pixels, {.label_smoothing = .2, .reduction = Reduction::none}),
      torch::cross_entropy_loss(t[0], tensor(pixels), {}, at::Reduction::None, -100, .2), S{{2, 3, 2, 2}});
  ROW("cross_entropy of probabilities", cross_entropy(x[0], x[1], {.label_smoothing = .1}),
      torch::cross_entropy_loss(t[0], t[1], {}, at::Reduction::Mean, -100, .1), S{{5, 3}, {5, 3}},
      Draw::positive);
  ROW("nll_loss", nll_loss(x[0], labels, Reduction::none),
      torch::nll_loss(t[0], tensor(labels), {}, at::Reduction::None), S{{5, 3}});
  ROW("mse_loss", mse_loss(x[0], x[1]), torch::mse_loss(t[0], t[1]), S{{5, 3}, {5, 3}});
  ROW("binary_cross_entropy_with_logits", binary_cross_entropy_with_logits(x[0] * 9, x[1], Reduction::sum),
      torch::binary_cross_entropy_with_logits(t[0] * 9, t[1], {}, {}, at::Reduction::Sum), S{{5, 3}, {5, 3}});
}

}  // namespace xgrad::tests
