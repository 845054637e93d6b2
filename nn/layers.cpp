// Layers: what they hold and which operation they call.
#include <xgrad/nn/layers.hpp>

#include <cctype>
#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/mode.hpp>
#include <xgrad/core/tape/recompute.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/norm.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {
namespace {

/// Where no initialiser is given, PyTorch's default: Kaiming uniform with a = sqrt(5).
Parameter first_weight(const Initializer& init, const Shape& shape) {
  return Parameter(init ? init(shape) : uniform_fan_in()(shape));
}

/// The bias of a layer with that weight; drawn after it.
Parameter first_bias(bool wanted, const Initializer& init, const Parameter& weight, long size) {
  if (!wanted) return {};
  if (init) return Parameter(zeros({size}));
  const double bound = fan_in_bound(weight.shape());
  return Parameter(default_generator().uniform({size}, -bound, bound));
}

Parameter maybe(bool wanted, const Shape& shape, double value = 0) {
  return wanted ? Parameter(full(shape, value)) : Parameter();
}

long divided(const char* layer, long channels, long groups) {
  expect(groups > 0 && channels % groups == 0, "{}: {} channels do not split into {} groups", layer, channels,
         groups);
  return channels / groups;
}

/// ", stride=2", or nothing for the default.
std::string option(const char* name, double value, double standard) {
  return value == standard ? "" : fmt::format(", {}={}", name, value);
}
std::string option(const char* name, bool value) { return value ? "" : fmt::format(", {}=false", name); }
std::string option(const char* name, const Pair& value, long standard) {
  if (value.h == standard && value.w == standard) return "";
  return value.h == value.w ? fmt::format(", {}={}", name, value.h)
                            : fmt::format(", {}=({}, {})", name, value.h, value.w);
}
/// What convolutions have in common; `in` and `out` for each group where the weight has them so.
std::string convolution(const char* name, long in, long out, const Shape& weight, const auto& geometry,
                        const std::string& more, bool bias) {
  return fmt::format("{}({}, {}", name, in, out) + option("kernel", Pair{weight[2], weight[3]}, 0) +
         option("stride", geometry.stride, 1) + option("padding", geometry.padding, 0) + more +
         option("dilation", geometry.dilation, 1) + option("groups", double(geometry.groups), 1) +
         option("bias", bias) + ")";
}

}  // namespace

std::string detail::activation_text(std::string_view function) {
  std::string text = std::string(function) + "()";
  text[0] = char(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

Linear::Linear(long in, long out, const LinearOptions& options)
    : weight(first_weight(options.init, {out, in})),
      bias(first_bias(options.bias, options.init, weight, out)) {}
Variable Linear::operator()(const Variable& x) const {
  const LayerCall call(*this);
  return linear(x, weight, bias);
}
std::string Linear::text() const {
  return fmt::format("Linear({}, {}{})", weight.dim(1), weight.dim(0), option("bias", bias.defined()));
}

Conv2d::Conv2d(long in, long out, const Conv2dLayerOptions& o)
    : weight(first_weight(o.init, {out, divided("Conv2d", in, o.groups), o.kernel.h, o.kernel.w})),
      bias(first_bias(o.bias, o.init, weight, out)),
      geometry{o.stride, o.padding, o.dilation, o.groups, o.direct} {}
Variable Conv2d::operator()(const Variable& x) const {
  const LayerCall call(*this);
  return conv2d(x, weight, bias, geometry);
}
std::string Conv2d::text() const {
  const Shape& w = weight.shape();
  return convolution("Conv2d", w[1] * geometry.groups, w[0], w, geometry, "", bias.defined());
}

ConvTranspose2d::ConvTranspose2d(long in, long out, const ConvTranspose2dLayerOptions& o)
    : weight(first_weight(o.init, {in, divided("ConvTranspose2d", out, o.groups), o.kernel.h, o.kernel.w})),
      bias(first_bias(o.bias, o.init, weight, out)),
      geometry{o.stride, o.padding, o.output_padding, o.dilation, o.groups, o.direct} {}
Variable ConvTranspose2d::operator()(const Variable& x) const {
  const LayerCall call(*this);
  return conv_transpose2d(x, weight, bias, geometry);
}
std::string ConvTranspose2d::text() const {
  const Shape& w = weight.shape();
  return convolution("ConvTranspose2d", w[0], w[1] * geometry.groups, w, geometry,
                     option("output_padding", geometry.output_padding, 0), bias.defined());
}

BatchNorm::BatchNorm(long channels, const BatchNormOptions& options)
    : weight(maybe(options.affine && options.scale, {channels}, 1)),
      bias(maybe(options.affine, {channels})),
      running_mean{zeros({channels})},
      running_var{full({channels}, options.initial_variance)},
      options(options) {
  const auto& [eps, momentum, affine, scale, unbiased, variance] = options;
  expect(eps >= 0 && eps < INFINITY, "BatchNorm: eps is {}, not in [0, inf)", eps);
  expect(momentum >= 0 && momentum <= 1, "BatchNorm: momentum is {}, not in [0, 1]", momentum);
  expect(variance >= 0 && variance < INFINITY, "BatchNorm: initial_variance is {}, not in [0, inf)",
         variance);
}

Variable BatchNorm::operator()(const Variable& x) const {
  const LayerCall call(*this);
  const long channels = running_mean.value.size();
  expect(x.rank() < 2 || x.shape()[1] == channels, "batch_norm: input {} has {} channels, the layer {}",
         x.shape(), x.shape()[1], channels);
  if (!training()) return batch_norm(x, weight, bias, running_mean.value, running_var.value, options.eps);
  const BatchNormResult result = batch_norm(x, weight, bias, options.eps);
  if (recomputing()) return result.y;  // this batch has been counted
  NoGrad off;
  const double n = double(x.size()) / double(x.shape()[1]), m = options.momentum;
  const double correction = options.unbiased ? n / (n - 1) : 1;
  auto update = [&](Buffer& running, const Variable& batch, double scale) {
    running.value = (running.value * (1 - m) + reshape(batch.detach(), {channels}) * (m * scale)).data();
    evaluate(running.value);  // a value that waits would keep the batch alive
  };
  update(running_mean, result.mean, 1);
  update(running_var, result.var, correction);
  return result.y;
}
std::string BatchNorm::text() const {
  const BatchNormOptions& o = options;
  return fmt::format("BatchNorm({}", running_mean.value.size()) + option("eps", o.eps, 1e-5) +
         option("momentum", o.momentum, .1) + option("affine", o.affine) + option("scale", o.scale) +
         option("unbiased", o.unbiased) + ")";
}

LayerNorm::LayerNorm(const Shape& shape, double eps) : weight(ones(shape)), bias(zeros(shape)), eps(eps) {
  expect(eps >= 0 && eps < INFINITY, "LayerNorm: eps is {}, not in [0, inf)", eps);
}
Variable LayerNorm::operator()(const Variable& x) const {
  const LayerCall call(*this);
  return layer_norm(x, weight, bias, eps);
}
std::string LayerNorm::text() const {
  return fmt::format("LayerNorm({}{})", weight.shape(), option("eps", eps, 1e-5));
}

Variable Dropout::operator()(const Variable& x) const {
  const LayerCall call(*this);
  return dropout(x, p, {.training = training(), .inverted = inverted});
}
std::string Dropout::text() const { return fmt::format("Dropout(p={}{})", p, option("inverted", inverted)); }

Variable LeakyRelu::operator()(const Variable& x) const {
  const LayerCall call(*this);
  return leaky_relu(x, slope);
}
std::string LeakyRelu::text() const { return fmt::format("LeakyRelu(slope={})", slope); }

Embedding::Embedding(long vocabulary, long features, const Initializer& init)
    : weight((init ? init : normal(1))({vocabulary, features})) {}
Variable Embedding::operator()(const Variable& indices) const {
  const LayerCall call(*this);
  return embedding(weight, indices);
}
std::string Embedding::text() const { return fmt::format("Embedding({}, {})", weight.dim(0), weight.dim(1)); }

}  // namespace xgrad
