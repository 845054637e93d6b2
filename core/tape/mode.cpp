// What operations and layers on a thread depend on beside their arguments.
#include <xgrad/core/tape/mode.hpp>

#include <xgrad/core/tape/recompute.hpp>

namespace xgrad {
namespace {

thread_local bool is_training = true, is_recomputing = false;

}  // namespace

bool training() { return is_training; }
EvalMode::EvalMode() : training_(is_training, false) {}

bool recomputing() { return is_recomputing; }

namespace detail {

thread_local int substitutions = 0;

Surroundings::Surroundings() : generator_(thread_generator()), training_(is_training) {
  generator_.replayed = generator_.seeding != 0;
}
Surroundings::Again::Again(const Surroundings& then)
    : generator_(thread_generator(), then.generator_),
      training_(is_training, then.training_),
      recomputing_(is_recomputing, true) {}

}  // namespace detail
}  // namespace xgrad
