// Trains 20 steps, with a checkpoint after each and an interruption after ten, once for each call that can
// fail: the call fails, then the training is resumed by the same process (so that whatever is left behind, a
// lock or a thread, is met), and must end with the bits of one that nothing happened to.
//   LD_PRELOAD=build/tests/libfaults.so build/tests/faults-train FOLDER CALL [EVERY [FIRST [COUNT]]]
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include <xgrad/core/base/digest.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/datasets/loader.hpp>
#include <xgrad/datasets/synthetic.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/run/run_folder.hpp>
#include <xgrad/nn/run/trainer.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/faults/apart.hpp"
#include "tests/faults/calls.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using tests::read_file;
namespace fs = std::filesystem;

namespace {

constexpr const char* call_names[] = {"write", "fsync", "rename", "close", "open", "malloc"};
constexpr const char* causes[] = {"No space left",      "Input/output error",  "Permission denied",
                                  "Input/output error", "Too many open files", ""};

struct Net {
  Conv2d conv{3, 4, {.stride = 4, .padding = 1}};
  BatchNorm norm{4};
  Dropout dropout{.p = .2};
  Linear fc{64, 10};
  Variable operator()(const Variable& x) const {
    return fc(dropout(flatten(max_pool2d(relu(norm(conv(x))), 2))));
  }
};

/// Begins or goes on; false when it was interrupted, after `steps` of its own.
bool train(const fs::path& folder, const Dataset& data, long steps) {
  manual_seed(3);
  RunFolder run("faults", folder, true, {{"seed", "3"}});
  Net net;
  Adam optimizer(parameters(net), {.lr = .01});
  Loader loader(
      data,
      {.batch = 8, .seed = 1, .augment = {.crop_padding = 2, .flip = Augment::Flip::random}, .prefetch = 1});
  FitOptions options{.epochs = 4, .clip_norm = 1, .progress = false, .checkpoint = run.checkpoint().string()};
  options.checkpoint_seconds = 0;
  long last = run.steps_done();
  options.on_epoch = [&](const EpochReport& report) {
    last = report.steps;
    run.metrics().write({{"step", report.steps}, {"loss", report.train.loss}});
    return true;
  };
  options.stop = [&] { return --steps == 0; };
  fit(net, optimizer, loader, options);
  if (last < 20) return false;
  save(net, run.parameters().string());
  run.finish({{"samples", 160l}});
  return true;
}

/// All that a run has left, but for what a clock or the memory decides.
std::string left(const fs::path& folder) {
  std::string all;
  for (const char* name : {"settings.json", "checkpoint.safetensors", "parameters.safetensors"})
    all += read_file(folder / name);
  std::istringstream lines(read_file(folder / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    auto entry = nlohmann::ordered_json::parse(line);
    for (const char* key : {"training_seconds", "peak_mb"}) entry.erase(key);
    all += entry.dump();
  }
  return all;
}
std::string others(const fs::path& folder) {
  std::string names;
  std::error_code none;
  for (auto& entry : fs::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename();
    if (name != "settings.json" && name != "checkpoint.safetensors" && name != "parameters.safetensors" &&
        name != "metrics.jsonl")
      names += name + " ";
  }
  return names;
}

/// The error that work() ends in; "" when it goes well.
template <class F>
std::string error_of(F work) {
  try {
    work();
  } catch (const std::exception& e) {
    return text_of(e);
  }
  return "";
}

/// How a training with a call that fails went.
struct Outcome {
  std::string error, wrong;
  std::vector<long> counts = std::vector<long>(std::size(call_names));
};

/// Trains while the n-th call fails, with an interruption after ten steps, and on from what that leaves.
/// `right` is what a training without a failure leaves.
Outcome attempt(const fs::path& folder, const Dataset& data, int call, long n, const std::string& right) {
  Outcome outcome;
  faults_begin(call, n);
  outcome.error = error_of([&] {
    if (!train(folder, data, 10)) train(folder, data, 100);
  });
  faults_end();
  for (std::size_t i = 0; i < std::size(call_names); ++i) outcome.counts[i] = faults_count(int(i));
  const bool failed = !outcome.error.empty();
  if (failed && call != malloc_call &&
      (outcome.error.find(folder.string()) == outcome.error.npos ||
       outcome.error.find(causes[call]) == outcome.error.npos))
    outcome.wrong = "an error without the file or the cause";
  else if (const auto more = others(folder); !more.empty())
    outcome.wrong = "leaves " + more;
  else if (const auto again = failed ? error_of([&] { train(folder, data, 100); }) : ""; !again.empty())
    outcome.wrong = "is not resumed: " + again;
  else if (const auto now = left(folder); !right.empty() && now != right)
    outcome.wrong = "other bits";
  return outcome;
}

/// The same in a process of its own.
Outcome attempt_apart(const fs::path& folder, const Dataset& data, int call, long n,
                      const std::string& right) {
  fs::remove_all(folder);
  const tests::Ended ended = tests::apart(60, [&] {
    threads::set(2);
    const Outcome o = attempt(folder, data, call, n, right);
    return fmt::format("{}\n{}\n{}", fmt::join(o.counts, " "), o.wrong, o.error);
  });
  Outcome outcome;
  std::istringstream in(ended.text);
  for (long& count : outcome.counts) in >> count;
  in.get();
  std::getline(in, outcome.wrong);
  std::getline(in, outcome.error, '\0');
  if (!ended.how.empty()) outcome.wrong = ended.how;
  return outcome;
}

int run(int argc, char** argv) {
  expect(faults_begin, "faults: the library is not preloaded: LD_PRELOAD=build/tests/libfaults.so");
  expect(argc >= 3, "usage: faults-train FOLDER CALL [EVERY [FIRST [COUNT]]]");
  const fs::path base = argv[1];
  const int call =
      int(std::find(std::begin(call_names), std::end(call_names), std::string(argv[2])) - call_names);
  expect(call < int(std::size(call_names)), "faults: {} is no call that can fail", argv[2]);
  auto number = [&](int i, long otherwise) { return argc > i ? std::stol(argv[i]) : otherwise; };
  setvbuf(stdout, nullptr, _IOLBF, 0);  // findings are seen also when this is stopped
  setenv("PATH", "/", 1);               // gnuplot would take most of the time
  threads::set(1);                      // no other thread may be there at a fork
  const Dataset data = shapes(40, 0, 1).train;
  Digest();  // OpenSSL, as it starts, reads through a null pointer where memory is missing
  const Outcome reference = attempt_apart(base / "right", data, -1, 0, "");
  expect(reference.error.empty() && reference.wrong.empty(), "faults: fails by itself: {} {}",
         reference.error, reference.wrong);
  const std::string right = left(base / "right");
  const long places = reference.counts[std::size_t(call)], every = number(3, 1), first = number(4, 1);
  long tried = 0, errors = 0, found = 0;
  for (long n = first; n <= places && tried < number(5, places); n += every, ++tried) {
    const Outcome outcome = attempt_apart(base / "faulty", data, call, n, right);
    errors += !outcome.error.empty();
    if (outcome.wrong.empty()) continue;
    ++found;
    std::printf("%s %ld: %s (%s)\n", call_names[call], n, outcome.wrong.c_str(), outcome.error.c_str());
  }
  std::printf("%s: %ld of %ld places, %ld errors, %ld successes, %ld wrong\n", call_names[call], tried,
              places, errors, tried - errors - found, found);
  return found ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) try { return run(argc, argv); } catch (const std::exception& e) {
  std::fprintf(stderr, "error: %s\n", text_of(e));
  return 2;
}
