// Times the work that bench/libtorch.cpp does too, under the same names: a line a case.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <set>

#include "core/lazy.hpp"
#include "core/memory.hpp"
#include "core/threads.hpp"
#include "nn/models/deep_convnet.hpp"
#include "ops/kernels/gemm.hpp"
#include "xgrad.hpp"

using namespace xgrad;

namespace {

std::set<std::string> wanted;
int turns = 1;  // multiplies the repetitions

/// What a case is worth knowing beside its time.
struct Work {
  double per = 1;  ///< operations in one run: the time is given for one
  const char* unit = "ms";
  double scale = 1e3;
  double flop = 0, bytes = 0;  ///< of one run
};

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

template <class F>
void measure(const char* name, int repeats, F run, const Work& work = {}) {
  if (!wanted.empty() && !wanted.count(name)) return;
  using Clock = std::chrono::steady_clock;
  run();
  run();  // the pool of memory has all that it needs now
  memory::reset_peak();
  const long faults = page_faults();
  double best = 1e30;
  for (int i = 0; i < repeats * turns; ++i) {
    const auto start = Clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::string line = fmt::format("name={} {}={:.4g}", name, work.unit, best * work.scale / work.per);
  if (work.flop > 0) line += fmt::format(" gflops={:.0f}", work.flop / best / 1e9);
  if (work.bytes > 0) line += fmt::format(" gb_per_s={:.1f}", work.bytes / best / 1e9);
  line += fmt::format(" page_faults={:.1f} peak_mb={:.0f}",
                      double(page_faults() - faults) / (repeats * turns), double(memory::peak()) / 1e6);
  fmt::print("{}\n", line);
  std::fflush(stdout);
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
  CLI::App app(
      "Times operations, layers and training steps: name=… ms=…, the best of several runs after a warm-up.");
  int threads = 0;
  std::vector<std::string> names;
  app.add_option("names", names, "cases to run (default: all)");
  app.add_option("--threads", threads, "threads to use (default: $XGRAD_THREADS or all cores)");
  app.add_option("--turns", turns, "multiplies the repetitions")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  if (threads) threads::set(threads);
  wanted.insert(names.begin(), names.end());
  manual_seed(1);
  fmt::print("# {} threads, {}, packs of {} bytes\n", threads::count(), kernels::blas_name(), simd_bytes());
  networks();
  scalars();
  kernels_alone();
  block();
}
