// Runs of cifar10 that are killed or interrupted again and again, against runs that are left alone.
// $XGRAD_KILLS says how often.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include <xgrad/nn/run/run_folder.hpp>
#include <xgrad/nn/run/training_state.hpp>
#include "tests/catch.hpp"
#include "tests/examples/helpers.hpp"
#include "tests/paths.hpp"
#include "tests/start.hpp"

using namespace xgrad;
using tests::Ended;
using tests::read_file;
using tests::start;
using tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;
using Command = std::vector<std::string>;

/// Whether a file is being written in the folder, or was when its program was killed.
bool unfinished_in(const fs::path& folder) {
  std::error_code none;
  for (auto& file : fs::directory_iterator(folder, none))
    if (file.path().extension() == ".part") return true;
  return false;
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
      const std::string text = read_file(file);
      CHECK((text.empty() || text.back() == '\n'));
      CHECK_NOTHROW(metrics(folder));
    } else if (name == "checkpoint.safetensors") {
      CHECK(load_training(file).progress.step > 0);
    } else if (name == "parameters.safetensors") {
      CHECK(load_tensors(file).arrays.size() > 5);
    } else if (name == "curves.svg") {
      CHECK_THAT(read_file(file), Catch::EndsWith("</svg>\n\n"));
    } else {
      CHECK((name == "lock" || name.ends_with(".part")));
    }
  }
}

double seconds_between(fs::file_time_type from, fs::file_time_type to) {
  return std::chrono::duration<double>(to - from).count();
}

/// How far the run in a folder is.
long steps_in(const fs::path& folder) {
  const fs::path file = folder / "checkpoint.safetensors";
  return has_training(file) ? load_training(file).progress.step : 0;
}

/// Sends a run a signal `kills` times: every fourth time while it starts, the last two times while it ends,
/// else while it trains; SIGKILL every other time while it writes. SIGINT is not to lose a step, without any
/// checkpoint but its own.
void compare(const std::vector<std::string>& options, int signal, int kills, unsigned seed) {
  if (const char* wanted = std::getenv("XGRAD_KILLS")) kills = std::max(3, std::atoi(wanted));
  const bool saves_itself = signal != SIGKILL;
  const TemporaryFolder temporary;
  const fs::path alone = temporary / "alone", killed = temporary / "killed";
  auto command = [&](const fs::path& folder) {
    Command words{std::string(XGRAD_BUILD_ROOT) + "/examples/cifar10",
                  "--synthetic",
                  "--threads",
                  "2",
                  "--checkpoint-seconds",
                  saves_itself ? "1e9" : "0.01",
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
    CHECK_FALSE(fs::exists(folder / "lock"));
  };

  const auto began = fs::file_time_type::clock::now();
  finish(alone);
  const double starting = seconds_between(began, fs::last_write_time(alone / "settings.json"));
  const double whole = seconds_between(began, fs::file_time_type::clock::now());
  const double ending = seconds_between(fs::last_write_time(alone / "checkpoint.safetensors"), began) + whole;
  const double training = whole - starting - ending;

  std::mt19937 random(seed);
  auto below = [&](double limit) { return std::uniform_real_distribution<>(0, limit)(random); };
  int done = 0, unfinished = 0, stopped = 0;
  double pace = 1;
  for (int runs = 0; done < kills; ++runs) {
    REQUIRE(runs < 30 + 5 * kills);  // each that comes too late makes the next ones earlier
    if (done == kills - 2) finish(killed);
    const bool ending_now = done >= kills - 2, starting_now = !ending_now && done % 4 == 0;
    const double delay = pace * (starting_now ? below(starting)
                                              : starting + below(ending_now ? ending : 3 * training / kills));
    const bool writing = done % 2 && !saves_itself;
    const long before = steps_in(killed);
    const Ended ended = start(
        command(killed), {signal, delay, [&](const std::string& output) {
                            const bool training_now = !starting_now && !ending_now && saves_itself;
                            return (!writing || unfinished_in(killed)) &&
                                   (!training_now || output.find(" threads, seed ") != std::string::npos);
                          }});
    INFO("killed after " << delay << " s: " << ended.output);
    REQUIRE((ended.signal == signal || (ended.signal == 0 && ended.exit_code == 0)));
    done += ended.signal != 0;
    unfinished += unfinished_in(killed);
    check_whole(killed);
    if (ended.output.find("training ends after this step") != std::string::npos) {
      ++stopped;
      CHECK((steps_in(killed) > before || before == steps_in(alone)));  // it may have been testing already
      CHECK(ended.output.find("interrupted; to resume:\n  /") != std::string::npos);
    }
    if (!ended.signal) {  // the machine is quicker than it was when the run was timed
      pace *= .7;
      if (!ending_now) fs::remove_all(killed);
    }
  }
  finish(killed);
  // Some were killed while they trained, or wrote; of a few that may be none.
  if (kills >= 10) CHECK((saves_itself ? stopped : unfinished) > 0);

  CHECK(names(killed) == names(alone));
  CHECK(metrics(killed) == metrics(alone));
  for (const char* name : {"settings.json", "parameters.safetensors", "checkpoint.safetensors"}) {
    INFO(name);
    CHECK((read_file(killed / name) == read_file(alone / name)));
  }
}

const std::vector<std::string> posted{"--recipe", "posted", "--epochs", "2", "--steps", "3", "--batch", "10"},
    fast{"--recipe", "fast", "--steps", "20", "--batch", "600"};

}  // namespace

TEST_CASE("a posted run of cifar10 that is killed again and again ends with the bits of one left alone",
          "[programs]") {
  compare(posted, SIGKILL, 3, 1);
}

TEST_CASE("a fast run of cifar10 that is killed again and again ends with the bits of one left alone",
          "[programs]") {
  compare(fast, SIGKILL, 3, 2);
}

// Hidden, since they take minutes: tests/examples/signals.cpp has one interruption of each program. To run
// them: XGRAD_KILLS=40 tests/tests "*interrupted loses nothing"
TEST_CASE("a posted run of cifar10 that is interrupted loses nothing", "[.][programs]") {
  compare(posted, SIGINT, 2, 3);
}

TEST_CASE("a fast run of cifar10 that is interrupted loses nothing", "[.][programs]") {
  compare(fast, SIGINT, 2, 4);
}
