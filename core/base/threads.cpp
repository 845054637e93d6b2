// The pool of threads. Idle ones spin for some microseconds and then sleep; one that was not given a core in
// time is not waited for, so that a busy machine slows a loop down by what it takes and no more.
// Each begins with its own range of the tasks, the same in every loop of as many tasks, so that it finds
// what it wrote in its own caches; who is done takes from the others' ranges.
#include <xgrad/core/base/threads.hpp>

#include <pthread.h>
#include <sched.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/fork.hpp>

namespace xgrad::threads {
namespace {

struct Job {
  static constexpr int max_ranges = 32;
  struct alignas(64) Range {
    std::atomic<long> next{0};
    long end = 0;
  };

  Job(long tasks, void (*task)(void*, long, int), void* context, int threads)
      : task(task), context(context), range_count(std::min(threads, max_ranges)) {
    for (int i = 0; i < range_count; ++i) {
      ranges[i].next = tasks * i / range_count;
      ranges[i].end = tasks * (i + 1) / range_count;
    }
  }

  void (*task)(void*, long, int);
  void* context;
  int range_count;
  Range ranges[max_ranges];
  std::mutex mutex;
  std::exception_ptr error;
};

thread_local bool in_loop = false;
std::atomic<int> forks{0};  // that led to this process

/// Takes tasks until none is left, as the thread number `self`.
void work(Job& job, int self) {
  in_loop = true;
  const int forks_before = forks.load(std::memory_order_relaxed);
  for (int k = 0; k < job.range_count; ++k) {
    Job::Range& range = job.ranges[(self + k) % job.range_count];
    for (long i; (i = range.next.fetch_add(1, std::memory_order_relaxed)) < range.end;) {
      try {
        job.task(job.context, i, self);
      } catch (...) {
        std::lock_guard lock(job.mutex);
        if (!job.error) job.error = std::current_exception();
      }
      if (forks.load(std::memory_order_relaxed) == forks_before) [[likely]]
        continue;
      in_loop = false;
      fail("threads: a loop cannot continue in a child that was forked inside it");
    }
  }
  in_loop = false;
}

/// Waits until the place no longer holds `value`: spinning at first, then leaving the core to whoever else
/// wants it, asleep at last. (Measured on a virtual machine: waking up takes half a millisecond.)
template <class T>
void wait_while(const std::atomic<T>& place, T value) {
  using Clock = std::chrono::steady_clock;
  constexpr int spins = 1000;
  constexpr auto patience = std::chrono::milliseconds(1);
  for (int i = 0; i < spins; ++i) {
    if (place.load(std::memory_order_acquire) != value) return;
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }
  for (const auto end = Clock::now() + patience; Clock::now() < end; std::this_thread::yield())
    if (place.load(std::memory_order_acquire) != value) return;
  place.wait(value, std::memory_order_acquire);
}

class Worker {
 public:
  explicit Worker(int number) : number_(number) {
    std::thread([this] { live(); }).detach();
  }
  void offer(Job* job) {
    job_.store(job, std::memory_order_release);
    job_.notify_one();
  }
  /// Returns when the worker is done with the job, or takes it back if the worker has not begun.
  void finish(Job* job) {
    if (job_.compare_exchange_strong(job, nullptr, std::memory_order_acq_rel)) return;
    wait_while(job_, taken());
  }

 private:
  static Job* taken() {
    static Job mark(0, nullptr, nullptr, 0);
    return &mark;
  }
  void live() {  // in a child that a task has forked here, work() ends it by std::terminate
    for (;;) {
      wait_while<Job*>(job_, nullptr);
      Job* job = job_.load(std::memory_order_acquire);
      if (!job || !job_.compare_exchange_strong(job, taken(), std::memory_order_acq_rel)) continue;
      work(*job, number_);
      job_.store(nullptr, std::memory_order_release);
      job_.notify_one();
    }
  }

  const int number_;                // from 1: the thread that calls is 0
  std::atomic<Job*> job_{nullptr};  // none, one that is offered, or the mark of one that was taken
};

struct Pool {
  std::deque<Worker> workers;
  std::mutex busy;
  bool full = false;  // the system starts no more threads

  /// Starts threads until there are as many, if it can; returns how many of these there are.
  std::size_t grow(std::size_t wanted) {
    while (workers.size() < wanted && !full) try {
        workers.emplace_back(int(workers.size()) + 1);
      } catch (const std::bad_alloc&) {
        break;  // the next loop asks again
      } catch (const std::system_error&) {
        full = true;
      }
    return std::min(wanted, workers.size());
  }
};
// Never destroyed: loops may run in the destructors of static variables.
std::atomic<Pool*> pool{nullptr};

// Over a fork. The child has none of the threads, so it begins anew; what the parent's pool holds stays as it
// is: others may have been writing to it.
std::vector<std::mutex*>& kept_mutexes() {
  static auto* mutexes = new std::vector<std::mutex*>;
  return *mutexes;
}
std::mutex registering;
void before_fork() {
  // Whoever holds one may want another, or to register one: all of them or none.
  for (;; std::this_thread::yield()) {
    registering.lock();
    auto& mutexes = kept_mutexes();
    std::size_t locked = 0;
    while (locked < mutexes.size() && mutexes[locked]->try_lock()) ++locked;
    if (locked == mutexes.size()) return;
    while (locked > 0) mutexes[--locked]->unlock();
    registering.unlock();
  }
}
void after_fork() {
  for (auto* mutex : kept_mutexes()) mutex->unlock();
  registering.unlock();
}
void in_child() {
  pool = nullptr;
  ++forks;
  after_fork();
}
const int registered = pthread_atfork(before_fork, after_fork, in_child);

Pool& the_pool() {
  if (Pool* there = pool.load(std::memory_order_acquire)) return *there;
  auto fresh = std::make_unique<Pool>();
  Pool* none = nullptr;
  return pool.compare_exchange_strong(none, fresh.get()) ? *fresh.release() : *none;
}

/// The cores that this process may use: not all, in many containers and under taskset.
int cores() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
  return std::max(1, int(std::thread::hardware_concurrency()));
}
int initial() {
  const char* wanted = std::getenv("XGRAD_THREADS");
  if (!wanted) return cores();
  char* end = nullptr;
  const long n = std::strtol(wanted, &end, 10);
  expect(*wanted && !*end && n >= 1 && n <= 4096, "threads: XGRAD_THREADS is '{}', not a number of threads",
         wanted);
  return int(n);
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
bool nested() { return in_loop; }

void keep_over_fork(std::mutex& mutex) {
  const std::lock_guard lock(registering);
  kept_mutexes().push_back(&mutex);
}

void detail::run(int threads, long tasks, void (*task)(void*, long, int), void* context) {
  Pool& own = the_pool();
  std::unique_lock lock(own.busy,
                        std::try_to_lock);  // another thread's loop has the workers: this one runs alone
  const std::size_t helpers = lock ? own.grow(std::size_t(std::min<long>(tasks, threads)) - 1) : 0;
  Job job(tasks, task, context, int(helpers) + 1);
  for (std::size_t i = 0; i < helpers; ++i) own.workers[i].offer(&job);
  work(job, 0);
  for (std::size_t i = 0; i < helpers; ++i) own.workers[i].finish(&job);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace xgrad::threads
