#pragma once
// Layers: parameters and a call operator. None has a backward pass; gradients are those of the operations.
#include <xgrad/nn/init.hpp>
#include <xgrad/nn/visit.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/conv.hpp>
#include <xgrad/ops/math.hpp>

namespace xgrad {
namespace detail {
/// "Relu()" for "relu".
std::string activation_text(std::string_view function);
}  // namespace detail

/// How a Linear begins.
struct LinearOptions {
  bool bias = true;  ///< whether there is one
  /// Of the weight; the bias then starts at 0. When not given, both are uniform within 1 / sqrt(fan_in), as
  /// PyTorch's are.
  Initializer init = {};
};
/// x weight' + bias: (..., in) -> (..., out), weight (out, in) as in PyTorch.
class Linear {
 public:
  /// From `in` to `out` features.
  Linear(long in, long out, const LinearOptions& options = {});
  /// linear(x, weight, bias).
  Variable operator()(const Variable& x) const;
  /// "Linear(4, 8)", for describe().
  std::string text() const;
  /// For visit() only: names the parameters.
  void each(auto&& f) { f("weight", weight), f("bias", bias); }

  ///@{
  /// The weight (out, in) and the bias (out,), which is undefined where there is none.
  Parameter weight, bias;
  ///@}
};

/// The geometry of a Conv2d, and how it begins.
struct Conv2dLayerOptions {
  Pair kernel = 3;        ///< size of the windows
  Pair stride = 1;        ///< from one window to the next
  Pair padding = 0;       ///< zeros on each side
  Pair dilation = 1;      ///< distance between the taps of the kernel
  long groups = 1;        ///< channels are split into so many independent convolutions
  bool bias = true;       ///< whether there is one
  Initializer init = {};  ///< as in LinearOptions
  bool direct = false;    ///< never by Winograd's algorithm; see Conv2dOptions
};
/// (N, in, H, W) -> (N, out, OH, OW), weight (out, in / groups, KH, KW); see conv2d.
class Conv2d {
 public:
  /// From `in` to `out` channels. Throws Error when the groups do not divide `in`.
  Conv2d(long in, long out, const Conv2dLayerOptions& options = {});
  /// conv2d(x, weight, bias, geometry).
  Variable operator()(const Variable& x) const;
  /// "Conv2d(3, 16, kernel=3, padding=1)", for describe().
  std::string text() const;
  /// For visit() only: names the parameters.
  void each(auto&& f) { f("weight", weight), f("bias", bias); }

  ///@{
  /// The weight (out, in / groups, KH, KW) and the bias (out,), which is undefined where there is none.
  Parameter weight, bias;
  ///@}
  Conv2dOptions geometry;  ///< of the windows
};

/// The geometry of a ConvTranspose2d, and how it begins.
struct ConvTranspose2dLayerOptions {
  Pair kernel = 3;          ///< size of the windows
  Pair stride = 1;          ///< from one window of the result to the next
  Pair padding = 0;         ///< what is cut off on each side of the result
  Pair output_padding = 0;  ///< added to the size of the result, where stride leaves it open
  Pair dilation = 1;        ///< distance between the taps of the kernel
  long groups = 1;          ///< channels are split into so many independent convolutions
  bool bias = true;         ///< whether there is one
  Initializer init = {};    ///< as in LinearOptions
  bool direct = false;      ///< never by Winograd's algorithm; see Conv2dOptions
};
/// (N, in, H, W) -> (N, out, OH, OW), weight (in, out / groups, KH, KW); see conv_transpose2d.
class ConvTranspose2d {
 public:
  /// From `in` to `out` channels. Throws Error when the groups do not divide `out`.
  ConvTranspose2d(long in, long out, const ConvTranspose2dLayerOptions& options = {});
  /// conv_transpose2d(x, weight, bias, geometry).
  Variable operator()(const Variable& x) const;
  /// "ConvTranspose2d(16, 3, kernel=3, stride=2)", for describe().
  std::string text() const;
  /// For visit() only: names the parameters.
  void each(auto&& f) { f("weight", weight), f("bias", bias); }

  ///@{
  /// The weight (in, out / groups, KH, KW) and the bias (out,), which is undefined where there is none.
  Parameter weight, bias;
  ///@}
  ConvTranspose2dOptions geometry;  ///< of the windows
};

/// How a BatchNorm normalises, and how it keeps its statistics.
struct BatchNormOptions {
  double eps = 1e-5;      ///< added to the variance
  double momentum = 0.1;  ///< of the running statistics: running = (1 - momentum) running + momentum batch
  bool affine = true;     ///< whether gamma (weight) and beta (bias) are trained
  bool scale = true;      ///< whether there is a gamma; without one it is 1
  bool unbiased = true;   ///< the running variance is divided by n - 1, as in PyTorch
  double initial_variance = 1;  ///< where the running variance starts
};
/// The book's batch normalisation (volume 1, page 188): biased variance, eps 1e-6, running statistics from 0.
inline constexpr BatchNormOptions book_batch_norm{.eps = 1e-6, .unbiased = false, .initial_variance = 0};
/// Batch normalisation over all axes but the second: (N, C, ...) -> the same. In evaluation by the running
/// statistics.
class BatchNorm {
 public:
  /// For inputs whose second axis has the length `channels`.
  explicit BatchNorm(long channels, const BatchNormOptions& options = {});
  /// batch_norm of x; in training it also moves the running statistics. Throws Error in training for one
  /// value a channel, as a batch of one sample (1, C) has.
  Variable operator()(const Variable& x) const;
  /// "BatchNorm(64)", for describe().
  std::string text() const;
  /// For visit() only: names the parameters and buffers.
  void each(auto&& f) {
    f("weight", weight), f("bias", bias), f("running_mean", running_mean), f("running_var", running_var);
  }

  ///@{
  /// Gamma and beta (channels,), unless the options want none: they start at 1 and at 0.
  Parameter weight, bias;
  ///@}
  ///@{
  /// The statistics of evaluation (channels,), which each batch of training moves; the mean starts at 0.
  mutable Buffer running_mean, running_var;
  ///@}
  BatchNormOptions options;  ///< as given
};

/// Normalisation over the last axes, whose lengths are given; weight and bias have their shape.
class LayerNorm {
 public:
  /// For inputs that end in `shape`; weight starts at 1 and bias at 0.
  explicit LayerNorm(const Shape& shape, double eps = 1e-5);
  /// layer_norm(x, weight, bias, eps).
  Variable operator()(const Variable& x) const;
  /// "LayerNorm((64,))", for describe().
  std::string text() const;
  /// For visit() only: names the parameters.
  void each(auto&& f) { f("weight", weight), f("bias", bias); }

  ///@{
  /// Gamma and beta, in the shape given.
  Parameter weight, bias;
  ///@}
  double eps;  ///< added to the variance
};

/// Drops each element with probability p in training. `inverted = false` is the book's way, which scales in
/// evaluation.
struct Dropout {
  double p = 0.5;        ///< the probability to be dropped
  bool inverted = true;  ///< those that stay are divided by 1 - p; false: evaluation multiplies by it
  /// dropout(x, p), by the default generator.
  Variable operator()(const Variable& x) const;
  /// "Dropout(p=0.5)", for describe().
  std::string text() const;
};

/// Rows of the weight (vocabulary, features) by index: integers (k...) -> (k..., features). Starts as N(0,
/// 1).
class Embedding {
 public:
  /// For indices in [0, vocabulary); N(0, 1) without an initialiser.
  Embedding(long vocabulary, long features, const Initializer& init = normal(1));
  /// embedding(weight, indices). Throws Error for an index out of range, and for indices that are not
  /// integers.
  Variable operator()(const Variable& indices) const;
  /// "Embedding(1000, 64)", for describe().
  std::string text() const;
  /// For visit() only: names the parameters.
  void each(auto&& f) { f("weight", weight); }

  Parameter weight;  ///< (vocabulary, features)
};

/// A function of one Variable as a layer.
template <Variable (*function)(const Variable&)>
struct Activation {
  /// function(x).
  Variable operator()(const Variable& x) const {
    const LayerCall call(*this);
    return function(x);
  }
  /// "Relu()", for describe().
  std::string text() const { return detail::activation_text(detail::spelled<function>()); }
};
using Relu = Activation<relu>;          ///< relu(x)
using Gelu = Activation<gelu>;          ///< gelu(x)
using Silu = Activation<silu>;          ///< silu(x)
using Sigmoid = Activation<sigmoid>;    ///< sigmoid(x)
using Softplus = Activation<softplus>;  ///< softplus(x)
using Tanh = Activation<tanh>;          ///< tanh(x); the bare name tanh may be that of the C library
/// leaky_relu(x, slope).
struct LeakyRelu {
  double slope = 0.01;  ///< where x is negative
  /// leaky_relu(x, slope).
  Variable operator()(const Variable& x) const;
  /// "LeakyRelu(slope=0.01)", for describe().
  std::string text() const;
};

/// Layers, models or functions of one Variable, one after another: Sequential net{Linear(4, 8), Tanh{},
/// Linear(8, 2)};
template <class... Layers>
class Sequential {
 public:
  /// Takes the layers over.
  Sequential(Layers... layers) : layers_(std::move(layers)...) {}
  /// x through all layers.
  Variable operator()(const Variable& x) const {
    Variable y = x;
    auto apply = [&](auto& layer) {
      const LayerCall call(layer);
      y = layer(y);
    };
    std::apply([&](auto&... layer) { (apply(layer), ...); }, layers_);
    return y;
  }
  /// For visit() only: names the layers "0", "1", ...
  void each(auto&& f) {
    std::size_t i = 0;
    std::apply([&](auto&... layer) { (f(std::to_string(i++), layer), ...); }, layers_);
  }

 private:
  std::tuple<Layers...> layers_;
};

/// n layers made from the same arguments: repeat<Linear>(3, 64, 64).
template <class Layer, class... Args>
std::vector<Layer> repeat(long n, const Args&... args) {
  std::vector<Layer> layers;
  for (long i = 0; i < n; ++i) layers.emplace_back(args...);
  return layers;
}

}  // namespace xgrad
