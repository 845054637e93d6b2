#pragma once
// Learning-rate schedules: the factor of the learning rate at each step, counted from 0.
#include <functional>

namespace xgrad {

/// The factor of the learning rate at a step, counted from 0.
using Schedule = std::function<double(long step)>;

/// 1 always.
Schedule constant_lr();
/// Times gamma after every `every` steps.
Schedule step_lr(long every, double gamma = 0.1);
/// From 1 to `last` along half a cosine over `total` steps, then `last` (Loshchilov and Hutter, 2017).
Schedule cosine_lr(long total, double last = 0);
/// From 1 to `last` along a straight line over `total` steps, then `last`.
Schedule linear_lr(long total, double last = 0);
/// Up to 1 along a straight line over the first `steps` steps (1/steps, 2/steps, ...), then `after` from its
/// start.
Schedule warm_up_lr(long steps, Schedule after = constant_lr());
/// Up from `first` to 1 in the first `rise` of `total` steps and down to `last`, both along half a cosine
/// (Smith, 2018).
Schedule one_cycle_lr(long total, double rise = 0.3, double first = 0.04, double last = 4e-6);

}  // namespace xgrad
