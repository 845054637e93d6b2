#pragma once
// What the recipes of ./run cifar10 do alike around the training itself.
#include <functional>
#include <string>

#include <xgrad/nn/run/progress.hpp>
#include <xgrad/nn/run/run_folder.hpp>
#include "examples/common/cifar10.hpp"

namespace xgrad {

/// Shows where the time of a training step goes; `train` takes so many steps.
void profile_steps(const std::function<void(long steps)>& train);

/// Says what is about to be trained; `steps` as in "500 steps of 100 images".
void announce(const Cifar10Options& options, const Dataset& train, const std::string& steps, long parameters,
              const RunFolder& folder);

/// Ends a run by its last line of metrics and its curves, and says where all that is; `whole` has run since
/// it began.
void conclude(RunFolder& folder, const MetricsLog::Entries& last, const Stopwatch& whole);

}  // namespace xgrad
