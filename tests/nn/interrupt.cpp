// Signals that are noted, passed on, or end the program at the second time.
#include <xgrad/nn/run/interrupt.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/catch.hpp"

using namespace xgrad;
using tests::error_of;

namespace {

/// The signal that ends a child which calls f; 0 when none does.
template <class F>
int ended_by(F f) {
  const pid_t child = fork();
  if (child == 0) {
    close(STDERR_FILENO);
    for (int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);  // not Catch's
    f();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("interrupt: the first signal is noted, the second ends the program") {
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    CHECK(ended_by([=] {
            const Interrupt interrupt;
            if (interrupt.requested()) raise(SIGKILL);
            raise(signal);
            if (!interrupt.requested() || interrupt.signal() != signal) raise(SIGKILL);
          }) == 0);
    CHECK(ended_by([=] {
            const Interrupt interrupt;
            raise(SIGINT);
            raise(signal);
            raise(SIGKILL);
          }) == signal);
    CHECK(ended_by([=] {
            { const Interrupt interrupt; }
            raise(signal);
            raise(SIGKILL);
          }) == signal);
  }
}

TEST_CASE("interrupt: a signal that nobody has asked for is not lost, and an ignored one stays ignored") {
  CHECK(ended_by([] {
          {
            const Interrupt interrupt;
            raise(SIGTERM);
          }
          raise(SIGKILL);
        }) == SIGTERM);
  CHECK(ended_by([] {
          std::signal(SIGHUP, SIG_IGN);
          {
            const Interrupt interrupt;
            raise(SIGHUP);
            if (interrupt.requested()) raise(SIGKILL);
          }
          raise(SIGHUP);
        }) == 0);
  const Interrupt interrupt;
  CHECK(error_of([] { Interrupt second; }) == "interrupt: another one is active");
}
