#pragma once
// What surrounds each block of code in the pages (tools/doc-blocks) when it is run as a test.
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/xgrad.hpp>
#include "tests/catch.hpp"

// A reader's program need not use all that it names.
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-value"

namespace xgrad::tests {

/// While one is alive, the process is in an empty folder of its own, and what it prints goes into a file
/// there.
class Snippet {
 public:
  Snippet() : home_(std::filesystem::current_path()) {
    flush();
    for (int stream : {1, 2}) kept_[stream] = dup(stream);
    std::filesystem::current_path(folder_.path);
    REQUIRE(std::freopen("printed", "w", stdout));
    REQUIRE(dup2(1, 2) == 2);
    manual_seed(0);
  }
  ~Snippet() {
    flush();
    for (int stream : {1, 2}) dup2(kept_[stream], stream), close(kept_[stream]);
    std::filesystem::current_path(home_);
    threads::set(threads_);
  }
  Snippet(const Snippet&) = delete;
  Snippet& operator=(const Snippet&) = delete;

 private:
  static void flush() {
    std::cout.flush();
    std::fflush(nullptr);
  }

  TemporaryFolder folder_;
  const std::filesystem::path home_;
  const int threads_ = threads::count();
  int kept_[3]{};
};

}  // namespace xgrad::tests
