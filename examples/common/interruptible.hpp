#pragma once
// Training that a signal ends after a step, with all of it saved.
#include <xgrad/nn/run/interrupt.hpp>
#include <xgrad/nn/run/run_folder.hpp>
#include <xgrad/nn/run/trainer.hpp>
#include "examples/common/program.hpp"

namespace xgrad {

/// fit(), which the first SIGINT, SIGTERM or SIGHUP ends by Interrupted when the step is done and the
/// checkpoint written.
template <class Model, class Loader>
void fit_interruptibly(Model& model, Optimizer& optimizer, Loader& loader, FitOptions options) {
  const Interrupt interrupt;
  options.stop = [&] { return interrupt.requested(); };
  fit(model, optimizer, loader, options);
  if (const int signal = interrupt.signal()) throw Interrupted{signal};
}

/// Says with what a resumed run goes on; nothing of one that is begun.
inline void tell_resumed(const RunFolder& folder) {
  if (folder.steps_done()) print("resuming after {} steps\n", folder.steps_done());
  if (!folder.other_build().empty())
    print("started by another build ({}): results may differ in the last bits from those of a single build\n",
          folder.other_build());
}

}  // namespace xgrad
