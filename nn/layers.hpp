#pragma once
// Layers: parameters and a call operator. None has a backward pass; gradients are those of the operations.
#include "nn/init.hpp"
#include "nn/visit.hpp"
#include "ops/conv.hpp"

namespace xgrad {

struct LinearOptions {
  bool bias = true;
  Initializer init = {};  ///< of the weight; he() when not given. Biases start at 0.
};
/// x weight' + bias: (..., in) -> (..., out), weight (out, in) as in PyTorch.
class Linear {
 public:
  Linear(long in, long out, const LinearOptions& options = {});
  Variable operator()(const Variable& x) const;
  void each(auto&& f) { f("weight", weight), f("bias", bias); }

  Parameter weight, bias;
};

struct Conv2dLayerOptions {
  Pair kernel = 3;
  Pair stride = 1;
  Pair padding = 0;
  Pair dilation = 1;
  long groups = 1;
  bool bias = true;
  Initializer init = {};  ///< of the weight; he() when not given. Biases start at 0.
};
/// (N, in, H, W) -> (N, out, OH, OW), weight (out, in / groups, KH, KW); see conv2d.
class Conv2d {
 public:
  Conv2d(long in, long out, const Conv2dLayerOptions& options = {});
  Variable operator()(const Variable& x) const;
  void each(auto&& f) { f("weight", weight), f("bias", bias); }

  Parameter weight, bias;
  Conv2dOptions geometry;
};

struct ConvTranspose2dLayerOptions {
  Pair kernel = 3;
  Pair stride = 1;
  Pair padding = 0;
  Pair output_padding = 0;
  Pair dilation = 1;
  long groups = 1;
  bool bias = true;
  Initializer init = {};  ///< of the weight; he() when not given. Biases start at 0.
};
/// (N, in, H, W) -> (N, out, OH, OW), weight (in, out / groups, KH, KW); see conv_transpose2d.
class ConvTranspose2d {
 public:
  ConvTranspose2d(long in, long out, const ConvTranspose2dLayerOptions& options = {});
  Variable operator()(const Variable& x) const;
  void each(auto&& f) { f("weight", weight), f("bias", bias); }

  Parameter weight, bias;
  ConvTranspose2dOptions geometry;
};

struct BatchNormOptions {
  double eps = 1e-5;
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
  explicit BatchNorm(long channels, const BatchNormOptions& options = {});
  Variable operator()(const Variable& x) const;
  void each(auto&& f) {
    f("weight", weight), f("bias", bias), f("running_mean", running_mean), f("running_var", running_var);
  }

  Parameter weight, bias;
  mutable Buffer running_mean, running_var;
  BatchNormOptions options;
};

/// Normalisation over the last axes, whose lengths are given; weight and bias have their shape.
class LayerNorm {
 public:
  explicit LayerNorm(const Shape& shape, double eps = 1e-5);
  Variable operator()(const Variable& x) const;
  void each(auto&& f) { f("weight", weight), f("bias", bias); }

  Parameter weight, bias;
  double eps;
};

/// Drops each element with probability p in training. `inverted = false` is the book's way, which scales in
/// evaluation.
struct Dropout {
  double p = 0.5;
  bool inverted = true;
  Variable operator()(const Variable& x) const;
};

/// Rows of the weight (vocabulary, features) by index: i64 (k...) -> (k..., features). Starts as N(0, 1).
class Embedding {
 public:
  Embedding(long vocabulary, long features, const Initializer& init = normal(1));
  Variable operator()(const Array& indices) const;
  void each(auto&& f) { f("weight", weight); }

  Parameter weight;
};

/// Layers, models or functions of one Variable, one after another: Sequential net{Linear(4, 8), relu,
/// Linear(8, 2)};
template <class... Layers>
class Sequential {
 public:
  Sequential(Layers... layers) : layers_(std::move(layers)...) {}
  Variable operator()(const Variable& x) const {
    Variable y = x;
    std::apply([&](auto&... layer) { ((y = layer(y)), ...); }, layers_);
    return y;
  }
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
