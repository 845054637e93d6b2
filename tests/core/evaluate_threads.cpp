// Several threads that compute at once: what they share is computed by one of them, and none waits for work
// that is not its own.
#include <atomic>
#include <thread>

#include <xgrad/core/array/map.hpp>
#include <xgrad/core/base/stopwatch.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

constexpr long large = 20000;  // more than is computed at once

Array plus(const Array& a, const Array& b) {
  return map(
      "add", [](auto x, auto y) { return x + y; }, a, b);
}
Array times(const Array& a, const Array& b) {
  return map(
      "mul", [](auto x, auto y) { return x * y; }, a, b);
}
Array total(const Array& a) { return lazy::reduce_to(ReduceKind::sum, a, {}); }

/// Pending values that refer to each other, with intermediate ones that nobody else holds.
std::vector<Array> pending_values(std::uint64_t seed) {
  const Array a = random_array({large}, seed), b = random_array({large}, seed + 1);
  const Array x = plus(times(a, b), b), s = total(x), y = times(x, plus(s, a)),
              z = times(y, plus(x, total(y)));
  return {x, s, y, z, total(times(z, a)), plus(z, total(z))};
}

std::atomic<bool> arrived, may_go;
std::atomic<int> calls, patience_lost;

/// A pending value that is computed no further than to its first elements until it may go.
Array waiting() {
  arrived = may_go = false;
  calls = patience_lost = 0;
  auto wait = [](auto v) {
    ++calls;
    arrived = true;
    for (const Stopwatch watch; !may_go && !patience_lost; std::this_thread::yield())
      if (watch.seconds() > 20) ++patience_lost;
    return v;
  };
  return map("wait", wait, random_array({large}));
}

}  // namespace

TEST_CASE("array: threads compute what they share, each in an order of its own") {
  Restore restore;
  lazy::set_checking(true);
  threads::set(1);
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    std::vector<Array> expected = pending_values(seed);
    for (auto& a : expected) evaluate(a);
    const std::vector<Array> shared = pending_values(seed);
    std::atomic<int> ready = 0;
    std::vector<std::thread> workers;
    for (std::size_t t = 0; t < 3; ++t)
      workers.emplace_back([&, t] {
        ++ready;
        while (ready < 3) std::this_thread::yield();
        for (std::size_t i = 0; i < shared.size(); ++i)
          evaluate(shared[(5 * i + 2 * t + seed) % shared.size()]);
      });
    for (auto& worker : workers) worker.join();
    for (std::size_t i = 0; i < shared.size(); ++i) wrong += !same_bits(shared[i], expected[i]);
  }
  CHECK(wrong == 0);
}

TEST_CASE("array: a thread does not wait for another's program") {
  Restore restore;
  threads::set(1);
  const Array slow = waiting();
  std::thread other([&] { evaluate(slow); });
  while (!arrived) std::this_thread::yield();
  const Array x = random_array({large}, 2), y = total(times(x, x));
  CHECK(y.item() > 0);
  may_go = true;
  other.join();
  CHECK(patience_lost == 0);
}

TEST_CASE("array: what one thread computes another waits for, once") {
  Restore restore;
  threads::set(1);
  const Array x = waiting();
  std::thread first([&] { evaluate(x); });
  while (!arrived) std::this_thread::yield();
  std::atomic<bool> done = false;
  std::thread second([&] {
    evaluate(plus(x, x));
    done = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK_FALSE(done);
  may_go = true;
  first.join();
  second.join();
  CHECK(patience_lost == 0);
  CHECK(calls <= (large + 63) * long(sizeof(double)) / simd_bytes());
}

TEST_CASE("array: sums that nobody reads are computed by whoever comes first, while others are recorded") {
  const Restore restore;
  threads::set(1);
  const Array a = random_array({large}), b = random_array({large}, 2);
  for (int round = 0; round < 20; ++round) {
    std::vector<Array> sums;
    for (int i = 0; i < 64; ++i)
      sums.push_back(total(plus(times(a, b), random_array({large}, std::uint64_t(i)))));
    std::thread other([sums] {
      for (auto& sum : sums) evaluate(sum);
    });
    for (int i = 0; i < 64; ++i) sums.push_back(total(times(a, random_array({large}, std::uint64_t(i)))));
    other.join();
    for (auto& sum : sums) CHECK(std::isfinite(sum.item()));
  }
}
