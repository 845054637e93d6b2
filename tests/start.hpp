#pragma once
// Programs that get a signal while they run.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include <xgrad/nn/run/progress.hpp>
#include "tests/catch.hpp"

namespace xgrad::tests {

struct Ended {
  int signal;  // that it died of, or 0
  int exit_code;
  std::string output;  // both streams
};

/// What is sent to a program, how many seconds after its start, and not before its output so far allows it.
struct Kill {
  int signal = 0;
  double after = 0;
  std::function<bool(const std::string& output)> when = {};
};

/// Starts a program, and sends it a signal unless it has ended by itself before. Returns when what it has
/// started (gnuplot) has ended too: all of them hold the pipe.
inline Ended start(const std::vector<std::string>& command, const Kill& signal = {}) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int stream : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_adddup2(&actions, ends[1], stream);
  std::vector<char*> words;
  for (auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawnattr_t
      attributes;  // signals that the tests ignore, as nohup has it, do not reach them otherwise
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  pid_t child = 0;
  const Stopwatch clock;
  const int error = posix_spawn(&child, words[0], &actions, &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  REQUIRE(error == 0);

  Ended ended{0, -1, {}};
  for (bool sent = !signal.signal;;) {
    const double left = signal.after - clock.seconds();
    if (!sent && left <= 0 && (!signal.when || signal.when(ended.output)))
      kill(child, signal.signal), sent = true;  // it has not been waited for: the number is still its own
    pollfd pipe{ends[0], POLLIN, 0};
    if (poll(&pipe, 1, sent ? -1 : int(std::max(0., left) * 1000) + 1) <= 0) continue;
    char part[4096];
    const ssize_t n = read(ends[0], part, sizeof part);
    if (n <= 0) break;
    ended.output.append(part, std::size_t(n));
  }
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  return ended;
}

}  // namespace xgrad::tests
