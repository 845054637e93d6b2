// A library that is loaded before the others: clocks that go back by an hour, every third time they are
// asked.
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <time.h>

#include <atomic>
#include <cstdio>

namespace {

std::atomic<long> asked = 0;
[[gnu::destructor]] void tell() { std::fprintf(stderr, "clocks went back %ld times\n", asked / 3); }

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  using Ask = int (*)(clockid_t, timespec*);
  static const auto ask = reinterpret_cast<Ask>(dlsym(RTLD_NEXT, "clock_gettime"));
  const int result = ask(clock, time);
  if (++asked % 3 == 0) time->tv_sec -= 3600;
  return result;
}
