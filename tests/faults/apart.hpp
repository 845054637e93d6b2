#pragma once
// Work in a process of its own, which may end in any way.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <string>

#include <xgrad/core/base/error.hpp>

namespace xgrad::tests {

struct Ended {
  std::string text;  ///< what the work returned
  std::string how;   ///< "" when it returned; else the signal that ended it, or "hangs"
};

/// Calls work() in a child, for at most so many seconds. No other thread may be there.
inline Ended apart(unsigned seconds, const std::function<std::string()>& work) {
  int ends[2];
  if (pipe(ends)) fail("faults: pipe: {}", std::strerror(errno));
  const pid_t child = fork();
  if (child < 0) fail("faults: fork: {}", std::strerror(errno));
  if (child == 0) {
    alarm(seconds);
    const std::string text = work();
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t n = write(ends[1], text.data() + at, text.size() - at);
      if (n < 0) _exit(1);
      at += std::size_t(n);
    }
    _exit(0);
  }
  close(ends[1]);
  Ended ended;
  char part[4096];
  for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;) ended.text.append(part, std::size_t(n));
  close(ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child) fail("faults: waitpid: {}", std::strerror(errno));
  if (WIFSIGNALED(status)) ended.how = WTERMSIG(status) == SIGALRM ? "hangs" : strsignal(WTERMSIG(status));
  if (WIFEXITED(status) && WEXITSTATUS(status))
    ended.how = fmt::format("ends with code {}", WEXITSTATUS(status));
  return ended;
}

}  // namespace xgrad::tests
