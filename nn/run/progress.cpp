// Progress on standard error.
#include <xgrad/nn/run/progress.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace xgrad {

namespace {

/// That nobody can see it, as when standard error is a closed pipe, must not end the work.
void show(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace

std::string clock_text(double seconds) {
  const long s = std::max(0l, long(seconds + .5));
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

ProgressBar::ProgressBar(std::string what, long total, bool shown, long first)
    : what_(std::move(what)),
      total_(std::max(1l, total)),
      first_(first),
      shown_(shown),
      terminal_(isatty(STDERR_FILENO)) {
  if (!terminal_) next_ = 20;
}
ProgressBar::~ProgressBar() {
  if (open_) std::fputs("\r\033[K", stderr);
}

bool ProgressBar::due() const { return shown_ && watch_.seconds() >= next_; }

void ProgressBar::update(long done, const std::string& text) {
  if (!due()) return;
  const double share = double(done) / double(total_);
  const std::string left =
      done > first_ ? clock_text(watch_.seconds() * double(total_ - done) / double(done - first_)) + " left"
                    : "";
  if (terminal_) {
    constexpr int cells = 24;
    const int full = int(share * cells);
    const std::string bar = std::string(std::size_t(full), '=') + std::string(std::size_t(cells - full), ' ');
    show(fmt::format("\r\033[K{} [{}] {}/{}  {}  {}", what_, bar, done, total_, text, left));
    open_ = true;
    next_ = watch_.seconds() + .1;
  } else {
    show(fmt::format("{} {}/{}  {}  {}\n", what_, done, total_, text, left));
    next_ = watch_.seconds() + 20;
  }
}

}  // namespace xgrad
