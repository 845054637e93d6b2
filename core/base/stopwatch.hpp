#pragma once
// How long something has taken.
#include <algorithm>
#include <chrono>

namespace xgrad {

/// Seconds since it was made: never negative, also where the system's clock jumps.
class Stopwatch {
 public:
  /// How many have passed.
  double seconds() const {
    return std::max(0., std::chrono::duration<double>(Clock::now() - start_).count());
  }

 private:
  using Clock = std::chrono::steady_clock;  // nobody sets it, but virtual machines and faketime do move it
  Clock::time_point start_ = Clock::now();
};

}  // namespace xgrad
