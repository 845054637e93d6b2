// Tests of making ahead: the order, the depth, the end, an exception.
#include <xgrad/datasets/prefetch.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>

#include "tests/catch.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

/// Waits until f() holds, for ten seconds at most.
template <class F>
bool comes_true(F f) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!f() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return f();
}

}  // namespace

TEST_CASE("prefetch: values come in the order in which they were made") {
  Prefetch<int> prefetch([i = 0]() mutable { return i++; }, 3);
  for (int i = 0; i < 1000; ++i) REQUIRE(prefetch.next() == i);
}

TEST_CASE("prefetch: as many are made ahead as asked for, and no more") {
  std::atomic<int> made = 0;
  Prefetch<int> prefetch([&] { return ++made; }, 4);
  CHECK(comes_true([&] { return made == 4; }));
  prefetch.next();
  CHECK(comes_true([&] { return made == 5; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(made == 5);
}

TEST_CASE("prefetch: an exception comes after what was made before it") {
  Prefetch<int> prefetch(
      [i = 0]() mutable {
        if (i == 2) throw std::runtime_error("no third");
        return i++;
      },
      8);
  CHECK(prefetch.next() == 0);
  CHECK(prefetch.next() == 1);
  CHECK(error_of([&] { prefetch.next(); }) == "no third");
  CHECK(error_of([&] { prefetch.next(); }) == "no third");
}

TEST_CASE("prefetch: it ends whether it waits or works") {
  for (int i = 0; i < 100; ++i) Prefetch<int>([] { return 1; }, 2);
  std::atomic<bool> finished = false, begun = false;
  {
    Prefetch<int> prefetch(
        [&] {
          begun = true;
          std::this_thread::sleep_for(std::chrono::milliseconds(30));
          finished = true;
          return 1;
        },
        1);
    CHECK(comes_true([&] { return begun.load(); }));
  }
  CHECK(finished);
}
