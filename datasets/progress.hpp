#pragma once
// The progress of a download: one line that is rewritten on a terminal, a line every 10 % in a log file.
#include <chrono>
#include <iosfwd>
#include <string>

namespace xgrad {

/// "43 %, 73.1 of 170.1 MB, 5.2 MB/s, 19 s left". `total` is 0 where it is not known; `fresh` of the `done`
/// bytes came in these `seconds` (the others were there before). MB are 10^6 bytes.
std::string download_progress_line(long done, long total, long fresh, double seconds);

/// Writes to `out` how far a download has got; ends the line when it is destroyed.
class DownloadProgress {
 public:
  /// `name` stands in front; on a `terminal` the line is rewritten.
  DownloadProgress(std::string name, std::ostream& out, bool terminal);
  ~DownloadProgress();
  DownloadProgress(const DownloadProgress&) = delete;
  DownloadProgress& operator=(const DownloadProgress&) = delete;
  /// `done` of `total` bytes are there; `total` is 0 as long as it is not known.
  void update(long done, long total);

 private:
  using Clock = std::chrono::steady_clock;
  std::string name_;
  std::ostream& out_;
  bool terminal_;
  Clock::time_point start_ = Clock::now(), shown_ = {};
  long first_ = -1;    // bytes that were there at the first call
  long tenths_ = 0;    // that have been written to the log
  bool open_ = false;  // a line is waiting for its end
};

}  // namespace xgrad
