// The frame of a program.
#include "examples/common/program.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <list>
#include <sstream>

#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace {

constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP};
std::vector<std::string> command;  // that started this program
std::atomic<const std::string*> last_words{nullptr};
int output_error = 0;  // of the first write to standard output that failed

/// How many bytes of a control character are there, of ASCII or in UTF-8: 0, 1 or 2. Lines and tabs are none.
std::size_t control_at(const std::string& text, std::size_t i) {
  auto byte = [&](std::size_t k) { return k < text.size() ? static_cast<unsigned char>(text[k]) : 0u; };
  if (byte(i) == 0xc2 && 0x80 <= byte(i + 1) && byte(i + 1) < 0xa0) return 2;
  return (byte(i) < 32 && text[i] != '\n' && text[i] != '\t') || byte(i) == 127;
}
std::string octal(const std::string& bytes) {
  std::string text;
  for (char c : bytes) text += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
  return text;
}

void set_last_words(const std::vector<std::string>& added) {
  std::string text = "interrupted; to resume:\n ";
  for (auto& words : {command, added})
    for (auto& word : words) text.append(" ").append(quoted(word));
  static std::list<std::string> kept;  // for good: a handler may be reading one
  last_words = &kept.emplace_back(text + "\n");
}

void say_last_words() {
  if (const std::string* text = last_words) [[maybe_unused]]
    const auto written = write(STDERR_FILENO, text->data(), text->size());
}

/// Ends the program as the signal does by itself: shells see 128 + signal and end their own loops.
[[noreturn]] void end_by(int signal) {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  raise(signal);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  _exit(128 + signal);
}

void end_now(int signal) {
  say_last_words();
  end_by(signal);
}

/// Files that are opened must not become standard output, where it is closed.
void fill_standard_files() {
  for (int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(file, F_GETFD) < 0) [[maybe_unused]]
      const int opened = open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void set_handlers() {
  std::signal(SIGPIPE, SIG_IGN);  // a write says so by its error
  struct sigaction action {
  }, before{};
  action.sa_handler = end_now;
  for (int signal : signals)
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
      sigaction(signal, &action, nullptr);
}

/// After a write that failed: whether the reader has gone, in which case nobody misses what comes.
void note_failure(int error) {
  if (error == EPIPE) {
    const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nothing >= 0) {
      dup2(nothing, STDOUT_FILENO);
      close(nothing);
    }
    std::clearerr(stdout);
  } else if (!output_error) {
    output_error = error ? error : EIO;
  }
}

int run(CLI::App& app, int argc, char** argv, const std::function<int()>& body) try {
  app.parse(argc, argv);
  return body();
} catch (const CLI::ParseError& e) {
  std::ostringstream out, err;
  const bool wrong = app.exit(e, out, err) != 0;
  print(out.str());
  std::fputs(printable(err.str()).c_str(), stderr);
  return wrong ? 2 : 0;
} catch (const Interrupted& e) {
  say_last_words();
  std::fflush(stdout);
  end_by(e.signal);
} catch (const std::exception& e) {
  print_error(text_of(e));
  return 1;
}

}  // namespace

int program(CLI::App& app, int argc, char** argv, const std::function<int()>& body) try {
  fill_standard_files();
  command.assign(argv, argv + argc);
  // Started by ./run, which says so: it is what users go on with.
  if (const char* job = std::getenv("XGRAD_RUN"); job && argc) {
    std::string name = command[0].substr(command[0].rfind('/') + 1);
    std::replace(name.begin(), name.end(), '_', '-');
    command[0] = job;
    command.insert(command.begin() + 1, name);
  }
  set_last_words({});
  set_handlers();
  const int code = run(app, argc, argv, body);
  errno = 0;
  if (std::fflush(stdout)) note_failure(errno);
  if (!output_error) return code;
  print_error(fmt::format("standard output cannot be written: {}", std::strerror(output_error)));
  return 1;
} catch (const std::bad_alloc&) {  // nor is there memory for words of its own
  std::fputs("error: out of memory\n", stderr);
  return 1;
}

void go_on_with(const std::vector<std::string>& arguments) { set_last_words(arguments); }

std::string quoted(const std::string& word) {
  constexpr const char* harmless = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=.,/:@%";
  if (!word.empty() && word.find_first_not_of(harmless) == word.npos) return word;
  std::string text = "'";
  for (std::size_t i = 0, n; i < word.size(); i += std::max<std::size_t>(n, 1)) {
    n = control_at(word, i);
    if (word[i] == '\'')
      text += "'\\''";
    else if (n == 0)
      text += word[i];
    else
      text += fmt::format("'\"$(printf '{}')\"'", octal(word.substr(i, n)));
  }
  return text + "'";
}

std::string printable(const std::string& text) {
  std::string result;
  for (std::size_t i = 0, n; i < text.size(); i += std::max<std::size_t>(n, 1)) {
    n = control_at(text, i);
    if (n == 0)
      result += text[i];
    else
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i + n - 1]));
  }
  return result;
}

void print_error(const std::string& text) {
  std::fputs(fmt::format("error: {}\n", printable(text)).c_str(), stderr);
}

void print(const std::string& text) {
  const std::string safe = printable(text);
  errno = 0;
  if (std::fwrite(safe.data(), 1, safe.size(), stdout) != safe.size() || std::fflush(stdout))
    note_failure(errno);
}

}  // namespace xgrad
