// What operations and layers on a thread depend on beside their arguments.
#include <xgrad/core/tape/mode.hpp>

#include <utility>

#include <xgrad/core/tape/recompute.hpp>

namespace xgrad {
namespace {

thread_local bool is_training = true, is_recomputing = false;

}  // namespace

bool training() { return is_training; }
EvalMode::EvalMode() : saved_(std::exchange(is_training, false)) {}
EvalMode::~EvalMode() { is_training = saved_; }

bool recomputing() { return is_recomputing; }

namespace detail {

Surroundings::Surroundings() : generator_(thread_generator()), training_(is_training) {
  generator_.replayed = generator_.seeding != 0;
}
Surroundings::Again::Again(const Surroundings& then)
    : generator_(std::exchange(thread_generator(), then.generator_)),
      training_(std::exchange(is_training, then.training_)),
      recomputing_(std::exchange(is_recomputing, true)) {}
Surroundings::Again::~Again() {
  thread_generator() = generator_;
  is_training = training_;
  is_recomputing = recomputing_;
}

}  // namespace detail
}  // namespace xgrad
