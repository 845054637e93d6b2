// Trains the posts' CIFAR-10 network, their figures beside ours.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/memory.hpp"
#include "core/profile.hpp"
#include "core/threads.hpp"
#include "datasets/cifar.hpp"
#include "datasets/loader.hpp"
#include "datasets/synthetic.hpp"
#include "examples/common/experiments.hpp"
#include "nn/models/deep_convnet.hpp"
#include "nn/progress.hpp"
#include "nn/run_folder.hpp"
#include "xgrad.hpp"

using namespace xgrad;

namespace {

// Accuracies that the posts report after each epoch of 500 steps: first 1,000 training and first 1,000 test
// images.
constexpr double reported[25][2] = {{.518, .511}, {.636, .635}, {.731, .703}, {.774, .740}, {.811, .754},
                                    {.839, .763}, {.873, .769}, {.878, .784}, {.908, .800}, {.901, .781},
                                    {.929, .796}, {.956, .803}, {.948, .817}, {.958, .799}, {.962, .808},
                                    {.956, .789}, {.965, .804}, {.962, .796}, {.967, .812}, {.962, .814},
                                    {.975, .800}, {.964, .796}, {.975, .804}, {.974, .798}, {.977, .810}};
constexpr double reported_final = .7912;  // all 10,000 test images

struct Options {
  std::optional<long> epochs, steps;
  long batch = 100;
  std::uint64_t seed = 1;
  std::optional<int> threads;
  std::filesystem::path data, out;
  bool synthetic = false, profile = false, resume = false;
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Trains the CIFAR-10 network of the posts: 12,500 steps of 100 images drawn with replacement, Adam, no "
      "augmentation.\n"
      "Without CIFAR-10 and without a network it trains on built-in pictures of shapes instead.");
  const CLI::Range positive(1, 1'000'000'000, "POSITIVE");
  app.option_defaults()->always_capture_default();
  app.add_option("--epochs", o.epochs, "how many epochs (default: 25; 3 on the built-in shapes)")
      ->check(positive);
  app.add_option("--steps", o.steps, "training steps in an epoch (default: 500; 100 on the built-in shapes)")
      ->check(positive);
  app.add_option("--batch", o.batch, "images in a step")->check(positive);
  app.add_option("--seed", o.seed, "fixes the first weights, the batches and the dropout");
  app.add_option("--data", o.data,
                 "folder that holds cifar-10-batches-bin (default: $XGRAD_DATA, the cache, a download)");
  app.add_option("--out", o.out, "folder for metrics.jsonl and parameters (default: a new one in runs/)");
  app.add_flag("--resume", o.resume,
               "go on with the run in --out, with its settings, bit for bit as if it had not "
               "been interrupted; begin it where there is none");
  app.add_option("--threads", o.threads, "threads to use (default: $XGRAD_THREADS or all cores)")
      ->check(positive);
  app.add_flag("--profile", o.profile, "only measure where the time of a training step goes");
  app.add_flag("--synthetic", o.synthetic, "train on the built-in shapes");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::exit(app.exit(e) ? 2 : 0);
  }
  return o;
}

/// The real data, or the built-in shapes where there is none; says so.
Split find_data(Options& o) {
  if (!o.synthetic) try {
      Split data = cifar10({.folder = o.data});
      o.epochs = o.epochs.value_or(25);
      o.steps = o.steps.value_or(500);
      return data;
    } catch (const DataUnavailable& e) {
      fmt::print("{}\n", e.what());
      o.synthetic = true;
    }
  fmt::print("Training on built-in pictures of shapes (ten classes) instead of photographs.\n");
  o.epochs = o.epochs.value_or(3);
  o.steps = o.steps.value_or(100);
  return shapes(10000, 1000, 0);
}

/// Times the operations of a training step.
void profile_step(DeepConvNet& net, Optimizer& optimizer, Loader& train) {
  constexpr long steps = 20;
  fit(net, optimizer, train, {.steps_per_epoch = 3, .loss = book_loss, .progress = false});  // warms up
  const Stopwatch clock;
  profile::start();
  fit(net, optimizer, train, {.steps_per_epoch = steps, .loss = book_loss, .progress = false});
  const double seconds = clock.seconds();
  fmt::print("A training step, the mean of {}, {} threads:\n{}", steps, threads::count(),
             profile::table(profile::stop(), seconds, steps));
}

void run(Options o) {
  if (o.threads) threads::set(*o.threads);
  const Split data = find_data(o);
  manual_seed(o.seed);
  DeepConvNet net;
  Adam adam(parameters(net), {.lr = 1e-3, .eps = 1e-7, .book = true});
  Loader train(data.train, {.batch = o.batch, .replacement = true, .seed = o.seed});
  if (o.profile) return profile_step(net, adam, train);

  RunFolder folder("cifar10", o.out, o.resume,
                   {{"experiment", "S4"},
                    {"network", find_experiment("S4")->title},
                    {"data", o.synthetic ? "shapes" : "cifar10"},
                    {"epochs", fmt::format("{}", *o.epochs)},
                    {"steps", fmt::format("{}", *o.steps)},
                    {"batch", fmt::format("{}", o.batch)},
                    {"seed", fmt::format("{}", o.seed)}});
  Loader first_train(data.train.first(1000), {.shuffle = false}),
      first_test(data.test.first(1000), {.shuffle = false});
  Loader all_test(data.test, {.shuffle = false});

  fmt::print(
      "{}: {} training images, {} epochs of {} steps of {} images, {} parameters, {} threads, seed {}\n",
      data.train.name, data.train.size(), *o.epochs, *o.steps, o.batch, parameter_count(net),
      threads::count(), o.seed);
  if (folder.steps_done()) fmt::print("going on after {} steps\n", folder.steps_done());
  fmt::print("                     accuracy of the first 1,000           reported\n");
  fmt::print("epoch   train loss   train    test      seconds      train    test\n");
  const Stopwatch whole;
  auto on_epoch = [&](const EpochReport& report) {
    const Score on_train = evaluate(net, first_train.epoch()), on_test = evaluate(net, first_test.epoch());
    const bool comparable = !o.synthetic && o.steps == 500 && o.batch == 100 && report.epoch <= 25;
    const auto* theirs = reported[comparable ? report.epoch - 1 : 0];
    fmt::print("{:5}   {:10.4f}   {:.3f}    {:.3f}   {:10.1f}   {}\n", report.epoch, report.train.loss,
               on_train.accuracy, on_test.accuracy, report.train.seconds,
               comparable ? fmt::format("   {:.3f}   {:.3f}", theirs[0], theirs[1]) : "");
    std::fflush(stdout);
    save(net, folder.parameters());
    folder.metrics().write({{"epoch", report.epoch},
                            {"step", report.steps},
                            {"train_loss", report.train.loss},
                            {"train_accuracy_1000", on_train.accuracy},
                            {"test_accuracy_1000", on_test.accuracy},
                            {"reported_train_accuracy_1000", comparable ? theirs[0] : NAN},
                            {"reported_test_accuracy_1000", comparable ? theirs[1] : NAN},
                            {"seconds", report.train.seconds}});
    return true;
  };
  fit(net, adam, train,
      {.epochs = *o.epochs,
       .steps_per_epoch = *o.steps,
       .loss = book_loss,
       .checkpoint = folder.checkpoint(),
       .on_epoch = on_epoch});

  const auto accuracies = folder.metrics().column("test_accuracy_1000"),
             times = folder.metrics().column("seconds");
  const double best = *std::max_element(accuracies.begin(), accuracies.end());
  const double seconds = std::accumulate(times.begin(), times.end(), 0.);
  const Score final_score = evaluate(net, all_test.epoch());
  fmt::print("best on the first 1,000 test images: {:.3f}{}\n", best,
             o.synthetic ? "" : " (reported: .817, in the title .814)");
  fmt::print("final on all {} test images: {:.4f}{}\n", final_score.samples, final_score.accuracy,
             o.synthetic ? "" : fmt::format(" (reported after 25 epochs: {:.4f})", reported_final));
  folder.metrics().write({{"final_test_accuracy", final_score.accuracy},
                          {"final_test_images", final_score.samples},
                          {"training_seconds", seconds},
                          {"peak_mb", double(memory::peak()) / 1e6}});
  const bool drawn = plot_curves(folder.path() / "metrics.jsonl", folder.path() / "curves.svg");
  fmt::print("{} of training, {} with evaluations; metrics, parameters{} in {}\n", clock_text(seconds),
             clock_text(whole.seconds()), drawn ? " and curves" : "", folder.path().string());
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  try {
    run(options);
  } catch (const std::exception& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
}
