// Profiles: time by operation, each without what ran inside it.
#include <xgrad/core/base/profile.hpp>

#include <chrono>
#include <thread>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/tape/variable.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"

using namespace xgrad;

TEST_CASE("a profile counts operations and takes what runs inside another off its time", "[core]") {
  using namespace std::chrono_literals;
  profile::start();
  const auto began = std::chrono::steady_clock::now();
  {
    const profile::Scope outer("outer");
    for (int i = 0; i < 3; ++i) {
      const profile::Scope inner("inner {}", 7);
      std::this_thread::sleep_for(4ms);
    }
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began;
  const Variable x(ones({100, 100}), requires_grad);
  sum(relu(x * 2 + 1)).backward();
  const auto rows = profile::stop();
  auto row = [&](const std::string& name) {
    for (auto& r : rows)
      if (r.name == name) return r;
    return profile::Row{};
  };
  CHECK(row("inner 7").calls == 3);
  CHECK(row("inner 7").seconds >= .012);
  CHECK(row("outer").calls == 1);
  CHECK(row("outer").seconds + row("inner 7").seconds <= elapsed.count());  // however long the thread waited
  CHECK(row("mul add relu sum (100, 100)").calls == 1);
  CHECK(profile::table(rows, 1, 2).find("everything else") != std::string::npos);

  { const profile::Scope late("late"); }  // nothing is measured now
  profile::start();
  CHECK(profile::stop().empty());
}

TEST_CASE("evaluate computes arrays of one shape in one pass, and others too", "[core]") {
  const Variable a(full({200, 100}, 3)), b(full({200, 100}, 4)), c(full({50, 100}, 5));
  std::vector<Array> results{(a * b).data(), (a * b + a).data(), (c * 2).data(), sum(a * 2).data(), a.data()};
  profile::start();
  evaluate(results);
  const auto rows = profile::stop();
  if (lazy::fusion()) CHECK(rows.size() == 2);
  CHECK(results[0].data<float>()[19999] == 12);
  CHECK(results[1].data<float>()[7] == 15);
  CHECK(results[2].data<float>()[0] == 10);
  CHECK(results[3].item() == 120000);
}
