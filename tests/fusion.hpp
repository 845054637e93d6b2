#pragma once
// Results that must not depend on how they are computed.
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

namespace xgrad::tests {

/// Checks that run(), which returns bytes, returns the same without fusion on one thread, and with it on one
/// and on three.
template <class F>
void check_same_fused(F run) {
  const Restore restore;
  lazy::set_checking(true);
  lazy::set_fusion(false);
  threads::set(1);
  const std::string want = run();
  lazy::set_fusion(true);
  CHECK(run() == want);
  threads::set(3);
  CHECK(run() == want);
}

}  // namespace xgrad::tests
