#pragma once
// What all programs do alike: options, errors, standard output, and what they say when a signal ends them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace xgrad {

/// Parses the options and runs the body, which returns the exit code. An exception is an error in one line
/// and exit code 1, as is a standard output that cannot be written, by a full disk for example; wrong options
/// give
/// 2. A reader of the output who goes away (`| head -1`) ends nothing. SIGINT, SIGTERM and SIGHUP
/// end the program with the command to go on by.
int program(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

/// The signal that training has stopped for, after all has been saved: ends the program.
struct Interrupted {
  int signal;
};

/// What the program is to be started with to go on, after its own arguments; said when a signal ends it.
void go_on_with(const std::vector<std::string>& arguments);

/// A word for a POSIX shell: as it is where that is harmless, else in quotes.
std::string quoted(const std::string& word);
/// Text for a terminal: control characters, by which a name could write over other lines, become "\x1b".
std::string printable(const std::string& text);

/// Prints "error: ..." on standard error.
void print_error(const std::string& text);
/// Prints on standard output, at once; control characters as printable() has them.
void print(const std::string& text);
/// Prints on standard output, at once, as fmt::print does.
template <class T, class... Args>
void print(fmt::format_string<T, Args...> text, T&& first, Args&&... others) {
  print(fmt::format(text, std::forward<T>(first), std::forward<Args>(others)...));
}

}  // namespace xgrad
