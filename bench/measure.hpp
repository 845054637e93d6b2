#pragma once
// What the benchmark programs share: which cases are wanted, and how one is timed.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <xgrad/core/base/stopwatch.hpp>
#include "examples/common/program.hpp"

namespace bench {

/// What a case is worth knowing beside its time.
struct Work {
  double per = 1;  ///< operations in one run: the time is given for one
  const char* unit = "ms";
  double scale = 1e3;
  double flop = 0, bytes = 0;  ///< of one run
};

struct Options {
  std::set<std::string> names;  ///< empty: all
  int threads = 0;              ///< 0: the default
  int turns = 1;                ///< multiplies the repetitions
};
inline Options options;

/// A benchmark program: reads the options and runs its cases.
inline int program(int argc, char** argv, const char* description, const std::function<void()>& cases) {
  CLI::App app(description);
  std::vector<std::string> names;
  app.add_option("names", names, "cases to run (default: all)");
  app.add_option("--threads", options.threads, "threads to use (default: all cores)");
  app.add_option("--turns", options.turns, "multiplies the repetitions")->check(CLI::PositiveNumber);
  return xgrad::program(app, argc, argv, [&] {
    options.names.insert(names.begin(), names.end());
    cases();
    return 0;
  });
}

inline rusage usage() {
  rusage now{};
  getrusage(RUSAGE_SELF, &now);
  return now;
}

/// Times the best of some runs after a warm-up; `note` may add to the line.
template <class F>
void time(const char* name, int repeats, F run, const Work& work = {},
          const std::function<std::string()>& note = {}, const std::function<void()>& warm = {}) {
  if (!options.names.empty() && !options.names.count(name)) return;
  run();
  run();  // the pool of memory has all that it needs now
  if (warm) warm();
  const rusage before = usage();
  double best = 1e30;
  repeats *= options.turns;
  for (int i = 0; i < repeats; ++i) {
    const xgrad::Stopwatch watch;
    run();
    best = std::min(best, watch.seconds());
  }
  const rusage after = usage();
  const long faults = after.ru_minflt + after.ru_majflt - before.ru_minflt - before.ru_majflt;
  std::string line = fmt::format("name={} {}={:.4g}", name, work.unit, best * work.scale / work.per);
  if (work.flop > 0) line += fmt::format(" gflops={:.0f}", work.flop / best / 1e9);
  if (work.bytes > 0) line += fmt::format(" gb_per_s={:.1f}", work.bytes / best / 1e9);
  line += fmt::format(" page_faults={:.1f} rss_mb={:.0f}", double(faults) / repeats,
                      double(after.ru_maxrss) / 1024);
  if (note) line += note();
  xgrad::print(line + "\n");
}

}  // namespace bench
