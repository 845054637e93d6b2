// Threads: loops cover their range once, nest, and hand on exceptions.
#include <xgrad/core/base/threads.hpp>

#include <sched.h>

#include <atomic>
#include <cstdio>
#include <iostream>

#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

/// What the hidden test below prints when this program is started again in the given way: the number of
/// threads is read once a process.
std::string this_program(const std::string& how) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  FILE* pipe = popen((how + " '" + self + "' '[.threads]'").c_str(), "r");
  std::string output;
  for (int c; (c = std::fgetc(pipe)) != EOF;) output.push_back(char(c));
  pclose(pipe);
  const auto first = output.find('<'), last = output.rfind('>');
  return first < last && last < output.size() ? output.substr(first, last + 1 - first) : output;
}

}  // namespace

TEST_CASE("threads: a loop visits each index once") {
  Restore restore;
  for (int count : {1, 2, 3, 40}) {
    threads::set(count);
    CHECK(threads::count() == count);
    for (long tasks : {0l, 1l, 2l, 1000l}) {
      std::vector<std::atomic<int>> visits(std::size_t(tasks) + 1);
      threads::for_each(tasks, [&](long i) { ++visits[std::size_t(i)]; });
      long once = 0;
      for (auto& v : visits) once += v == 1;
      CHECK(once == tasks);
    }
  }
}

TEST_CASE("threads: ranges cover everything without overlap") {
  Restore restore;
  threads::set(3);
  for (long n : {0l, 1l, 9l, 10l, 11l, 1000l}) {
    std::vector<std::atomic<int>> visits(std::size_t(n) + 1);
    std::atomic<bool> fits = true;
    threads::for_ranges(n, 10, [&](long first, long last) {
      if (first > last || last - first > 10) fits = false;
      for (long i = first; i < last; ++i) ++visits[std::size_t(i)];
    });
    long once = 0;
    for (auto& v : visits) once += v == 1;
    CHECK(once == n);
    CHECK(fits);
  }
}

TEST_CASE("threads: a loop inside of a loop runs on the thread that it is in") {
  Restore restore;
  threads::set(2);
  CHECK_FALSE(threads::nested());
  std::atomic<long> inner = 0, nested = 0;
  threads::for_each(8, [&](long) {
    nested += threads::nested();
    threads::for_each(100, [&](long) { ++inner; });
  });
  CHECK(inner == 800);
  CHECK(nested == 8);
  CHECK_FALSE(threads::nested());
}

TEST_CASE("threads: an exception arrives where the loop was started, and the next loop runs") {
  Restore restore;
  for (int count : {1, 2}) {
    threads::set(count);
    auto loop = [](bool fails) {
      threads::for_each(100, [&](long i) {
        if (fails && i % 10 == 7) throw Error("seven");
      });
    };
    CHECK(error_of([&] { loop(true); }) == "seven");
    CHECK(error_of([&] { loop(false); }) == "");
    CHECK_FALSE(threads::nested());
    CHECK(error_of([&] { threads::for_each(4, [&](long) { loop(true); }); }) == "seven");
  }
}

TEST_CASE("threads: tasks know the number of their thread, which has one at a time") {
  Restore threads;
  threads::set(4);
  for (int most : {1, 3, 4}) {
    std::atomic<int> busy[4] = {};
    std::atomic<long> sum{0};
    std::atomic<bool> wrong{false};
    threads::for_each_on(most, 1000, [&](long i, int thread) {
      if (thread < 0 || thread >= most || busy[thread]++) wrong = true;
      sum += i;
      if (!wrong) --busy[thread];
    });
    CHECK((!wrong && sum == 499500));
  }
}

TEST_CASE("threads: their number is a number") {
  CHECK(error_of([] { threads::set(0); }) == "threads: 0 is not a number of threads");
  CHECK(error_of([] { threads::set(-2); }) == "threads: -2 is not a number of threads");
}

TEST_CASE("number of threads", "[.threads]") {
  std::cout << "<" << error_of([] { std::cout << threads::count(); }) << ">" << std::endl;
}

TEST_CASE("threads: XGRAD_THREADS is read strictly") {
  auto with = [&](const std::string& value) { return this_program("XGRAD_THREADS='" + value + "'"); };
  CHECK(with("3") == "<3>");
  for (const std::string value : {"", "0", "-1", "two", "2x", "1.5", "99999999999"})
    CHECK(with(value) == "<threads: XGRAD_THREADS is '" + value + "', not a number of threads>");
}

TEST_CASE("threads: by default as many as the cores that the process may use") {
  cpu_set_t allowed;
  REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  int first = 0;
  while (!CPU_ISSET(first, &allowed)) ++first;
  CHECK(this_program("env -u XGRAD_THREADS") == fmt::format("<{}>", CPU_COUNT(&allowed)));
  CHECK(this_program(fmt::format("env -u XGRAD_THREADS taskset -c {}", first)) == "<1>");
}
