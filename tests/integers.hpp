#pragma once
// Calls with one integer left open, tried at the ends of its range. What a sanitizer must stay silent about.
#include <climits>
#include <cmath>
#include <functional>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/variable.hpp>
#include "tests/catch.hpp"
#include "tests/memory_limit.hpp"

namespace xgrad::tests {

inline constexpr long integers[] = {0,        -1,           1,        2,        3,        LONG_MIN,
                                    LONG_MAX, LONG_MIN + 1, 1l << 31, 1l << 32, 1l << 62, (1l << 61) + 1,
                                    INT_MIN,  INT_MAX,      1l << 55, -5};

/// Calls f(n) for each of the integers: it must return, or throw an Error that begins with `name` or says
/// that there is no memory or no such shape, which may be that of an array made for the call.
inline void try_integers(const std::string& name, const std::function<void(long)>& f) {
  const MemoryLimit limit(1l << 30);
  for (long n : integers) {
    INFO(name << " at " << n);
    try {
      f(n);
    } catch (const Error& e) {
      const std::string text = e.what();
      INFO(text);
      const bool of_argument =
          text.ends_with(" would be too large") || text.ends_with(" has a negative length");
      const bool expected = text.starts_with(name + ":") || text.starts_with("memory: cannot allocate") ||
                            text.starts_with("shape: ") || text.starts_with("broadcast_to: ") || of_argument;
      CHECK(expected);
    } catch (const std::exception& e) {
      FAIL_CHECK("no Error of ours: " << e.what());
    }
  }
}

/// Computes y and its gradients; no element may be anything that ones and small constants cannot make.
inline void compute(const Variable& y) {
  evaluate(y.data());
  if (y.size() == 0) return y.requires_grad() ? y.backward() : void();
  const Array wide = y.data().cast(DType::f64);
  for (double v : wide.elements<double>()) REQUIRE(std::abs(v) < 1e6);
  if (y.requires_grad()) y.backward();
}

/// The same for an operation on ones that learn.
inline void try_op(const std::string& name, const Shape& shape,
                   const std::function<Variable(const Variable&, long)>& f) {
  try_integers(name, [&](long n) {
    const Variable x(ones(shape, DType::f64), requires_grad);
    compute(f(x, n));
    if (x.grad().defined())
      for (double v : x.grad().elements<double>()) REQUIRE(std::abs(v) < 1e6);
  });
}

}  // namespace xgrad::tests
