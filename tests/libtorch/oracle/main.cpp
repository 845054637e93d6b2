// Random programs by xgrad and by libtorch: values, first and second gradients.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <optional>
#include <set>

#include "examples/common/program.hpp"
#include "tests/libtorch/oracle/program.hpp"
#include "tests/ops/public_ops.hpp"

namespace xgrad::tests::oracle {
namespace {

int coverage(const std::set<std::string>& met) {
  std::set<std::string> without = public_ops();
  const std::size_t all = without.size();
  for (auto& row : rows())
    if (met.contains(row.op)) without.erase(row.op);
  print("{} of {} public operations covered{}{}\n", all - without.size(), all,
        without.empty() ? "" : "; not: ", fmt::join(without, " "));
  return 0;
}

void report(std::uint64_t seed, const Program& p, const std::string& what) {
  print("\nseed {}: {}\n{}", seed, what, text(p));
  const Program least = shrink(p);
  Explained ignored;
  print("shrunk: {}\n{}", difference(least, ignored), text(least));
}

int check(std::uint64_t first, long count, long most) {
  Explained explained;
  std::set<std::string> met;
  long unexplained = 0;
  for (std::uint64_t seed = first; seed < first + std::uint64_t(count); ++seed) {
    Program p;
    try {
      p = invent(seed);
    } catch (const std::exception& e) {
      ++unexplained;
      print("seed {}: {}\n", seed, e.what());
      continue;
    }
    if (p.code.empty()) continue;
    for (auto& i : p.code) met.insert(rows()[i.row].op);
    const std::string what = difference(p, explained);
    if (what.empty()) continue;
    if (++unexplained <= most)
      report(seed, p, what);
    else
      print("seed {}: {}\n", seed, what);
  }
  print("\n{} programs, seeds {} to {}, beside libtorch {}\n", count, first, first + std::uint64_t(count) - 1,
        libtorch_version());
  for (auto& [rule, times] : explained) print("{:6} programs differ as meant: {}\n", times, rule);
  print("{:6} differ otherwise\n", unexplained);
  coverage(met);
  return unexplained ? 1 : 0;
}

int show(std::uint64_t seed) {
  const Program p = invent(seed);
  if (p.code.empty()) return 0;
  Explained explained;
  const std::string what = difference(p, explained);
  if (what.empty())
    print(text(p));
  else
    report(seed, p, what);
  for (auto& [rule, times] : explained) print("differs as meant: {}\n", rule);
  return what.empty() ? 0 : 1;
}

}  // namespace
}  // namespace xgrad::tests::oracle

int main(int argc, char** argv) {
  using namespace xgrad::tests::oracle;
  CLI::App app("Random programs by xgrad and by libtorch: values, first and second gradients.");
  long count = 1000, most = 5;
  std::uint64_t first = 1;
  std::optional<std::uint64_t> seed;
  app.add_option("N", count, "how many programs")->capture_default_str();
  app.add_option("--first", first, "the first seed")->capture_default_str();
  app.add_option("--show", most, "how many differences are shown and shrunk")->capture_default_str();
  app.add_option("--seed", seed, "only this one, as code");
  return xgrad::program(app, argc, argv, [&] { return seed ? show(*seed) : check(first, count, most); });
}
