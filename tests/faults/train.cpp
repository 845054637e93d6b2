// Trains 20 steps, with a checkpoint after each and an interruption after ten, once for each call that can
// fail: the call fails, then the training is resumed, and must end with the bits of one that nothing happened
// to.
//   LD_PRELOAD=build/tests/libfaults.so build/tests/faults-train FOLDER CALL [EVERY [FIRST [COUNT]]]
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/threads.hpp"
#include "datasets/loader.hpp"
#include "datasets/synthetic.hpp"
#include "nn/layers.hpp"
#include "nn/run_folder.hpp"
#include "nn/trainer.hpp"
#include "ops/ops.hpp"
#include "tests/faults/calls.hpp"

using namespace xgrad;
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

/// The same in a process of its own: an interruption after ten steps, then on to the end.
struct Ended {
  int status = 0;
  std::string text;  // of the error
  std::vector<long> counts = std::vector<long>(std::size(call_names));
};
Ended train_apart(const fs::path& folder, const Dataset& data, int call, long n) {
  int ends[2];
  expect(pipe(ends) == 0, "faults: pipe: {}", std::strerror(errno));
  const pid_t child = fork();
  expect(child >= 0, "faults: fork: {}", std::strerror(errno));
  if (child == 0) {
    ::close(ends[0]);
    alarm(60);  // it hangs
    Ended ended;
    threads::set(2);
    faults_begin(call, n);
    try {
      if (!train(folder, data, 10)) train(folder, data, 100);
      faults_end();
    } catch (const std::bad_alloc&) {
      faults_end();
      ended.text = "out of memory";
    } catch (const Error& e) {
      faults_end();
      ended.text = e.what();
    }
    for (std::size_t i = 0; i < std::size(call_names); ++i) ended.counts[i] = faults_count(int(i));
    FILE* out = fdopen(ends[1], "w");
    for (long count : ended.counts) std::fprintf(out, "%ld ", count);
    std::fprintf(out, "%s", ended.text.c_str());
    std::fclose(out);
    _exit(ended.text.empty() ? 0 : 1);
  }
  ::close(ends[1]);
  Ended ended;
  std::string all;
  char part[4096];
  for (ssize_t got; (got = read(ends[0], part, sizeof part)) > 0;) all.append(part, std::size_t(got));
  ::close(ends[0]);
  expect(waitpid(child, &ended.status, 0) == child, "faults: waitpid: {}", std::strerror(errno));
  std::istringstream in(all);
  for (long& count : ended.counts) in >> count;
  in.get();
  std::getline(in, ended.text, '\0');
  return ended;
}

std::string bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// All that a run has left, but for what a clock or the memory decides.
std::string left(const fs::path& folder) {
  std::string all;
  for (const char* name : {"settings.json", "checkpoint.safetensors", "parameters.safetensors"})
    all += bytes(folder / name);
  std::istringstream lines(bytes(folder / "metrics.jsonl"));
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

/// What is wrong with how a training went; empty if nothing is.
std::string wrong(const fs::path& folder, const Dataset& data, int call, const Ended& ended,
                  const std::string& right) {
  if (WIFSIGNALED(ended.status))
    return WTERMSIG(ended.status) == SIGALRM ? "hangs" : strsignal(WTERMSIG(ended.status));
  const bool failed = WEXITSTATUS(ended.status) != 0;
  if (failed && call != malloc_call &&
      (ended.text.find(folder.string()) == ended.text.npos ||
       ended.text.find(causes[call]) == ended.text.npos))
    return "an error without the file or the cause: " + ended.text;
  if (const auto more = others(folder); !more.empty()) return "leaves " + more + "(" + ended.text + ")";
  if (failed) {
    const Ended again = train_apart(folder, data, -1, 0);
    if (again.status) return "is not resumed: " + again.text + " (" + ended.text + ")";
    if (const auto more = others(folder); !more.empty()) return "leaves " + more + "when resumed";
  }
  return left(folder) == right ? "" : failed ? "other bits when resumed (" + ended.text + ")" : "other bits";
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
  fs::remove_all(base / "right");
  const Ended reference = train_apart(base / "right", data, -1, 0);
  expect(reference.status == 0, "faults: fails by itself: {}", reference.text);
  const std::string right = left(base / "right");
  const long places = reference.counts[std::size_t(call)], every = number(3, 1), first = number(4, 1);
  long tried = 0, errors = 0, found = 0;
  for (long n = first; n <= places && tried < number(5, places); n += every, ++tried) {
    const fs::path folder = base / "faulty";
    fs::remove_all(folder);
    const Ended ended = train_apart(folder, data, call, n);
    errors += ended.status != 0;
    const std::string what = wrong(folder, data, call, ended, right);
    if (what.empty()) continue;
    ++found;
    std::printf("%s %ld: %s\n", call_names[call], n, what.c_str());
  }
  std::printf("%s: %ld of %ld places, %ld errors, %ld successes, %ld wrong\n", call_names[call], tried,
              places, errors, tried - errors, found);
  return found ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) try { return run(argc, argv); } catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 2;
}
