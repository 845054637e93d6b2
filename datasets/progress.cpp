// How the progress of a download is written.
#include <xgrad/datasets/progress.hpp>

#include <fmt/format.h>

#include <cmath>
#include <ostream>

namespace xgrad {

std::string download_progress_line(long done, long total, long fresh, double seconds) {
  const double rate = seconds > 0 ? double(fresh) / seconds : 0;  // bytes per second
  std::string line = total ? fmt::format("{} %, {:.1f} of {:.1f} MB", 100 * done / total, double(done) * 1e-6,
                                         double(total) * 1e-6)
                           : fmt::format("{:.1f} MB", double(done) * 1e-6);
  if (rate > 0) line += fmt::format(", {:.1f} MB/s", rate * 1e-6);
  if (rate > 0 && total > done) {
    const long left = std::lround(std::ceil(double(total - done) / rate));
    line += left < 100 ? fmt::format(", {} s left", left) : fmt::format(", {} min left", (left + 30) / 60);
  }
  return line;
}

DownloadProgress::DownloadProgress(std::string name, std::ostream& out, bool terminal)
    : name_(std::move(name)), out_(out), terminal_(terminal) {}

DownloadProgress::~DownloadProgress() {
  if (open_) out_ << std::endl;
}

void DownloadProgress::update(long done, long total) {
  if (first_ < 0) first_ = done;
  if (done == first_) return;  // nothing has come yet
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const long fresh = done - first_;
  if (terminal_) {
    if (done != total && now - shown_ < std::chrono::milliseconds(100)) return;
    shown_ = now;
    const long filled = total ? 24 * done / total : 0;
    out_ << fmt::format("\r{} [{:.<24}] {}\033[K", name_, std::string(std::size_t(filled), '#'),
                        download_progress_line(done, total, fresh, seconds))
         << std::flush;
    open_ = true;
  } else if (total && 10 * done / total > tenths_) {
    tenths_ = 10 * done / total;
    out_ << name_ << ": " << download_progress_line(done, total, fresh, seconds) << std::endl;
  }
}

}  // namespace xgrad
