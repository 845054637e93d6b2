// The same work as bench.cpp on libtorch: what its user gets in C++ on this machine.
#include <dlfcn.h>
#include <torch/torch.h>

#include "bench/measure.hpp"

namespace {

/// Times a case.
template <class F>
void measure(const char* name, int repeats, F run, const bench::Work& work = {}) {
  bench::time(name, repeats, run, work);
}
using torch::Tensor;
namespace nn = torch::nn;

/// nn/models/deep_convnet.hpp.
struct DeepConvNet : nn::Module {
  std::vector<nn::Conv2d> convolutions;
  nn::Linear fc1{4096, 1024}, fc2{1024, 10};
  nn::Dropout dropout{0.5};

  DeepConvNet() {
    long in = 3;
    for (long out : {64, 64, 128, 128, 256, 256}) {
      convolutions.emplace_back(nn::Conv2dOptions(in, out, 3).padding(1));
      register_module("conv" + std::to_string(convolutions.size()), convolutions.back());
      in = out;
    }
    register_module("fc1", fc1);
    register_module("fc2", fc2);
    register_module("dropout", dropout);
  }
  Tensor forward(Tensor x) {
    for (std::size_t i = 0; i < convolutions.size(); ++i) {
      x = torch::relu(convolutions[i](x));
      if (i % 2) x = torch::max_pool2d(x, 2);
    }
    x = dropout(torch::relu(fc1(x.flatten(1))));
    return dropout(fc2(x));
  }
};

nn::Conv2d conv3x3(long in, long out, long stride = 1) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false));
}

/// nn/models/resnet.hpp.
struct ResidualBlock : nn::Module {
  nn::Conv2d conv1, conv2;
  nn::BatchNorm2d bn1, bn2;
  long stride, added;

  ResidualBlock(long in, long out, long stride)
      : conv1(conv3x3(in, out, stride)),
        conv2(conv3x3(out, out)),
        bn1(out),
        bn2(out),
        stride(stride),
        added(out - in) {
    register_module("conv1", conv1);
    register_module("bn1", bn1);
    register_module("conv2", conv2);
    register_module("bn2", bn2);
  }
  Tensor forward(const Tensor& x) {
    Tensor shortcut = x;
    if (stride > 1)
      for (int axis : {2, 3}) shortcut = shortcut.slice(axis, 0, x.size(axis), stride);
    if (added) shortcut = torch::constant_pad_nd(shortcut, {0, 0, 0, 0, added / 2, added - added / 2});
    return torch::relu(bn2(conv2(torch::relu(bn1(conv1(x))))) + shortcut);
  }
};

struct ResNet : nn::Module {
  nn::Conv2d conv1 = conv3x3(3, 16);
  nn::BatchNorm2d bn1{16};
  std::vector<std::shared_ptr<ResidualBlock>> blocks;
  nn::Linear fc{64, 10};

  explicit ResNet(long n) {
    register_module("conv1", conv1);
    register_module("bn1", bn1);
    long in = 16;
    for (long width : {16, 32, 64})
      for (long i = 0; i < n; ++i) {
        blocks.push_back(std::make_shared<ResidualBlock>(in, width, i == 0 && width > 16 ? 2 : 1));
        register_module("block" + std::to_string(blocks.size()), blocks.back());
        in = width;
      }
    register_module("fc", fc);
  }
  Tensor forward(Tensor x) {
    x = torch::relu(bn1(conv1(x)));
    for (auto& block : blocks) x = block->forward(x);
    return fc(x.mean({2, 3}));
  }
};

void networks() {
  const Tensor images = torch::rand({100, 3, 32, 32}), labels = torch::randint(10, {100}, torch::kLong);
  auto loss = [&](const Tensor& logits) { return nn::functional::cross_entropy(logits, labels); };
  {
    DeepConvNet net;
    torch::optim::Adam adam(net.parameters(), 1e-3);
    measure("seed_step", 8,
            [&] {
              adam.zero_grad();
              loss(net.forward(images)).backward();
              adam.step();
            },
            {.flop = 94.2e9});
    net.eval();
    torch::NoGradGuard off;
    measure("seed_forward", 8, [&] { net.forward(images); }, {.flop = 31.4e9});
  }
  nn::Sequential mlp(nn::Linear(3072, 100), nn::BatchNorm1d(100), nn::ReLU(), nn::Linear(100, 100),
                     nn::BatchNorm1d(100), nn::ReLU(), nn::Linear(100, 50), nn::BatchNorm1d(50), nn::ReLU(),
                     nn::Linear(50, 10));
  torch::optim::Adagrad adagrad(mlp->parameters(), 0.01);
  const Tensor flat = images.flatten(1);
  measure("mlp_step", 10,
          [&] {
            for (int i = 0; i < 50; ++i) {
              adagrad.zero_grad();
              loss(mlp->forward(flat)).backward();
              adagrad.step();
            }
          },
          {.per = 50});
}

void residual_network() {
  const Tensor images = torch::randn({128, 3, 32, 32}), labels = torch::randint(10, {128}, torch::kLong);
  ResNet net(3);
  torch::optim::SGD sgd(net.parameters(), torch::optim::SGDOptions(.1).momentum(.9).weight_decay(1e-4));
  measure("resnet20_step", 8,
          [&] {
            sgd.zero_grad();
            nn::functional::cross_entropy(net.forward(images), labels).backward();
            sgd.step();
          },
          {.flop = 31.1e9});
}

void scalars() {
  Tensor x = torch::ones({1}).set_requires_grad(true);
  const int n = 1000;
  auto forward = [&] {
    Tensor y = x;
    for (int i = 0; i < n; ++i) y = y * x + x;
    return y;
  };
  const bench::Work work{.per = 2 * n, .unit = "ns_per_op", .scale = 1e9};
  measure("scalar_forward", 20, forward, work);
  measure(
      "scalar_forward_backward", 20,
      [&] {
        forward().backward();
        x.mutable_grad() = Tensor();
      },
      work);
}

void kernels_alone() {
  torch::NoGradGuard off;
  const Tensor a = torch::randn({100, 64, 32, 32}), b = torch::randn({100, 64, 32, 32});
  const Tensor c = torch::randn({1, 64, 1, 1}), rows = torch::randn({10000, 1000});
  const Tensor m = torch::randn({1024, 1024});
  const std::vector<std::int64_t> nhw{0, 2, 3};
  const double mb = 26.2144e6;
  measure("add", 10, [&] { return a + b; }, {.bytes = 3 * mb});
  measure("mul_broadcast", 10, [&] { return a * c; }, {.bytes = 2 * mb});
  measure("relu", 10, [&] { return torch::relu(a); }, {.bytes = 2 * mb});
  measure("exp", 10, [&] { return torch::exp(a); }, {.bytes = 2 * mb});
  measure("tanh", 10, [&] { return torch::tanh(a); }, {.bytes = 2 * mb});
  measure("gelu", 10, [&] { return torch::gelu(a); }, {.bytes = 2 * mb});
  measure("sum_nhw", 10, [&] { return a.sum(nhw); }, {.bytes = mb});
  measure("mean_var_nhw", 10, [&] { return torch::var_mean(a, nhw, /*unbiased=*/false); }, {.bytes = mb});
  measure("max_pool2d", 10, [&] { return torch::max_pool2d(a, 2); }, {.bytes = 1.25 * mb});
  measure("transpose_nhwc", 10, [&] { return a.permute({0, 2, 3, 1}).contiguous(); }, {.bytes = 2 * mb});
  measure("log_softmax_10000x1000", 10, [&] { return torch::log_softmax(rows, 1); }, {.bytes = 80e6});
  measure("matmul_1024", 10, [&] { return torch::matmul(m, m); }, {.flop = 2.0 * 1024 * 1024 * 1024});
}

void block() {
  nn::Sequential net(nn::Conv2d(nn::Conv2dOptions(64, 64, 3).padding(1).bias(false)), nn::BatchNorm2d(64),
                     nn::ReLU());
  const Tensor x = torch::randn({100, 64, 32, 32}).set_requires_grad(true);
  measure("conv_bn_relu_step", 6, [&] { net->forward(x).sum().backward(); });
}

/// The processor for which OpenBLAS computes, where libtorch's products are OpenBLAS's: half as fast for
/// Haswell as for SkylakeX where there is AVX-512.
std::string blas() {
  auto* core = reinterpret_cast<const char* (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return core ? fmt::format(", OpenBLAS for {}", core()) : "";
}

}  // namespace

int main(int argc, char** argv) {
  return bench::program(argc, argv, "Times the cases of bench on libtorch.", [] {
    if (bench::options.threads) torch::set_num_threads(bench::options.threads);
    torch::manual_seed(1);
    xgrad::print("# libtorch {}, {} threads{}\n", TORCH_VERSION, torch::get_num_threads(), blas());
    networks();
    residual_network();
    scalars();
    kernels_alone();
    block();
  });
}
