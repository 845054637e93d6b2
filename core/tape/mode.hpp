#pragma once
// Training or evaluation: what dropout and batch normalisation ask.

#include <xgrad/core/base/scoped.hpp>

namespace xgrad {

/// Whether layers on this thread behave as in training (the default) or as in evaluation.
bool training();

/// While one is alive, layers on this thread behave as in evaluation: `EvalMode eval;`.
class [[nodiscard]] EvalMode {
 public:
  EvalMode();

 private:
  Scoped<bool> training_;
};

}  // namespace xgrad
