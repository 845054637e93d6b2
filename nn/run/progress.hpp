#pragma once
// A line that shows how far long work has got: rewritten on a terminal, a line now and then in a log file.
#include <string>

#include <xgrad/core/base/stopwatch.hpp>

namespace xgrad {

/// "3:07" or "1:02:09" from seconds.
std::string clock_text(double seconds);

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
  std::string what_;
  long total_, first_;
  bool shown_, terminal_, open_ = false;
  Stopwatch watch_;
  double next_ = 0;  // seconds at which the bar is shown again
};

}  // namespace xgrad
