// Signals that are noted.
#include <xgrad/nn/run/interrupt.hpp>

#include <unistd.h>

#include <atomic>
#include <cerrno>

#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace {

constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP};
struct sigaction before[std::size(signals)];
std::atomic<bool> alive{false};
std::atomic<int> first{0};
std::atomic<bool> told{false};
static_assert(std::atomic<int>::is_always_lock_free);  // a handler may use it

void restore() {
  for (std::size_t i = 0; i < std::size(signals); ++i) sigaction(signals[i], &before[i], nullptr);
}

void note(int signal) {
  const int error = errno;
  int none = 0;
  if (first.compare_exchange_strong(none, signal)) {
    restore();
    constexpr char text[] =
        "\ninterrupted: training ends after this step; interrupt again to end it at once\n";
    [[maybe_unused]] const auto written = write(STDERR_FILENO, text, sizeof text - 1);
  }
  errno = error;
}

}  // namespace

Interrupt::Interrupt() {
  expect(!alive.exchange(true), "interrupt: another one is active");
  first = 0;
  told = false;
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  for (int signal : signals) sigaddset(&action.sa_mask, signal);
  for (std::size_t i = 0; i < std::size(signals); ++i) sigaction(signals[i], nullptr, &before[i]);
  for (std::size_t i = 0; i < std::size(signals); ++i)
    if (before[i].sa_handler != SIG_IGN) sigaction(signals[i], &action, nullptr);
}

Interrupt::~Interrupt() {
  restore();
  alive = false;
  if (first && !told) raise(first);
}

int Interrupt::signal() const {
  const int signal = first;
  if (signal) told = true;
  return signal;
}

}  // namespace xgrad
