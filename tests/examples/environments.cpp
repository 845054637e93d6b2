// Programs where the environment is not what they are used to.
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include <xgrad/datasets/image.hpp>
#include <xgrad/datasets/synthetic.hpp>
#include "tests/catch.hpp"
#include "tests/datasets/files.hpp"
#include "tests/examples/helpers.hpp"
#include "tests/german.hpp"
#include "tests/run.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

const std::string fast = "--synthetic --batch 10 --recipe fast --steps 10 --out ";

/// All numbers of a run's metrics, by key, in order.
std::vector<std::pair<std::string, double>> numbers(const std::filesystem::path& folder) {
  std::istringstream lines(read_file(folder / "metrics.jsonl"));
  std::vector<std::pair<std::string, double>> result;
  for (std::string line; std::getline(lines, line);) {
    const auto entries = nlohmann::json::parse(line);
    for (auto& [key, value] : entries.items())
      if (value.is_number()) result.emplace_back(key, value.get<double>());
  }
  return result;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("environment: no variable but XGRAD_... changes what is trained", "[programs]") {
  TemporaryFolder folder;
  const auto train = [&](const std::string& before, const std::string& name) {
    const Outcome outcome = run(before + program("cifar10") + fast + (folder / name).string());
    INFO(outcome.output);
    REQUIRE(outcome.exit_code == 0);
    return outcome.output;
  };
  const std::string output = train("", "plain");
  const std::string trained = read_file(folder / "plain/parameters.safetensors");
  const bool drawn = std::filesystem::exists(folder / "plain/curves.svg");
  const auto same = [&](const char* name) {
    CHECK((read_file(folder / name / "parameters.safetensors") == trained));
    auto ours = numbers(folder / name), theirs = numbers(folder / "plain");
    for (auto* list : {&ours, &theirs})
      std::erase_if(*list,
                    [](auto& entry) { return has(entry.first, "seconds") || entry.first == "peak_mb"; });
    CHECK(ours == theirs);
    CHECK(read_file(folder / name / "settings.json") == read_file(folder / "plain/settings.json"));
  };
  {
    const German german;
    train("", "german");
    same("german");
    CHECK(read_file(folder / "german/curves.svg") == read_file(folder / "plain/curves.svg"));
  }
  train("env -i ", "empty");
  same("empty");
  CHECK(std::filesystem::exists(folder / "empty/curves.svg") == drawn);
  CHECK(has(train("PATH=/nowhere ", "nowhere"), "no curves: gnuplot is not installed, or not on $PATH"));
  same("nowhere");
  CHECK(has(output, "no curves") != drawn);
}

TEST_CASE("environment: without HOME nothing is cached, and training uses the built-in shapes",
          "[programs]") {
  TemporaryFolder folder;
  const Outcome outcome = run("env -u HOME -u XDG_CACHE_HOME -u XGRAD_DATA " + program("cifar10") +
                              "--batch 10 --recipe fast --steps 10 --out " + (folder / "run").string());
  INFO(outcome.output);
  CHECK(outcome.exit_code == 0);
  CHECK(has(outcome.output,
            "neither $XDG_CACHE_HOME nor $HOME names a place for a cache\nTraining on built-in"));
}

TEST_CASE("environment: clocks that jump make no negative durations", "[programs]") {
  TemporaryFolder folder;
  // gnuplot, which is started, has them too.
  const std::string before =
      "LD_LIBRARY_PATH=" + word(XGRAD_BUILD_ROOT "/tests") + " LD_PRELOAD=libclock.so ";
  const auto check = [&](const std::string& command) {
    const Outcome outcome = run(before + command);
    INFO(outcome.output);
    CHECK(outcome.exit_code == 0);
    CHECK(std::regex_search(outcome.output, std::regex("clocks went back [1-9]")));
    CHECK_FALSE(std::regex_search(outcome.output, std::regex("[\n (=]-[0-9]")));
  };
  check(program("cifar10") + fast + (folder / "run").string());
  check(program("cifar10") + "--synthetic --recipe fast --batch 10 --steps 10 --profile");
  int durations = 0;
  for (auto& [key, value] : numbers(folder / "run"))
    if (has(key, "seconds")) {
      INFO(key);
      CHECK(value >= 0);
      ++durations;
    }
  CHECK(durations > 10);
}

TEST_CASE("environment: a folder's name may hold anything", "[programs]") {
  TemporaryFolder place;
  const std::string name = (place / "a\nb\t'c\"\x1b[2J\\ %s \xff").string();
  const Outcome trained = run(program("cifar10") + fast + word(name));
  INFO(trained.output);
  REQUIRE(trained.exit_code == 0);
  CHECK_FALSE(has(trained.output, "\x1b"));
  if (run("gnuplot --version").exit_code == 0) CHECK(std::filesystem::exists(name + "/curves.svg"));
  const Outcome reported = run(program("report") + word(name));
  INFO(reported.output);
  CHECK(reported.exit_code == 0);
  CHECK(has(read_file(name + "/report.html"), "of 1000 test images"));
  save_png(name + "/photo.png", shapes(1, 1, 0).train.images.reshape({3, 32, 32}));
  const Outcome named = run(program("predict") + "--model " + word(name) + " " + word(name + "/photo.png"));
  INFO(named.output);
  CHECK(named.exit_code == 0);
  CHECK(run(program("cifar10") + fast + word(name) + " --resume").exit_code == 0);
}
