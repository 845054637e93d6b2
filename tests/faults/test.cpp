// Each call to the system that fails, and each allocation, in a short training.
#include <fmt/core.h>

#include <cstdlib>

#include "tests/catch.hpp"
#include "tests/paths.hpp"
#include "tests/run.hpp"

namespace {

const std::string build = XGRAD_BUILD_ROOT;
const std::string preloaded = "LD_PRELOAD='" + build + "/tests/libfaults.so' ";

/// Whether calls can be made to fail here.
bool possible() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  xgrad::tests::skip("sanitizers have their own malloc");
  return false;
#else
  return true;
#endif
}

/// Every so many places; all, where the environment asks for it.
void check(const std::string& program, const std::string& call, int every) {
  if (!possible()) return;
  const char* wanted = std::getenv("XGRAD_FAULTS");
  const xgrad::tests::TemporaryFolder folder;
  const auto outcome =
      xgrad::tests::run(preloaded + "'" + build + "/tests/" + program + "' '" + folder.path.string() + "' " +
                        call + " " + std::to_string(wanted && std::string(wanted) == "all" ? 1 : every));
  INFO(outcome.output);
  CHECK(outcome.exit_code == 0);
}

}  // namespace

TEST_CASE("faults: a write that fails ends a training by name, and it is resumed") {
  check("faults-train", "write", 5);
}
TEST_CASE("faults: an fsync that fails ends a training by name, and it is resumed") {
  check("faults-train", "fsync", 5);
}
TEST_CASE("faults: a rename that fails ends a training by name, and it is resumed") {
  check("faults-train", "rename", 3);
}
TEST_CASE("faults: a close that fails ends a training by name, and it is resumed") {
  check("faults-train", "close", 11);
}
TEST_CASE("faults: an open that fails ends a training by name, and it is resumed") {
  check("faults-train", "open", 11);
}
TEST_CASE("faults: an allocation that fails ends a training, and it is resumed") {
  check("faults-train", "malloc", 997);
}
TEST_CASE("faults: an allocation that fails in a small piece of work ends it, and it is done again") {
  check("faults-scenes", "", 53);
}
TEST_CASE("faults: a program that finds no memory says so") {
  if (!possible()) return;
  int ended = 0;  // what a gradient at the end of a step does not find memory for is done later
  for (int n : {1000, 2500, 4000, 5500}) {
    const auto outcome =
        xgrad::tests::run(fmt::format("XGRAD_MALLOC_FAILS={} {}'{}/examples/sine'", n, preloaded, build));
    INFO(n << ": " << outcome.output);
    if (outcome.exit_code == 0) continue;
    ++ended;
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.output.ends_with("error: out of memory\n"));
  }
  CHECK(ended >= 2);
}
