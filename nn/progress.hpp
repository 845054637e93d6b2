#pragma once
// A line that shows how far long work has got: rewritten on a terminal, a line now and then in a log file.
#include <chrono>
#include <string>

namespace xgrad {

/// "3:07" or "1:02:09" from seconds.
std::string clock_text(double seconds);

/// Seconds since it was made.
class Stopwatch {
 public:
  /// How many have passed.
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// A bar on standard error with a text behind it and the time left.
class ProgressBar {
 public:
  /// `total` steps; `first` of them are done already. `what` stands in front.
  ProgressBar(std::string what, long total, bool shown = true, long first = 0);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  /// `done` steps are done; `text` is shown behind the bar. Cheap to call at each step.
  void update(long done, const std::string& text);
  /// Whether the next update will be shown, so that its text is worth making.
  bool due() const;

 private:
  using Clock = std::chrono::steady_clock;
  double seconds() const;
  std::string what_;
  long total_, first_;
  bool shown_, terminal_, open_ = false;
  Clock::time_point start_ = Clock::now(), next_ = start_;
};

}  // namespace xgrad
