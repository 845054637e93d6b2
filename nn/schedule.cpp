// Learning-rate schedules.
#include <xgrad/nn/schedule.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace {

/// Half a cosine from a to b as t goes from 0 to 1.
double ease(double a, double b, double t) {
  return b + (a - b) * (1 + std::cos(std::numbers::pi * std::clamp(t, 0.0, 1.0))) / 2;
}

/// Throws Error unless the factor is finite and not negative.
void check_factor(const char* schedule, const char* option, double factor) {
  expect(factor >= 0 && factor < INFINITY, "{}: {} is {}, not in [0, inf)", schedule, option, factor);
}

}  // namespace

Schedule constant_lr() {
  return [](long) { return 1.0; };
}
Schedule step_lr(long every, double gamma) {
  expect(every > 0, "step_lr: {} is not a number of steps", every);
  check_factor("step_lr", "gamma", gamma);
  return [=](long step) { return std::pow(gamma, double(step / every)); };
}
Schedule cosine_lr(long total, double last) {
  expect(total > 0, "cosine_lr: {} is not a number of steps", total);
  check_factor("cosine_lr", "last", last);
  return [=](long step) { return ease(1, last, double(step) / double(total)); };
}
Schedule linear_lr(long total, double last) {
  expect(total > 0, "linear_lr: {} is not a number of steps", total);
  check_factor("linear_lr", "last", last);
  return [=](long step) { return 1 + (last - 1) * std::min(1.0, double(step) / double(total)); };
}
Schedule warm_up_lr(long steps, Schedule after) {
  expect(steps >= 0, "warm_up_lr: {} is not a number of steps", steps);
  expect(bool(after), "warm_up_lr: the schedule that follows is null");
  return [=](long step) { return step < steps ? double(step + 1) / double(steps) : after(step - steps); };
}
Schedule one_cycle_lr(long total, double rise, double first, double last) {
  expect(total > 0 && rise > 0 && rise < 1, "one_cycle_lr: {} steps with a rise of {}", total, rise);
  check_factor("one_cycle_lr", "first", first);
  check_factor("one_cycle_lr", "last", last);
  const double top = rise * double(total) - 1;  // PyTorch's: the peak falls on a step
  return [=](long step) {
    if (double(step) <= top) return top > 0 ? ease(first, 1, double(step) / top) : 1;
    return ease(1, last, (double(step) - top) / (double(total - 1) - top));
  };
}

}  // namespace xgrad
