// Trains on CIFAR-10: in seconds, or as the posts did in six hours.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/datasets/cifar.hpp>
#include <xgrad/datasets/synthetic.hpp>
#include <xgrad/nn/run/run_folder.hpp>
#include "examples/common/cifar10.hpp"
#include "examples/common/program.hpp"

using namespace xgrad;

namespace {

constexpr const char* description =
    "Trains a network on CIFAR-10. Without CIFAR-10 and without a network it trains on built-in pictures "
    "of shapes instead. A run that a signal interrupts is saved, and the command to resume it is shown.\n"
    "  fast    K. Jordan's airbench made small: the accuracy of the posts in seconds\n"
    "  90, 94  larger: 90 % and 94 % of the test images, in minutes\n"
    "  resnet  ResNet-20 as He et al. (2016) trained it, in hours: 164 epochs, SGD, crops and flips\n"
    "  posted  the posts' network: 12,500 steps of 100 images drawn with replacement, Adam, no "
    "augmentation";

void add_options(CLI::App& app, Cifar10Options& o) {
  const CLI::Range positive(1, 1'000'000'000, "POSITIVE");
  app.option_defaults()->always_capture_default();
  const auto* recipe = app.add_option("--recipe", o.recipe,
                                      "fast, 90, 94, resnet or posted; --epochs or --steps alone mean posted")
                           ->check(CLI::IsMember({"fast", "90", "94", "resnet", "posted"}));
  app.add_option("--seed", o.seed, "fixes the first weights, the batches, augmentation and dropout");
  app.add_option("--seeds", o.seeds, "run this many seeds, starting at --seed, and print a table")
      ->check(positive);
  app.add_option("--epochs", o.epochs,
                 "posted, resnet: how many epochs (default: 25, 164; 3 on the built-in shapes)")
      ->check(positive);
  app.add_option("--steps", o.steps,
                 "training steps; posted and resnet: in an epoch (default: 500, 100 on the built-in shapes; "
                 "resnet: each image once), others: in all, by tens (default: the recipe's)")
      ->check(positive);
  app.add_option("--batch", o.batch, "images in a step (default: the recipe's)")->check(positive);
  app.add_option("--data", o.data,
                 "folder that holds cifar-10-batches-bin (default: $XGRAD_DATA, the cache, a download)");
  app.add_option("--out", o.out, "folder for metrics, curves and parameters (default: a new one in runs/)")
      ->take_last();
  app.add_flag("--resume", o.resume,
               "resume the run in --out with its settings, bit for bit as if it had not been interrupted, "
               "or start it if there is none");
  app.add_option("--checkpoint-seconds", o.checkpoint_seconds,
                 "minimum time between checkpoints, besides those after each line of metrics")
      ->check(CLI::Range(0., 1e9, "SECONDS"));
  app.add_option_function<int>("--threads", threads::set,
                               "threads to use (default: $XGRAD_THREADS or all cores)")
      ->check(positive);
  app.add_flag(
      "--validation", o.validation,
      "train on the first 45,000 training images and test on the other 5,000: to choose settings by");
  app.add_flag("--profile", o.profile, "only profile a training step");
  app.add_flag("--synthetic", o.synthetic, "train on the built-in shapes");
  app.final_callback([&o, recipe] {
    if (!recipe->count() && (o.epochs || o.steps)) o.recipe = "posted";
    if (o.epochs && o.recipe != "posted" && o.recipe != "resnet")
      throw CLI::ValidationError("--recipe", "--epochs is for posted and resnet, not " + o.recipe);
  });
}

/// The real data, or the built-in shapes where there is none; says so.
Split find_data(Cifar10Options& o) {
  if (!o.synthetic) try {
      Split data = cifar10({.folder = o.data});
      if (!o.validation) return data;
      const long rest = data.train.size() - 5000;
      return {data.train.slice(0, rest), data.train.slice(rest, rest + 5000)};
    } catch (const DataUnavailable& e) {
      print("{}\n", e.what());
      o.synthetic = true;
    }
  print("Training on built-in pictures of shapes (ten classes) instead of photographs.\n");
  return shapes(10000, 1000, 0);
}

/// One run a seed, and a table of them.
void run_seeds(const Cifar10Options& options, const Split& data) {
  const auto train = options.recipe == "posted"   ? train_posted
                     : options.recipe == "resnet" ? train_resnet
                                                  : train_airbench;
  if (options.seeds == 1) {
    train(options, data);
    return;
  }
  std::string table = "  seed    accuracy    six views    seconds of training\n";
  double sum = 0, squares = 0;
  for (long i = 0; i < options.seeds; ++i) {
    Cifar10Options o = options;
    o.seed += std::uint64_t(i);
    if (!o.profile) o.out /= fmt::format("seed-{}", o.seed);
    const Cifar10Result r = train(o, data);
    table += fmt::format("{:6}    {:8.4f}    {:9.4f}    {:8.1f}\n", o.seed, r.accuracy, r.accuracy_with_views,
                         r.seconds);
    sum += r.accuracy;
    squares += r.accuracy * r.accuracy;
  }
  const double n = double(options.seeds), mean = sum / n;
  const double deviation = std::sqrt(std::max(0., squares / n - mean * mean) * n / (n - 1));
  print("\n{}  mean    {:8.4f}    standard deviation {:.4f}\n", table, mean, deviation);
}

int train(Cifar10Options o) {
  const Cifar10Options given = o;
  const Split data = find_data(o);
  if (!o.profile) {
    if (o.out.empty())
      o.out = new_run_folder(o.recipe == "posted" ? "cifar10" : fmt::format("cifar10-{}", o.recipe));
    std::vector<std::string> added;
    if (!given.resume) added.push_back("--resume");
    if (given.out.empty()) added.insert(added.end(), {"--out", o.out.string()});
    if (o.synthetic && !given.synthetic) added.push_back("--synthetic");
    go_on_with(added);
  }
  run_seeds(o, data);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Cifar10Options options;
  CLI::App app(description);
  add_options(app, options);
  return program(app, argc, argv, [&] { return train(options); });
}
