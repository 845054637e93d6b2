// flock on a file.
#include <xgrad/core/base/lock.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace {

/// "process 17 on host since 2026-01-31 12:00:00 UTC".
std::string this_process() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  char now[32] = "";
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::strftime(now, sizeof now, "%Y-%m-%d %H:%M:%S UTC", &utc);
  return fmt::format("process {} on {} since {}", getpid(), host, now);
}

std::string text_of_lock(int file) {
  char text[300];
  const ssize_t n = pread(file, text, sizeof text, 0);
  return n > 0 ? std::string(text, std::size_t(n)) : "another process";
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder)
    : file_(std::filesystem::absolute(folder / "lock")), descriptor_(-1), process_(getpid()) {
  const std::string text = this_process();  // first: nothing may fail once the file is there
  for (;;) {
    descriptor_ =
        Descriptor(open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
    if (!descriptor_) fail("{}: cannot be created: {}", file_.string(), std::strerror(errno));
    if (flock(descriptor_.value(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      fail("{}: is in use by {}; wait until it has ended, or choose another folder", folder.string(),
           text_of_lock(descriptor_.value()));
    // Whoever held it may have removed the file since it was opened: then this lock is of no use.
    struct stat held {
    }, there{};
    if (fstat(descriptor_.value(), &held) == 0 && lstat(file_.c_str(), &there) == 0 &&
        held.st_ino == there.st_ino && held.st_dev == there.st_dev)
      break;
  }
  // For those who are refused only: without it they are told of another process.
  if (ftruncate(descriptor_.value(), 0) == 0) [[maybe_unused]]
    const auto written = pwrite(descriptor_.value(), text.data(), text.size(), 0);
}

FolderLock::~FolderLock() {
  if (process_ == getpid()) unlink(file_.c_str());
}

}  // namespace xgrad
