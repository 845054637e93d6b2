// The beginning and the end of a run of ./run cifar10, and its profile.
#include "examples/common/cifar10_run.hpp"

#include <fmt/format.h>

#include <numeric>

#include "core/memory.hpp"
#include "core/profile.hpp"
#include "core/threads.hpp"

namespace xgrad {

void profile_steps(const std::function<void(long steps)>& train) {
  constexpr long steps = 20;
  train(3);  // warms up
  const Stopwatch clock;
  profile::start();
  train(steps);
  const double seconds = clock.seconds();
  fmt::print("A training step, the mean of {}, {} threads:\n{}", steps, threads::count(),
             profile::table(profile::stop(), seconds, steps));
}

void announce(const Cifar10Options& options, const Dataset& train, const std::string& steps, long parameters,
              const RunFolder& folder) {
  fmt::print("{}: {} training images, {}, {} parameters, {} threads, seed {}\n", train.name, train.size(),
             steps, parameters, threads::count(), options.seed);
  if (folder.steps_done()) fmt::print("going on after {} steps\n", folder.steps_done());
}

Cifar10Result conclude(RunFolder& folder, double accuracy, long test_images, const Stopwatch& whole) {
  const auto times = folder.metrics().column("seconds");
  const double seconds = std::accumulate(times.begin(), times.end(), 0.);
  folder.metrics().write({{"final_test_accuracy", accuracy},
                          {"final_test_images", test_images},
                          {"training_seconds", seconds},
                          {"peak_mb", double(memory::peak()) / 1e6}});
  const bool drawn = plot_curves(folder.path() / "metrics.jsonl", folder.path() / "curves.svg");
  fmt::print("{} of training, {} with evaluations; metrics, parameters{} in {}\n", clock_text(seconds),
             clock_text(whole.seconds()), drawn ? " and curves" : "", folder.path().string());
  return {accuracy, accuracy, seconds};
}

}  // namespace xgrad
