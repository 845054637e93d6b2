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
#define BEHIND(name) static const auto real = behind(&::name, #name)

}  // namespace

extern "C" {

void faults_begin(int call, long n) {
  for (auto& count : counts) count = 0;
  failing = call, place = n, counting = true;
}
void faults_end() { counting = false; }
long faults_count(int call) { return counts[call]; }

ssize_t write(int file, const void* data, size_t n) {
  BEHIND(write);
  return fails(write_call) ? -1 : real(file, data, n);
}
ssize_t pwrite(int file, const void* data, size_t n, off_t at) {
  BEHIND(pwrite);
  return fails(write_call) ? -1 : real(file, data, n, at);
}
ssize_t pwrite64(int file, const void* data, size_t n, off64_t at) {
  BEHIND(pwrite64);
  return fails(write_call) ? -1 : real(file, data, n, at);
}
ssize_t writev(int file, const iovec* parts, int n) {
  BEHIND(writev);
  return fails(write_call) ? -1 : real(file, parts, n);
}
// No disk is waited for: that takes most of the time, and no power is cut here.
int fsync(int) { return fails(fsync_call) ? -1 : 0; }
int rename(const char* from, const char* to) noexcept {
  BEHIND(rename);
  return fails(rename_call) ? -1 : real(from, to);
}
// What is closed is closed, also when that fails.
int close(int file) {
  BEHIND(close);
  const bool failed = fails(close_call);
  const int why = errno, result = real(file);
  if (failed) errno = why;
  return failed ? -1 : result;
}
int fclose(FILE* file) {
  BEHIND(fclose);
  const bool failed = fails(close_call);
  const int why = errno, result = real(file);
  if (failed) errno = why;
  return failed ? EOF : result;
}
int open(const char* path, int flags, ...) {
  BEHIND(open);
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails(open_call) ? -1 : real(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  BEHIND(open64);
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails(open_call) ? -1 : real(path, flags, mode);
}
FILE* fopen(const char* path, const char* mode) {
  BEHIND(fopen);
  return fails(open_call) ? nullptr : real(path, mode);
}
FILE* fopen64(const char* path, const char* mode) {
  BEHIND(fopen64);
  return fails(open_call) ? nullptr : real(path, mode);
}

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
