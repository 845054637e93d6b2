// The test program: Catch2's main, and a closing line "N passed, N failed, N skipped".
#define CATCH_CONFIG_RUNNER
#include "tests/catch.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "tests/memory_limit.hpp"

namespace {

bool skipped_now = false;
bool ran = false;  // the tests, rather than listed them
int passed = 0, failed = 0, skipped = 0;

struct Counter : Catch::TestEventListenerBase {
  using Catch::TestEventListenerBase::TestEventListenerBase;
  void testCaseStarting(const Catch::TestCaseInfo&) override { skipped_now = false; }
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    if (stats.totals.testCases.failed)
      ++failed;
    else
      ++(skipped_now ? skipped : passed);
  }
  void testRunEnded(const Catch::TestRunStats&) override { ran = true; }
};
CATCH_REGISTER_LISTENER(Counter)

}  // namespace

int main(int argc, char** argv) {
  const int code = Catch::Session().run(argc, argv);
  if (ran) std::cout << passed << " passed, " << failed << " failed, " << skipped << " skipped\n";
  std::cout.flush();
  if (std::cout) return code;
  std::cerr << "error: standard output cannot be written\n";
  return 1;
}

#ifdef XGRAD_ADDRESS_SANITIZER
/// What does not fit is an Error of ours, not the end of the process.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1:max_allocation_size_mb=1024";
}
/// A worker's thread never returns, so that the compiler forgets where it holds the state that it began with.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:threads::(anonymous namespace)::Worker"; }
#endif

namespace xgrad::tests {

void skip(const std::string& why) {
  skipped_now = true;
  std::cout << "skipped: " << why << std::endl;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "xgrad-test-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("tests: cannot make a temporary folder");
  path = name;
}
TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path); }

}  // namespace xgrad::tests
