// Each call to the system that fails, and each allocation, in a short training.
#include <cstdlib>

#include "tests/catch.hpp"
#include "tests/paths.hpp"
#include "tests/run.hpp"

namespace {

/// A sample of about `places`; all, where the environment asks for it.
void check(const std::string& call, int every) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  xgrad::tests::skip("sanitizers have their own malloc");
#else
  const char* wanted = std::getenv("XGRAD_FAULTS");
  const xgrad::tests::TemporaryFolder folder;
  const std::string tests = std::string(XGRAD_BUILD_ROOT) + "/tests/";
  const auto outcome = xgrad::tests::run("LD_PRELOAD='" + tests + "libfaults.so' '" + tests +
                                         "faults-train' '" + folder.path.string() + "' " + call + " " +
                                         std::to_string(wanted && std::string(wanted) == "all" ? 1 : every));
  INFO(outcome.output);
  CHECK(outcome.exit_code == 0);
#endif
}

}  // namespace

TEST_CASE("faults: a write that fails ends a training by name, and it is resumed") { check("write", 11); }
TEST_CASE("faults: an fsync that fails ends a training by name, and it is resumed") { check("fsync", 11); }
TEST_CASE("faults: a rename that fails ends a training by name, and it is resumed") { check("rename", 11); }
TEST_CASE("faults: a close that fails ends a training by name, and it is resumed") { check("close", 23); }
TEST_CASE("faults: an open that fails ends a training by name, and it is resumed") { check("open", 23); }
TEST_CASE("faults: an allocation that fails ends a training, and it is resumed") { check("malloc", 997); }
