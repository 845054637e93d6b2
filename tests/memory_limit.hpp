#pragma once
// A process that may have so much memory and no more.
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define XGRAD_ADDRESS_SANITIZER
#endif
#endif

namespace xgrad::tests {

/// While one is alive the process has `room` bytes more than at its start. Under the address sanitizer, which
/// reserves its own without end, tests/main.cpp limits single blocks instead.
class MemoryLimit {
 public:
  /// Whether anything is limited.
#ifdef XGRAD_ADDRESS_SANITIZER
  static constexpr bool holds = false;
#else
  static constexpr bool holds = true;
#endif
  explicit MemoryLimit(long room) {
    getrlimit(RLIMIT_AS, &before_);
    if (!holds) return;
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit = before_;
    limit.rlim_cur = rlim_t(pages * sysconf(_SC_PAGESIZE) + room);
    setrlimit(RLIMIT_AS, &limit);
  }
  ~MemoryLimit() { setrlimit(RLIMIT_AS, &before_); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

 private:
  rlimit before_;
};

}  // namespace xgrad::tests
