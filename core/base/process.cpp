// Child processes by posix_spawn. Files in memory, not pipes, carry input and output: a child that reads only
// a part of its input ends neither in SIGPIPE nor in a deadlock, and no folder for temporary files is needed.
#include <xgrad/core/base/process.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include <xgrad/core/base/error.hpp>

extern char** environ;

namespace xgrad {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;
File file_in_memory() {
  const int descriptor = memfd_create("xgrad", MFD_CLOEXEC);
  if (descriptor < 0) return {};
  std::FILE* file = fdopen(descriptor, "w+");
  if (!file) close(descriptor);
  return File(file);
}

struct Actions {
  posix_spawn_file_actions_t list;
  posix_spawnattr_t attributes;
  Actions() {
    posix_spawn_file_actions_init(&list);
    posix_spawnattr_init(&attributes);
    // A program that ignores closed pipes, or blocks signals, does so for itself alone.
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes, &set);
    sigaddset(&set, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &set);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Actions() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&list);
  }
};

/// All that a program has written to a file; nothing when it cannot be read.
std::string content(std::FILE* file) {
  std::string text;
  std::rewind(file);
  char part[1 << 16];
  while (const std::size_t n = std::fread(part, 1, sizeof part, file)) text.append(part, n);
  return std::ferror(file) ? "" : text;
}

/// The last line that is not blank, or as much of it as a message can hold.
std::string last_line(const std::string& text) {
  constexpr const char* blank = " \t\n";
  const auto end = text.find_last_not_of(blank);
  if (end == text.npos) return {};
  const auto line = text.rfind('\n', end);
  const auto begin = text.find_first_not_of(blank, line == text.npos ? 0 : line);
  return text.substr(begin, std::min<std::size_t>(end + 1 - begin, 200));
}

/// Why a program that has ended did not do its work; empty when it did.
std::string failure(int status, const std::string& complaint) {
  if (WIFSIGNALED(status)) return fmt::format("was ended by signal {}", WTERMSIG(status));
  if (WEXITSTATUS(status) == 0) return {};
  if (complaint.empty()) return fmt::format("failed with exit code {}", WEXITSTATUS(status));
  return "failed: " + complaint;
}

}  // namespace

Output output_of(const std::vector<std::string>& command, std::string_view input) {
  const auto failed = [&](const std::string& why) { return Output{"", command.at(0) + " " + why}; };
  const File in = file_in_memory(), out = file_in_memory(), err = file_in_memory();
  if (!in || !out || !err || std::fwrite(input.data(), 1, input.size(), in.get()) != input.size() ||
      std::fflush(in.get()))
    return failed(fmt::format("cannot be given its input: {}", std::strerror(errno)));
  std::rewind(in.get());
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  Actions actions;
  if (posix_spawn_file_actions_adddup2(&actions.list, fileno(in.get()), STDIN_FILENO) ||
      posix_spawn_file_actions_adddup2(&actions.list, fileno(out.get()), STDOUT_FILENO) ||
      posix_spawn_file_actions_adddup2(&actions.list, fileno(err.get()), STDERR_FILENO))
    return failed("cannot be started: out of memory");
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, arguments[0], &actions.list, &actions.attributes, arguments.data(), environ);
  if (error == ENOENT) return failed("is not installed, or not on $PATH");
  if (error) return failed(fmt::format("cannot be started: {}", std::strerror(error)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return failed(fmt::format("cannot be waited for: {}", std::strerror(errno)));
  if (const auto why = failure(status, last_line(content(err.get()))); !why.empty()) return failed(why);
  std::string text = content(out.get());
  return text.empty() ? failed("printed nothing") : Output{std::move(text), ""};
}

}  // namespace xgrad
