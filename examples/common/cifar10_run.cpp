// The beginning and the end of a run of ./run cifar10, and its profile.
#include "examples/common/cifar10_run.hpp"

#include <xgrad/core/base/profile.hpp>
#include <xgrad/core/base/threads.hpp>
#include "examples/common/interruptible.hpp"

namespace xgrad {

void profile_steps(const std::function<void(long steps)>& train) {
  constexpr long steps = 20;
  train(3);  // warms up
  const Stopwatch clock;
  profile::start();
  train(steps);
  const double seconds = clock.seconds();
  print("A training step, the mean of {}, {} threads:\n{}", steps, threads::count(),
        profile::table(profile::stop(), seconds, steps));
}

void announce(const Cifar10Options& options, const Dataset& train, const std::string& steps, long parameters,
              const RunFolder& folder) {
  print("{}: {} training images, {}, {} parameters, {} threads, seed {}\n", train.name, train.size(), steps,
        parameters, threads::count(), options.seed);
  tell_resumed(folder);
}

void conclude(RunFolder& folder, const MetricsLog::Entries& last, const Stopwatch& whole) {
  const Drawing curves = folder.finish(last);
  print("{} of training, {} with evaluations{}; metrics, parameters{} in {}\n",
        clock_text(folder.training_seconds()), clock_text(whole.seconds()),
        folder.steps_done() ? " since it was resumed" : "", curves ? " and curves" : "",
        folder.path().string());
  if (!curves) print("no curves: {}\n", curves.failure);
}

}  // namespace xgrad
