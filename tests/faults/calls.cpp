// A library that is loaded before the others: lets one call to the system fail, or one allocation.
#undef _FILE_OFFSET_BITS  // else open is open64, and so on: both are wanted here
#include "tests/faults/calls.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr int calls = 6;
std::atomic<long> counts[calls];
std::atomic<bool> counting{false};
std::atomic<int> failing{-1};
std::atomic<long> place{0};

/// Whether this is the one that fails; errno says why.
bool fails(int call) {
  if (!counting.load(std::memory_order_relaxed)) return false;
  const long n = ++counts[call];
  if (call != failing || n != place) return false;
  constexpr int causes[calls] = {ENOSPC, EIO, EACCES, EIO, EMFILE, ENOMEM};
  errno = causes[call];
  return true;
}

/// The function of this name that would have been called.
template <class F>
F* behind(F*, const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

void faults_begin(int call, long n) {
  for (auto& count : counts) count = 0;
  failing = call, place = n, counting = true;
}
/// Programs that know nothing of this: $XGRAD_MALLOC_FAILS is the allocation of theirs that fails.
[[gnu::constructor]] static void begin_by_environment() {
  if (const char* n = std::getenv("XGRAD_MALLOC_FAILS")) faults_begin(malloc_call, std::atol(n));
}
void faults_end() { counting = false; }
long faults_count(int call) { return counts[call]; }

// What fails has not been done, but for close: what is closed is closed, also when that fails.
#define FAILING(call, result, failed, name, parameters, ...) \
  result name parameters {                                   \
    static const auto real = behind(&::name, #name);         \
    return fails(call) ? failed : real(__VA_ARGS__);         \
  }
#define CLOSING(name, type)                          \
  int name(type file) {                              \
    static const auto real = behind(&::name, #name); \
    const bool failed = fails(close_call);           \
    const int why = errno, result = real(file);      \
    if (failed) errno = why;                         \
    return failed ? -1 : result;                     \
  }
#define OPENING(name)                                       \
  int name(const char* path, int flags, ...) {              \
    static const auto real = behind(&::name, #name);        \
    va_list rest;                                           \
    va_start(rest, flags);                                  \
    const bool makes = flags & (O_CREAT | O_TMPFILE);       \
    const mode_t mode = makes ? va_arg(rest, mode_t) : 0;   \
    va_end(rest);                                           \
    return fails(open_call) ? -1 : real(path, flags, mode); \
  }

FAILING(write_call, ssize_t, -1, write, (int file, const void* data, size_t n), file, data, n)
FAILING(write_call, ssize_t, -1, pwrite, (int file, const void* data, size_t n, off_t at), file, data, n, at)
FAILING(write_call, ssize_t, -1, pwrite64, (int file, const void* data, size_t n, off64_t at), file, data, n,
        at)
FAILING(write_call, ssize_t, -1, writev, (int file, const iovec* parts, int n), file, parts, n)
// No disk is waited for: that would take most of the time, and no power is cut here.
int fsync(int) { return fails(fsync_call) ? -1 : 0; }
FAILING(rename_call, int, -1, rename, (const char* from, const char* to) noexcept, from, to)
OPENING(open)
OPENING(open64)
FAILING(open_call, FILE*, nullptr, fopen, (const char* path, const char* mode), path, mode)
FAILING(open_call, FILE*, nullptr, fopen64, (const char* path, const char* mode), path, mode)
CLOSING(close, int)
CLOSING(fclose, FILE*)

// dlsym allocates itself: these have names of their own in glibc. `operator new` comes here too.
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t n) noexcept { return fails(malloc_call) ? nullptr : __libc_malloc(n); }
void* calloc(size_t n, size_t size) noexcept { return fails(malloc_call) ? nullptr : __libc_calloc(n, size); }
void* realloc(void* block, size_t n) noexcept {
  return fails(malloc_call) ? nullptr : __libc_realloc(block, n);
}
void* aligned_alloc(size_t alignment, size_t n) noexcept {
  return fails(malloc_call) ? nullptr : __libc_memalign(alignment, n);
}
int posix_memalign(void** block, size_t alignment, size_t n) noexcept {
  if (fails(malloc_call)) return ENOMEM;
  *block = __libc_memalign(alignment, n);
  return *block ? 0 : ENOMEM;
}

}  // extern "C"
