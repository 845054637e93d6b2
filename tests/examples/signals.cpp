// Programs in a world that misbehaves: signals, pipes without a reader, full disks, a second program.
#include <xgrad/datasets/image.hpp>
#include <xgrad/datasets/synthetic.hpp>
#include "tests/catch.hpp"
#include "tests/datasets/files.hpp"
#include "tests/examples/helpers.hpp"
#include "tests/paths.hpp"
#include "tests/run.hpp"
#include "tests/start.hpp"

using namespace xgrad;
using tests::Ended;
using tests::Outcome;
using tests::program;
using tests::read_file;
using tests::run;
using tests::start;
using tests::TemporaryFolder;
using tests::word;

namespace {

/// A line for the shell, started in a folder.
std::vector<std::string> in(const std::filesystem::path& folder, const std::string& command) {
  return {"/bin/sh", "-c", "cd '" + folder.string() + "' && exec " + command};
}
/// Once training is about to begin.
bool announced(const std::string& output) { return output.find(" threads, seed ") != std::string::npos; }

/// The command that an interrupted program has shown.
std::string shown_command(const std::string& output) {
  const std::string before = "interrupted; to resume:\n  ";
  const auto at = output.rfind(before);
  INFO(output);
  REQUIRE(at != std::string::npos);
  return output.substr(at + before.size());
}

}  // namespace

TEST_CASE("what a signal interrupts goes on by the command that is shown, to the same bits", "[programs]") {
  const std::string common = program("cifar10") + "--synthetic --batch 10 --recipe ";
  struct Case {
    std::string options;
    int signal;
    std::string out;  // below the folder
  };
  for (const Case& c :
       {Case{"posted --epochs 1 --steps 4", SIGINT, "runs/cifar10"},
        Case{"fast --steps 10 --resume --out \"a 'b' \\$c\n%: é\"", SIGTERM, "a 'b' $c\n%: é"},
        Case{"resnet --epochs 1 --steps 3 --out=x", SIGHUP, "x"},
        Case{"fast --steps 10 --seeds 2", SIGINT, "runs/cifar10-fast/seed-2"}}) {
    INFO(c.options);
    TemporaryFolder alone, interrupted;
    const Ended whole = start(in(alone.path, common + c.options));
    INFO(whole.output);
    REQUIRE(whole.exit_code == 0);
    const Ended ended = start(in(interrupted.path, common + c.options), {c.signal, 0, announced});
    REQUIRE(ended.signal == c.signal);
    const Ended rest =
        start({"/bin/sh", "-c", "cd '" + interrupted.path.string() + "'\n" + shown_command(ended.output)});
    INFO(rest.output);
    REQUIRE(rest.exit_code == 0);
    const std::string trained = read_file(alone.path / c.out / "parameters.safetensors");
    CHECK(trained.size() > 100);
    CHECK((read_file(interrupted.path / c.out / "parameters.safetensors") == trained));
    CHECK(std::filesystem::exists(interrupted.path / c.out / "curves.svg") ==
          std::filesystem::exists(alone.path / c.out / "curves.svg"));
  }
}

namespace {

/// Reproduces experiments, interrupted by SIGINT, and goes on by the command shown: to
/// the files that come without the interruption.
void compare_reproduced(const std::string& arguments, const std::vector<std::string>& files,
                        const tests::Kill& signal) {
  TemporaryFolder data, alone, interrupted;
  tests::write_black_mnist(data.path);
  const std::string command = program("reproduce") + arguments + " --data " + data.path.string();
  REQUIRE(start(in(alone.path, command)).exit_code == 0);
  const Ended ended = start(in(interrupted.path, command), signal);
  INFO(ended.output);
  REQUIRE(ended.signal == SIGINT);
  CHECK_FALSE(std::filesystem::exists(interrupted.path / "runs/reproduce/table.md"));
  const auto first = interrupted.path / "runs/reproduce" / files[0];
  const auto written = std::filesystem::last_write_time(first);
  const Ended rest =
      start({"/bin/sh", "-c", "cd '" + interrupted.path.string() + "'\n" + shown_command(ended.output)});
  INFO(rest.output);
  REQUIRE(rest.exit_code == 0);
  CHECK_THAT(rest.output, Catch::Contains("resuming after "));
  for (auto& file : files) {
    INFO(file);
    CHECK((read_file(interrupted.path / "runs/reproduce" / file) ==
           read_file(alone.path / "runs/reproduce" / file)));
  }
  if (files.size() > 1) CHECK(std::filesystem::last_write_time(first) == written);  // it was finished
}

}  // namespace

TEST_CASE("reproduce: finished experiments are kept, and the one that was interrupted goes on",
          "[programs]") {
  compare_reproduced("S10.1 S11 --epochs 3", {"S10.1/checkpoint.safetensors", "S11/checkpoint.safetensors"},
                     {SIGINT, 0, [](const std::string& output) {
                        const auto second = output.find("S11 mnist-two-layers");
                        return second != output.npos && output.find("epoch   1", second) != output.npos;
                      }});
}

// Hidden, since a step takes some ten seconds.
TEST_CASE("reproduce: training by numerical gradients loses no step when it is interrupted",
          "[.][programs]") {
  compare_reproduced("S12 --numerical-steps 2", {"S12/checkpoint.safetensors"}, {SIGINT, 2});
}

TEST_CASE("a second program in a run's folder is told who trains there, and changes nothing", "[programs]") {
  TemporaryFolder folder;
  // Steps of some tenths of a second: the first program still trains when the second one has started.
  const std::string command =
      program("cifar10") + "--synthetic --batch 1000 --recipe fast --steps 10 --resume --out x";
  bool tried = false;
  const Ended first = start(in(folder.path, command),
                            {SIGTERM, 0, [&](const std::string& output) {
                               if (!announced(output)) return false;
                               const Ended second = start(in(folder.path, command));
                               INFO(second.output);
                               CHECK(second.exit_code == 1);
                               CHECK_THAT(second.output, Catch::Contains("error: x: is in use by process "));
                               return tried = true;
                             }});
  INFO(first.output);
  CHECK(tried);
  CHECK(start(in(folder.path, command)).exit_code == 0);
}

TEST_CASE("a reader who goes away does not end training", "[programs]") {
  TemporaryFolder folder;
  for (const char* pipe : {"2>/dev/null |", "2>&1 |"}) {
    const std::string out = (folder / (pipe[1] == '>' && pipe[2] == '&' ? "both" : "out")).string();
    const Outcome outcome =
        run("( " + program("cifar10") + "--synthetic --batch 10 --recipe fast --steps 10 --out " + out + " " +
            std::string(pipe).substr(0, std::string(pipe).size() - 1) + "; echo $? >" + out +
            "/code ) | head -1");
    INFO(outcome.output);
    CHECK(read_file(out + "/code") == "0\n");
    CHECK(std::filesystem::exists(out + "/parameters.safetensors"));
    CHECK_THAT(read_file(out + "/metrics.jsonl"), Catch::Contains("final_test_accuracy"));
  }
}

TEST_CASE("a standard output that cannot be written is an error of every program", "[programs]") {
  TemporaryFolder folder;
  std::filesystem::copy_file(XGRAD_SOURCE_ROOT "/tests/edge_cases/cases.json", folder / "cases.json");
  save_png((folder / "photo.png").string(), shapes(1, 1, 0).train.images.reshape({3, 32, 32}));
  for (const char* command :
       {"examples/sine", "examples/spiral", "examples/custom_model", "examples/double_backprop",
        "examples/cifar10 --help", "examples/predict --help", "examples/report --help",
        "examples/reproduce --list",
        "examples/cifar10 --synthetic --batch 10 --recipe fast --steps 10 --out run",
        "examples/cifar10 --synthetic --batch 10 --recipe fast --steps 10 --profile",
        "examples/predict --model run photo.png", "examples/report run", "bench/bench scalar_forward",
        // where they have been built
        "tests/accuracy/accuracy '' 100", "tests/oracle-programs 1", "tests/edge-cases cases.json",
        "tests/edge-cases-libtorch cases.json"}) {
    INFO(command);
    const std::string line = command, name = line.substr(0, line.find(' '));
    const std::filesystem::path path = std::filesystem::path(XGRAD_BUILD_ROOT) / name;
    if (!std::filesystem::exists(path)) continue;
    const Outcome outcome = run("cd " + folder.path.string() + " && ( " + word(path.string()) +
                                line.substr(name.size()) + " 2>&1 >/dev/full )");
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.output,
               Catch::EndsWith("error: standard output cannot be written: No space left on device\n"));
  }
  CHECK(std::filesystem::exists(folder / "run/parameters.safetensors"));
  CHECK(std::filesystem::exists(folder / "run/report.html"));
}

TEST_CASE("a standard output that cannot be written is an error of the tests' own programs", "[programs]") {
  for (const char* arguments : {"tests/tests --list-tests", "tests/tests schedules"}) {
    INFO(arguments);
    const Outcome outcome = run("cd " + word(XGRAD_BUILD_ROOT) + " && ( " + arguments + " 2>&1 >/dev/full )");
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.output, Catch::EndsWith("error: standard output cannot be written\n"));
  }
}

TEST_CASE("names that would steer the terminal are shown harmless", "[programs]") {
  const Outcome outcome = run(program("report") + "\"$(printf 'a\\033[2Jb\\302\\233c')\"");
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.output == "error: a\\x1b[2Jb\\x9bc: this folder holds no run (no settings.json)\n");
}
