#pragma once
// One pool of threads for everything. Work is cut by its size alone, so that results never depend on how
// many threads there are.
#include <type_traits>

/// Loops on all cores. A process may be forked: the child begins with a pool of its own. Where a thread
/// cannot be started, loops go on with those that there are.
namespace xgrad::threads {

/// Sets how many threads are used. Throws Error below 1.
void set(int count);
/// How many threads are used: by default $XGRAD_THREADS, else the cores that the process may use. Throws
/// Error when the variable is not a number of threads.
int count();
/// True inside a parallel loop, where further loops run on the calling thread.
bool nested();

namespace detail {
void run(int threads, long tasks, void (*task)(void*, long, int), void* context);
}

/// Calls f(i, thread) for i in [0, tasks), on at most `threads` threads, which are numbered from 0. An
/// exception is rethrown when those that have begun have ended; whether the others run then is open. A child
/// that f has forked is to end before f returns, or to become another program: else it gets an Error where f
/// ran on the calling thread, and is ended by std::terminate with that Error where f ran on another, which
/// nobody waits for there.
template <class F>
void for_each_on(int threads, long tasks, F&& f) {
  if (tasks <= 1 || threads == 1 || nested()) {
    for (long i = 0; i < tasks; ++i) f(i, 0);
  } else {
    detail::run(
        threads, tasks,
        [](void* context, long i, int thread) {
          (*static_cast<std::remove_reference_t<F>*>(context))(i, thread);
        },
        const_cast<void*>(static_cast<const void*>(&f)));
  }
}

/// The same for f(i), on all threads.
template <class F>
void for_each(long tasks, F&& f) {
  for_each_on(tasks > 1 ? count() : 1, tasks, [&](long i, int) { f(i); });
}

/// Calls f(first, last) for ranges of about `grain` elements that cover [0, n).
template <class F>
void for_ranges(long n, long grain, F&& f) {
  const long tasks = n > grain ? (n + grain - 1) / grain : 1;
  for_each(tasks, [&](long i) { f(i * grain, i + 1 < tasks ? (i + 1) * grain : n); });
}

}  // namespace xgrad::threads
