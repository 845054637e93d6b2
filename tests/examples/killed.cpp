// Runs of cifar10 that are killed again and again, against runs that are left alone.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "nn/progress.hpp"
#include "nn/run_folder.hpp"
#include "nn/training_state.hpp"
#include "tests/catch.hpp"
#include "tests/paths.hpp"

using namespace xgrad;
using tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;
using Command = std::vector<std::string>;
constexpr double never = 1e6;

std::string bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Ended {
  bool killed;  // by SIGKILL
  int exit_code;
  std::string output;  // both streams
};

/// Whether a file is being written in the folder, or was when its program was killed.
bool unfinished_in(const fs::path& folder) {
  std::error_code none;
  for (auto& file : fs::directory_iterator(folder, none))
    if (file.path().extension() == ".part") return true;
  return false;
}

/// Starts a program and kills it after so many seconds, unless it has ended by itself; with `writing`, not
/// before a file is being written there. Returns when what it has started (gnuplot) has ended too: all of
/// them hold the pipe.
Ended start(const Command& command, double kill_after = never, const fs::path& writing = {}) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int stream : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_adddup2(&actions, ends[1], stream);
  std::vector<char*> words;
  for (auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t child = 0;
  const Stopwatch clock;
  const int error = posix_spawn(&child, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  REQUIRE(error == 0);

  Ended ended{false, -1, {}};
  for (bool sent = false;;) {
    const double left = kill_after - clock.seconds();
    if (!sent && left <= 0 && (writing.empty() || unfinished_in(writing)))
      kill(child, SIGKILL), sent = true;  // it has not been waited for: the number is still its own
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
  ended.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  return ended;
}

std::set<std::string> names(const fs::path& folder) {
  std::set<std::string> all;
  if (fs::exists(folder))
    for (auto& file : fs::directory_iterator(folder)) all.insert(file.path().filename());
  return all;
}

/// The lines of metrics without what a clock or the memory decides.
std::vector<std::string> metrics(const fs::path& folder) {
  std::vector<std::string> lines;
  std::ifstream in(folder / "metrics.jsonl");
  for (std::string line; std::getline(in, line);) {
    Json entry = Json::parse(line);
    for (const char* key : {"seconds", "training_seconds", "peak_mb"}) entry.erase(key);
    lines.push_back(entry.dump());
  }
  return lines;
}

/// Fails when a file of the run is there in part only, or is none that a run has.
void check_whole(const fs::path& folder) {
  for (const std::string& name : names(folder)) {
    const fs::path file = folder / name;
    INFO(name);
    if (name == "settings.json") {
      CHECK(load_settings(folder).size() > 5);
    } else if (name == "metrics.jsonl") {
      const std::string text = bytes(file);
      CHECK((text.empty() || text.back() == '\n'));
      CHECK_NOTHROW(metrics(folder));
    } else if (name == "checkpoint.safetensors") {
      CHECK(load_training(file).progress.step > 0);
    } else if (name == "parameters.safetensors") {
      CHECK(load_tensors(file).arrays.size() > 5);
    } else if (name == "curves.svg") {
      CHECK_THAT(bytes(file), Catch::EndsWith("</svg>\n\n"));
    } else {
      CHECK_THAT(name, Catch::EndsWith(".part"));
    }
  }
}

double seconds_between(fs::file_time_type from, fs::file_time_type to) {
  return std::chrono::duration<double>(to - from).count();
}

/// Kills a run `kills` times: every fourth time while it starts, the last two times while it ends, else while
/// it trains, every other time while it writes.
void compare(const std::vector<std::string>& options, int kills, unsigned seed) {
  const TemporaryFolder temporary;
  const fs::path alone = temporary / "alone", killed = temporary / "killed";
  auto command = [&](const fs::path& folder) {
    Command words{std::string(XGRAD_BUILD_ROOT) + "/examples/cifar10",
                  "--synthetic",
                  "--threads",
                  "2",
                  "--checkpoint-seconds",
                  "0.01",
                  "--resume",
                  "--out",
                  folder.string()};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  };
  auto finish = [&](const fs::path& folder) {
    const Ended ended = start(command(folder));
    INFO(ended.output);
    REQUIRE(ended.exit_code == 0);
    check_whole(folder);
    CHECK_FALSE(unfinished_in(folder));  // what the killed ones have left is gone
  };

  const auto began = fs::file_time_type::clock::now();
  finish(alone);
  const double starting = seconds_between(began, fs::last_write_time(alone / "settings.json"));
  const double whole = seconds_between(began, fs::file_time_type::clock::now());
  const double ending = seconds_between(fs::last_write_time(alone / "checkpoint.safetensors"), began) + whole;
  const double training = whole - starting - ending;

  std::mt19937 random(seed);
  auto below = [&](double limit) { return std::uniform_real_distribution<>(0, limit)(random); };
  int done = 0, unfinished = 0;
  double pace = 1;
  for (int runs = 0; done < kills; ++runs) {
    REQUIRE(runs < 5 * kills);
    if (done == kills - 2) finish(killed);
    const bool ending_now = done >= kills - 2, starting_now = !ending_now && done % 4 == 0;
    const double delay = pace * (starting_now ? below(starting)
                                              : starting + below(ending_now ? ending : 3 * training / kills));
    const Ended ended = start(command(killed), delay, done % 2 ? killed : fs::path());
    INFO("killed after " << delay << " s: " << ended.output);
    REQUIRE((ended.killed || ended.exit_code == 0));
    done += ended.killed;
    unfinished += unfinished_in(killed);
    check_whole(killed);
    if (!ended.killed) {  // the machine is quicker than it was when the run was timed
      pace *= .7;
      if (!ending_now) fs::remove_all(killed);
    }
  }
  finish(killed);
  CHECK(unfinished > 0);  // some were killed while they wrote

  CHECK(names(killed) == names(alone));
  CHECK(metrics(killed) == metrics(alone));
  for (const char* name : {"settings.json", "parameters.safetensors", "checkpoint.safetensors"}) {
    INFO(name);
    CHECK((bytes(killed / name) == bytes(alone / name)));
  }
}

}  // namespace

TEST_CASE("a posted run of cifar10 that is killed ten times ends with the bits of one left alone") {
  compare({"--recipe", "posted", "--epochs", "2", "--steps", "3", "--batch", "10"}, 10, 1);
}

TEST_CASE("a fast run of cifar10 that is killed ten times ends with the bits of one left alone") {
  compare({"--recipe", "fast", "--steps", "20", "--batch", "600"}, 10, 2);
}
