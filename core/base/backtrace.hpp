#pragma once
// Where in the user's program an error was raised (private to core).
#include <string>

namespace xgrad {

/// Whether $XGRAD_BACKTRACE is set to anything but 0 and nothing.
bool wants_backtrace();

/// The calls that lead here, the innermost first, each as "\n  at function (file:line)"; without those of
/// xgrad, of the standard library and of what runs main(). Lines are found by addr2line, in what was compiled
/// with -g.
std::string backtrace();

}  // namespace xgrad
