#pragma once
// Ctrl-C as a request to stop, for programs that train.
#include <csignal>

namespace xgrad {

/// As long as it lives, the first SIGINT (Ctrl-C), SIGTERM or SIGHUP does not end the program but is noted,
/// for FitOptions::stop to ask for; with the first one, what these signals did before comes back, so that
/// the second one ends the program at once. Signals that were ignored stay so, as under nohup. For programs:
/// the library never makes one by itself. One at a time.
///
///     Interrupt interrupt;
///     fit(model, optimizer, loader, {.checkpoint = file, .stop = [&] { return interrupt.requested(); }});
///     if (interrupt.requested()) ...  // say how to go on, and end
class Interrupt {
 public:
  /// Sets the handlers. Throws Error when there is another one.
  Interrupt();
  /// Brings back what was before. A signal that has come without that requested() or signal() have told of it
  /// is sent once more.
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  /// Whether a signal has come.
  bool requested() const { return signal() != 0; }
  /// Which one came first; 0 as long as none has.
  int signal() const;
};

}  // namespace xgrad
