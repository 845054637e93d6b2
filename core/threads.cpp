// The thread pool: OpenMP.
#include "core/threads.hpp"

#include <omp.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "core/error.hpp"

namespace xgrad::threads {
namespace {

int initial() {
  const char* wanted = std::getenv("XGRAD_THREADS");
  if (!wanted) return omp_get_num_procs();
  const char* end = wanted + std::strlen(wanted);
  int n = 0;
  const auto [stop, error] = std::from_chars(wanted, end, n);
  expect(error == std::errc() && stop == end && n >= 1, "threads: XGRAD_THREADS is '{}', not a number from 1", wanted);
  return n;
}
std::atomic<int>& current() {
  static std::atomic<int> count = initial();
  return count;
}

}  // namespace

void set(int count) {
  expect(count >= 1, "threads: {} is not a number of threads", count);
  current() = count;
}
int count() { return current().load(std::memory_order_relaxed); }
bool nested() { return omp_in_parallel(); }

void detail::run(long tasks, void (*task)(void*, long), void* context) {
  std::exception_ptr error;
#pragma omp parallel for schedule(dynamic) num_threads(int(std::min<long>(tasks, count())))
  for (long i = 0; i < tasks; ++i) {
    try {
      task(context, i);
    } catch (...) {
#pragma omp critical(xgrad_error)
      if (!error) error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace xgrad::threads
