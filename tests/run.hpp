#pragma once
// Commands as a user types them.
#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "tests/catch.hpp"

namespace xgrad::tests {

struct Outcome {
  int exit_code;
  std::string output;  // both streams
};
/// Runs a command by the shell.
inline Outcome run(const std::string& command) {
  Outcome outcome{-1, {}};
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe);
  char part[4096];
  while (std::size_t n = std::fread(part, 1, sizeof part, pipe)) outcome.output.append(part, n);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}
/// Whether a program is installed.
inline bool have(const std::string& program) { return run("command -v " + program).exit_code == 0; }

}  // namespace xgrad::tests
