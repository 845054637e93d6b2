// Forked processes, and threads that cannot be started.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include <xgrad/core/array/map.hpp>
#include <xgrad/datasets/loader.hpp>
#include <xgrad/datasets/synthetic.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

bool refuse_threads = false;

/// What f returns in a child, of which a second after the twentieth nobody waits: a hang is a failure.
int in_child(const std::function<int()>& f) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    int code = 99;
    try {
      code = f();
    } catch (...) {
    }
    _exit(code);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

long sum_by_threads(long n) {
  std::atomic<long> sum = 0;
  threads::for_each(n, [&](long i) { sum += i; });
  return sum;
}

}  // namespace

/// Stands before the C library's. The thread sanitizer has its own there, which must know each thread.
#ifdef __has_feature
#define XGRAD_IS_WATCHED __has_feature(thread_sanitizer)
#else
#define XGRAD_IS_WATCHED 0
#endif
#if !XGRAD_IS_WATCHED
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                              void* argument) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return refuse_threads ? EAGAIN : create(thread, attributes, run, argument);
}
#endif

TEST_CASE("fork: the child has a pool of its own, again and again", "[fork]") {
  Restore restore;
  threads::set(3);
  REQUIRE(sum_by_threads(1000) == 499500);
  for (int i = 0; i < 5; ++i) {
    CHECK(in_child([] {
            const bool right = sum_by_threads(1000) == 499500;
            return right && in_child([] { return sum_by_threads(10) == 45 ? 4 : 5; }) == 4 ? 7 : 8;
          }) == 7);
    CHECK(sum_by_threads(1000) == 499500);
  }
}

TEST_CASE("fork: within a loop it is an error in the child, and none for the parent", "[fork]") {
  Restore restore;
  threads::set(3);
  const pid_t parent = getpid();
  std::atomic<int> refused = 0;
  std::atomic<bool> forked = false;
  const std::string error = error_of([&] {
    threads::for_each(3, [&, caller = pthread_self()](long) {
      if (!pthread_equal(caller, pthread_self())) {  // leaves the caller something to do
        for (int ms = 0; ms < 10000 && !forked; ++ms) usleep(1000);
        return;
      }
      if (getpid() != parent || forked.exchange(true)) return;
      const pid_t child = fork();
      if (child == 0) return;
      int status = 0;
      waitpid(child, &status, 0);
      refused += WIFEXITED(status) ? WEXITSTATUS(status) : 100;
    });
  });
  if (getpid() != parent)
    _exit(error == "threads: a loop cannot continue in a child that was forked inside it" ? 1 : 2);
  CHECK(error == "");
  CHECK(refused == 1);
}

TEST_CASE("fork: within a loop on a thread of the pool it ends the child, which may do its own work before",
          "[fork]") {
  Restore restore;
  threads::set(3);
  const pthread_t caller = pthread_self();
  std::atomic<int> children = 0, worked = 0, ended = 0;
  std::atomic<bool> forked = false;
  const pid_t parent = getpid();
  threads::for_each(3, [&](long) {
    if (pthread_equal(caller, pthread_self())) {
      for (int ms = 0; ms < 10000 && !forked; ++ms) usleep(1000);  // a thread of the pool has begun by then
      return;
    }
    if (getpid() != parent) _exit(3);  // another task of the loop, in a child
    if (forked.exchange(true)) return;
    ++children;
    worked = in_child([] { return sum_by_threads(1000) == 499500 ? 7 : 8; });
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      std::signal(SIGABRT, SIG_DFL);  // not Catch's
      const rlimit none{};
      setrlimit(RLIMIT_CORE, &none);
      for (int file : {STDOUT_FILENO, STDERR_FILENO}) close(file);
      return;
    }
    int status = 0;
    waitpid(child, &status, 0);
    ended = WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
  });
  CHECK(children == 1);
  CHECK(worked == 7);
  CHECK(ended == SIGABRT);
  CHECK(sum_by_threads(1000) == 499500);
}

TEST_CASE("fork: a prefetching loader goes on in the child with the same batches", "[fork]") {
  const Dataset data = shapes(60, 0, 1).train;
  Loader plain(data, {.batch = 10}), ahead(data, {.batch = 10, .prefetch = 2});
  plain.next(), ahead.next();
  const Batch second = plain.next();
  CHECK(in_child([&] {
          Loader copy = ahead;
          const bool same = same_bits(ahead.next().images, second.images);
          return same && same_bits(copy.next().images, second.images) ? 7 : 8;
        }) == 7);
  CHECK(in_child([&] { return Loader(std::move(ahead)), 7; }) == 7);  // destroyed there
  CHECK(same_bits(ahead.next().images, second.images));
}

TEST_CASE("threads: where none can be started, loops do without and prefetching names the cause", "[fork]") {
  CHECK(in_child([] {
          refuse_threads = true;
          threads::set(4);
          if (sum_by_threads(1000) != 499500) return 1;
          Loader loader(shapes(60, 0, 1).train, {.batch = 10, .prefetch = 2});
          const std::string error = error_of([&] { loader.next(); });
          if (error !=
              "prefetch: cannot start a thread to make values ahead: Resource temporarily "
              "unavailable")
            return 2;
          refuse_threads = false;
          return loader.next().labels.size() == 10 ? 7 : 3;
        }) == 7);
}

TEST_CASE("fork: a child computes what no other thread was computing; what one was is an Error", "[fork]") {
  static std::atomic<bool> arrived, may_go;
  arrived = may_go = false;
  const Restore restore;
  threads::set(1);
  const Array x = map(
      "wait",
      [](auto v) {
        arrived = true;
        while (!may_go) std::this_thread::yield();
        return v;
      },
      random_array({20000}));
  std::thread first([&] { evaluate(x); }), second([&] { evaluate(x); });
  while (!arrived) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // so that the second waits for the first
  const auto square = [](const Array& a) {
    return map(
        "square", [](auto v) { return v * v; }, a);
  };
  const int code = in_child([&] {
    may_go = true;
    if (error_of([&] { evaluate(x); }) !=
        "array: another thread was computing it when this process was forked")
      return 1;
    if (error_of([&] { evaluate(square(x)); }).empty()) return 2;
    std::vector<std::thread> workers;
    const Array shared = square(random_array({20000}, 2));
    for (int i = 0; i < 4; ++i)
      workers.emplace_back([&, i] {
        for (int k = 0; k < 20; ++k) evaluate(square(random_array({20000}, std::uint64_t(20 * i + k))));
        evaluate(shared);
      });
    for (auto& worker : workers) worker.join();
    return 0;
  });
  may_go = true;
  first.join();
  second.join();
  CHECK(code == 0);
  CHECK(same_bits(x, random_array({20000})));
}
