// Learning-rate schedules at their characteristic steps.
#include <xgrad/nn/schedule.hpp>

#include <cmath>

#include "tests/catch.hpp"

using namespace xgrad;
using tests::error_of;

TEST_CASE("schedules") {
  const Schedule step = step_lr(10, .5);
  CHECK(step(0) == 1);
  CHECK(step(9) == 1);
  CHECK(step(10) == .5);
  CHECK(step(25) == .25);

  const Schedule cosine = cosine_lr(100, .1);
  CHECK(cosine(0) == Approx(1));
  CHECK(cosine(50) == Approx(.55));
  CHECK(cosine(100) == Approx(.1));
  CHECK(cosine(1000) == Approx(.1));

  const Schedule linear = linear_lr(10);
  CHECK(linear(0) == 1);
  CHECK(linear(5) == Approx(.5));
  CHECK(linear(11) == Approx(0).margin(1e-12));

  const Schedule warm = warm_up_lr(4, step_lr(2, .5));
  CHECK(warm(0) == .25);
  CHECK(warm(3) == 1);
  CHECK(warm(4) == 1);
  CHECK(warm(6) == .5);

  const Schedule cycle = one_cycle_lr(100, .3, .04, 4e-6);
  CHECK(cycle(0) == Approx(.04));
  CHECK(cycle(29) == Approx(1));
  CHECK(cycle(99) == Approx(4e-6).margin(1e-12));
  CHECK(cycle(15) < cycle(20));
  CHECK(cycle(60) > cycle(80));

  CHECK(error_of([] { cosine_lr(0); }) == "cosine_lr: 0 is not a number of steps");
  CHECK(error_of([] { step_lr(0); }) == "step_lr: 0 is not a number of steps");
  CHECK(error_of([] { step_lr(1, NAN); }) == "step_lr: gamma is nan, not in [0, inf)");
  CHECK(error_of([] { cosine_lr(1, -1); }) == "cosine_lr: last is -1, not in [0, inf)");
  CHECK(error_of([] { linear_lr(1, INFINITY); }) == "linear_lr: last is inf, not in [0, inf)");
  CHECK(error_of([] { warm_up_lr(1, nullptr); }) == "warm_up_lr: the schedule that follows is null");
  CHECK(error_of([] { one_cycle_lr(10, .3, -1); }) == "one_cycle_lr: first is -1, not in [0, inf)");
}
