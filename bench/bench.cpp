// Times the work that libtorch.cpp does too, under the same names: a line a case.
#include "bench/measure.hpp"

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <thread>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/base/digest.hpp>
#include <xgrad/core/base/memory.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/nn/models/deep_convnet.hpp>
#include <xgrad/nn/models/resnet.hpp>
#include <xgrad/nn/run/training_state.hpp>
#include <xgrad/xgrad.hpp>

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
void evaluate(const Variable& x) { evaluate(x.data()); }

/// The network at less memory: the first stage, whose data is the largest, is computed again in backward,
/// half of the batch at a time.
Variable with_checkpoints(const DeepConvNet& net, const Variable& images) {
  auto stage = [](const Conv2d& a, const Conv2d& b) {
    return [&](Variable x) {
      x = a(x);
      x = relu(x);  // a statement each: nobody holds what has been used, and its memory is written in place
      x = b(x);
      x = relu(x);
      return max_pool2d(x, 2);
    };
  };
  const auto first = stage(net.conv1, net.conv2);
  const long half = images.shape()[0] / 2;
  Variable x = concat({checkpoint(first, slice(images, 0, 0, half)),
                       checkpoint(first, slice(images, 0, half, images.shape()[0]))});
  x = stage(net.conv3, net.conv4)(x);
  x = flatten(stage(net.conv5, net.conv6)(x));
  x = dropout(relu(net.fc1(x)));
  return dropout(net.fc2(x));
}

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
    measure("seed_step_checkpoint", 8,
            [&] {
              adam.zero_grad();
              Variable loss = cross_entropy(with_checkpoints(net, images), labels);
              std::move(loss).backward();
              adam.step();
            },
            {.flop = 102.1e9});
    EvalMode eval;
    NoGrad off;
    measure("seed_forward", 8, [&] { evaluate(net(images)); }, {.flop = 31.4e9});
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
  measure("add", 10, [&] { evaluate(a + b); }, {.bytes = 3 * mb});
  measure("mul_broadcast", 10, [&] { evaluate(a * c); }, {.bytes = 2 * mb});
  measure("relu", 10, [&] { evaluate(relu(a)); }, {.bytes = 2 * mb});
  measure("exp", 10, [&] { evaluate(exp(a)); }, {.bytes = 2 * mb});
  measure("tanh", 10, [&] { evaluate(tanh(a)); }, {.bytes = 2 * mb});
  measure("gelu", 10, [&] { evaluate(gelu(a)); }, {.bytes = 2 * mb});
  measure("sum_nhw", 10, [&] { evaluate(sum(a, {0, 2, 3})); }, {.bytes = mb});
  measure("mean_var_nhw", 10,
          [&] {
            const Variable average = mean(a, {0, 2, 3}, keepdims), spread = var(a, {0, 2, 3});
            evaluate(average), evaluate(spread);
          },
          {.bytes = mb});
  measure("max_pool2d", 10, [&] { evaluate(max_pool2d(a, 2)); }, {.bytes = 1.25 * mb});
  measure("transpose_nhwc", 10, [&] { evaluate(transpose(a, {0, 2, 3, 1})); }, {.bytes = 2 * mb});
  measure("log_softmax_10000x1000", 10, [&] { evaluate(log_softmax(rows, 1)); }, {.bytes = 80e6});
  measure("matmul_1024", 10, [&] { evaluate(matmul(m, m)); }, {.flop = 2.0 * 1024 * 1024 * 1024});
}

void block() {
  Sequential net{Conv2d(64, 64, {.kernel = 3, .padding = 1, .bias = false}), BatchNorm(64), relu};
  Variable x(default_generator().normal({100, 64, 32, 32}), requires_grad);
  measure("conv_bn_relu_step", 6, [&] { sum(net(x)).backward(); });
}

/// An LSTM as one writes it by hand: 64 steps, 256 units, a batch of 32.
void recurrence() {
  const long steps = 64, batch = 32, units = 256;
  const Linear in(128, 4 * units), back(units, 4 * units);
  const Variable sequence = default_generator().normal({steps, batch, 128});
  measure("lstm_step", 4, [&] {
    Variable h(zeros({batch, units})), c(zeros({batch, units}));
    for (auto& x : split(in(sequence), std::vector<long>(steps, 1), 0)) {
      const auto gates = split(reshape(x, {batch, 4 * units}) + back(h), {units, units, units, units}, 1);
      c = sigmoid(gates[0]) * c + sigmoid(gates[1]) * tanh(gates[2]);
      h = sigmoid(gates[3]) * tanh(c);
    }
    sum(h).backward();
  });
}

/// A block of a causal transformer: a batch of 16, length 128, width 256, 4 heads.
void attention() {
  const long batch = 16, length = 128, width = 256, heads = 4, each = width / heads;
  const LayerNorm before(Shape{width}), between(Shape{width});
  const Linear qkv(width, 3 * width), merge(width, width), up(width, 4 * width), down(4 * width, width);
  const Array rows = arange(length).reshape({length, 1}), columns = arange(length);
  const Variable mask = where(Variable(columns) > Variable(rows), -INFINITY, zeros({length, length}));
  Variable x(default_generator().normal({batch, length, width}), requires_grad);
  measure("attention_step", 6, [&] {
    const Variable all = transpose(reshape(qkv(before(x)), {batch, length, 3, heads, each}), {2, 0, 3, 1, 4});
    auto part = [&](long i) { return reshape(slice(all, 0, i, i + 1), {batch, heads, length, each}); };
    const Variable scores = matmul(part(0), part(1), {.transpose_b = true}) / std::sqrt(double(each)) + mask;
    const Variable mixed = transpose(matmul(softmax(scores, -1), part(2)), {0, 2, 1, 3});
    const Variable y = x + merge(reshape(mixed, {batch, length, width}));
    sum(y + down(gelu(up(between(y))))).backward();
    x.clear_grad();
  });
}

/// Networks that are trained at once, each by a thread of its own with one for its kernels: ms are for a step
/// of one of them, so half of the time for two of them is twice the throughput.
void trainings() {
  const int cores = threads::count();
  threads::set(1);
  for (const auto& [name, count] : {std::pair("train_alone", 1), std::pair("train_in_two_threads", 2)})
    measure(name, 5,
            [&, count = count] {
              std::vector<std::thread> all;
              for (int i = 0; i < count; ++i)
                all.emplace_back([i] {
                  const RandomStream stream(i + 1);
                  Sequential net{Linear(256, 256), Relu{}, Linear(256, 256), Relu{}, Linear(256, 10)};
                  Adam adam(parameters(net));
                  const Variable x = default_generator().normal({64, 256});
                  const Array labels = default_generator().integers({64}, 0, 10);
                  for (int step = 0; step < 100; ++step) {
                    adam.zero_grad();
                    cross_entropy(net(x), labels).backward();
                    adam.step();
                  }
                });
              for (auto& thread : all) thread.join();
            },
            {.per = 100. * count});
  threads::set(cores);
}

/// Cases that write half a gigabyte run only by their names.
bool wants_files() {
  return std::any_of(bench::options.names.begin(), bench::options.names.end(), [](const std::string& name) {
    return name.starts_with("save_") || name.starts_with("load_") || name == "sha256_500mb";
  });
}
/// What saving costs, and what of it the checksums do. In the folder for temporary files.
void files() {
  const auto file =
      (std::filesystem::temp_directory_path() / fmt::format("xgrad-bench-{}", getpid())).string();
  DeepConvNet net;
  Adam adam(parameters(net));
  sum(square(net(default_generator().uniform({1, 3, 32, 32})))).backward();
  adam.step();  // it has its moments now
  const TrainingState posted{state(net), adam.state(), default_generator(), {}, {}};
  save_training(file, posted);
  const double posted_bytes = double(std::filesystem::file_size(file));
  measure("save_checkpoint", 10, [&] { save_training(file, posted); }, {.bytes = posted_bytes});
  measure("load_checkpoint", 10, [&] { load_training(file); }, {.bytes = posted_bytes});
  const Array large = default_generator().normal({125'000'000});
  const double bytes = double(large.byte_size());
  measure("save_500mb", 3, [&] { save_tensors(file, {{{"a", large}}, {}}); }, {.bytes = bytes});
  measure("load_500mb", 3, [&] { load_tensors(file); }, {.bytes = bytes});
  measure("sha256_500mb", 3,
          [&] {
            Digest digest;
            digest.add(large.bytes(), std::size_t(large.byte_size()));
            digest.hex();
          },
          {.bytes = bytes});
  std::filesystem::remove(file);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::program(
      argc, argv,
      "Times operations, layers and training steps: name=… ms=…, the best of several runs after a warm-up.",
      [] {
        if (bench::options.threads) threads::set(bench::options.threads);
        manual_seed(1);
        print("# {} threads, packs of {} bytes\n", threads::count(), simd_bytes());
        networks();
        residual_network();
        scalars();
        kernels_alone();
        block();
        recurrence();
        attention();
        trainings();
        if (wants_files()) files();
      });
}
