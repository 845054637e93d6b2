// Times the work that libtorch.cpp does too, under the same names: a line a case.
#include "bench/measure.hpp"

#include "core/lazy.hpp"
#include "core/memory.hpp"
#include "core/threads.hpp"
#include "nn/models/deep_convnet.hpp"
#include "nn/models/resnet.hpp"
#include "xgrad.hpp"

using namespace xgrad;
using bench::Work;

namespace {

/// Times a case, and adds the peak of the arrays' memory to its line.
template <class F>
void measure(const char* name, int repeats, F run, const Work& work = {}) {
  bench::time(
      name, repeats, run, work, [] { return fmt::format(" peak_mb={:.0f}", double(memory::peak()) / 1e6); },
      memory::reset_peak);
}

/// The elements of a result, computed: what makes lazy work happen.
void need(const Variable& x) { x.data().bytes(); }

void networks() {
  const Variable images = default_generator().uniform({100, 3, 32, 32});
  const Array labels = default_generator().integers({100}, 0, 10);
  {
    DeepConvNet net;
    Adam adam(parameters(net));
    measure("seed_step", 8,
            [&] {
              adam.zero_grad();
              cross_entropy(net(images), labels).backward();
              adam.step();
            },
            {.flop = 94.2e9});
    EvalMode eval;
    NoGrad off;
    measure("seed_forward", 8, [&] { need(net(images)); }, {.flop = 31.4e9});
  }
  Sequential mlp{Linear(3072, 100), BatchNorm(100), relu, Linear(100, 100), BatchNorm(100), relu,
                 Linear(100, 50),   BatchNorm(50),  relu, Linear(50, 10)};
  AdaGrad adagrad(parameters(mlp));
  const Variable flat = flatten(images);
  measure("mlp_step", 10,
          [&] {
            for (int i = 0; i < 50; ++i) {
              adagrad.zero_grad();
              cross_entropy(mlp(flat), labels).backward();
              adagrad.step();
            }
          },
          {.per = 50});
}

void residual_network() {
  const Variable images = default_generator().normal({128, 3, 32, 32});
  const Array labels = default_generator().integers({128}, 0, 10);
  ResNet net(3);
  Momentum sgd(parameters(net), {.lr = .1, .momentum = .9, .weight_decay = 1e-4});
  measure("resnet20_step", 8,
          [&] {
            sgd.zero_grad();
            cross_entropy(net(images), labels).backward();
            sgd.step();
          },
          {.flop = 31.1e9});
}

void scalars() {
  Variable x(ones({1}), requires_grad);
  const int n = 1000;  // y = y * x + x: two operations a round
  const Work work{.per = 2 * n, .unit = "ns_per_op", .scale = 1e9};
  measure(
      "scalar_forward", 20,
      [&] {
        Variable y = x;
        for (int i = 0; i < n; ++i) y = y * x + x;
      },
      work);
  measure(
      "scalar_forward_backward", 20,
      [&] {
        Variable y = x;
        for (int i = 0; i < n; ++i) y = y * x + x;
        y.backward();
        x.clear_grad();
      },
      work);
}

void kernels_alone() {
  NoGrad off;
  Generator& g = default_generator();
  const Variable a = g.normal({100, 64, 32, 32}), b = g.normal({100, 64, 32, 32}),
                 c = g.normal({1, 64, 1, 1});
  const Variable rows = g.normal({10000, 1000}), m = g.normal({1024, 1024});
  const double mb = 26.2144e6;
  measure("add", 10, [&] { need(a + b); }, {.bytes = 3 * mb});
  measure("mul_broadcast", 10, [&] { need(a * c); }, {.bytes = 2 * mb});
  measure("relu", 10, [&] { need(relu(a)); }, {.bytes = 2 * mb});
  measure("exp", 10, [&] { need(exp(a)); }, {.bytes = 2 * mb});
  measure("tanh", 10, [&] { need(tanh(a)); }, {.bytes = 2 * mb});
  measure("gelu", 10, [&] { need(gelu(a)); }, {.bytes = 2 * mb});
  measure("sum_nhw", 10, [&] { need(sum(a, {0, 2, 3})); }, {.bytes = mb});
  measure("mean_var_nhw", 10,
          [&] {
            const Variable average = mean(a, {0, 2, 3}, keepdims), spread = var(a, {0, 2, 3});
            need(average), need(spread);
          },
          {.bytes = mb});
  measure("max_pool2d", 10, [&] { need(max_pool2d(a, 2)); }, {.bytes = 1.25 * mb});
  measure("transpose_nhwc", 10, [&] { need(transpose(a, {0, 2, 3, 1})); }, {.bytes = 2 * mb});
  measure("log_softmax_10000x1000", 10, [&] { need(log_softmax(rows, 1)); }, {.bytes = 80e6});
  measure("matmul_1024", 10, [&] { need(matmul(m, m)); }, {.flop = 2.0 * 1024 * 1024 * 1024});
}

void block() {
  Sequential net{Conv2d(64, 64, {.kernel = 3, .padding = 1, .bias = false}), BatchNorm(64), relu};
  Variable x(default_generator().normal({100, 64, 32, 32}), requires_grad);
  measure("conv_bn_relu_step", 6, [&] { sum(net(x)).backward(); });
}

}  // namespace

int main(int argc, char** argv) {
  bench::parse(argc, argv,
               "Times operations, layers and training steps: name=… ms=…, the best of several runs after a "
               "warm-up.");
  if (bench::options.threads) threads::set(bench::options.threads);
  manual_seed(1);
  fmt::print("# {} threads, packs of {} bytes\n", threads::count(), simd_bytes());
  networks();
  residual_network();
  scalars();
  kernels_alone();
  block();
}
