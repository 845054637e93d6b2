// Child processes by posix_spawn. Files in memory, not pipes, carry input and output: a child that reads only
// a part of its input ends neither in SIGPIPE nor in a deadlock, and no folder for temporary files is needed.
#include "core/process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>

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

}  // namespace

std::optional<std::string> output_of(const std::vector<std::string>& command, std::string_view input) {
  const File in = file_in_memory(), out = file_in_memory();
  if (!in || !out) return {};
  if (std::fwrite(input.data(), 1, input.size(), in.get()) != input.size() || std::fflush(in.get()))
    return {};
  std::rewind(in.get());
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  Actions actions;
  posix_spawn_file_actions_adddup2(&actions.list, fileno(in.get()), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions.list, fileno(out.get()), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions.list, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  if (posix_spawnp(&child, arguments[0], &actions.list, &actions.attributes, arguments.data(), environ))
    return {};
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return {};
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return {};
  std::string output;
  std::rewind(out.get());
  char buffer[1 << 16];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, out.get())) output.append(buffer, n);
  if (std::ferror(out.get())) return {};
  return output;
}

}  // namespace xgrad
