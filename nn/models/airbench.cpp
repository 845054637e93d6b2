// The airbench network.
#include <xgrad/nn/models/airbench.hpp>

#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/nn/whitening.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/pool.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {
namespace {

constexpr BatchNormOptions shift_only{.eps = 1e-12, .momentum = .4, .scale = false};

/// U(+-1 / sqrt(fan_in)), the first filters the identity: filter i passes channel i on.
Array identity_filters(const Shape& shape) {
  Array w = uniform_fan_in()(shape);
  const long taps = shape[2] * shape[3], in = shape[1];
  float* data = w.mutable_data<float>();
  for (long f = 0; f < std::min(shape[0], in); ++f) {
    std::fill_n(data + f * in * taps, in * taps, 0.f);
    data[(f * in + f) * taps + taps / 2] = 1;
  }
  return w;
}

/// U(+-1 / sqrt(fan_in)) divided by its standard deviation.
Array unit_std(const Shape& shape) {
  const Variable w(uniform_fan_in()(shape));
  return (w / sqrt(var(w))).data();
}

Conv2d identity_conv(long in, long out) {
  return Conv2d(in, out, {.kernel = 3, .padding = 1, .bias = false, .init = identity_filters});
}

}  // namespace

AirbenchGroup::AirbenchGroup(long in, long out, long convolutions)
    : conv1(identity_conv(in, out)), norm1(out, shift_only) {
  expect(convolutions == 1 || convolutions == 2, "Airbench: a group has 1 or 2 convolutions, not {}",
         convolutions);
  if (convolutions == 1) return;
  conv2 = identity_conv(out, out);
  norm2 = BatchNorm(out, shift_only);
}

Variable AirbenchGroup::operator()(const Variable& x) const {
  const LayerCall call(*this);
  const Variable y = gelu(norm1(max_pool2d(conv1(x), 2)));
  return conv2 ? gelu((*norm2)((*conv2)(y))) : y;
}

Airbench::Airbench(const AirbenchOptions& o)
    : whitening(3, o.whitening, {.kernel = 2, .init = uniform_fan_in()}),
      head(o.widths[2], o.classes, {.bias = false, .init = unit_std}) {
  expect(o.whitening > 0 && o.whitening <= 24 && o.whitening % 2 == 0,
         "Airbench: {} channels of whitening are not an even number up to 24", o.whitening);
  whitening.bias.set_data(
      default_generator().uniform({o.whitening}, -1 / std::sqrt(12.), 1 / std::sqrt(12.)));
  groups.emplace_back(o.whitening, o.widths[0], o.first_convolutions);
  groups.emplace_back(o.widths[0], o.widths[1]);
  groups.emplace_back(o.widths[1], o.widths[2]);
}

void Airbench::whiten(const Array& images) {
  whitening.weight.set_data(whitening_filters(images, 2, 5e-4, whitening.weight.shape()[0] / 2));
  whitening.weight.set_requires_grad(false);
}

Variable Airbench::operator()(const Variable& images) const {
  Variable x = gelu(whitening(images));
  for (auto& group : groups) x = group(x);
  return head(flatten(max_pool2d(x, 3))) / double(head.weight.shape()[1]);
}

}  // namespace xgrad
