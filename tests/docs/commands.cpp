// The commands in the pages: each is run, or listed with the reason why not, and names jobs and options that
// exist.
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "tests/catch.hpp"
#include "tests/paths.hpp"
#include "tests/run.hpp"

using namespace xgrad::tests;

namespace {

const std::string source = XGRAD_SOURCE_ROOT, build = XGRAD_BUILD_ROOT;

/// Lines of two columns, by the second.
std::map<std::string, std::string> columns(std::istream&& in, bool swap) {
  std::map<std::string, std::string> found;
  for (std::string line; std::getline(in, line);) {
    const std::size_t tab = line.find('\t');
    if (line.empty() || line[0] == '#') continue;
    INFO(line);
    REQUIRE(tab != std::string::npos);
    const std::string first = line.substr(0, tab), second = line.substr(tab + 1);
    found[swap ? second : first] = swap ? first : second;
  }
  return found;
}

/// The commands of all pages, with the place of one occurrence.
std::map<std::string, std::string> commands_of_pages() {
  const Outcome listed =
      run("cd '" + source + "' && tools/doc-blocks --commands *.md docs/*.md docs/results/*.md");
  REQUIRE(listed.exit_code == 0);
  return columns(std::istringstream(listed.output), true);
}
/// What is run for each, or "not run: ...".
std::map<std::string, std::string> table() {
  return columns(std::ifstream(source + "/tests/docs/commands.txt"), false);
}

}  // namespace

TEST_CASE("every command in the pages is run as tests/docs/commands.txt says, or listed there with a reason",
          "[docs][programs]") {
  const auto pages = commands_of_pages(), rows = table();
  REQUIRE(pages.size() > 5);
  for (auto& [command, place] : pages) {
    INFO(place << ": " << command << ": not in tests/docs/commands.txt");
    CHECK(rows.contains(command));
  }
  for (auto& [command, what] : rows) {
    INFO("tests/docs/commands.txt: no page has the command " << command);
    CHECK(pages.contains(command));
    if (what.starts_with("not run: ")) continue;
    const TemporaryFolder folder;
    const Outcome outcome =
        run("cd '" + folder.path.string() + "' && ROOT='" + source + "' BUILD='" + build + "' && " + what);
    INFO(what << "\n" << outcome.output);
    CHECK(outcome.exit_code == 0);
  }
}

TEST_CASE("the jobs and options of commands in the pages exist", "[docs][programs]") {
  const std::string jobs = run("'" + source + "/run' --help").output;
  for (auto& [command, place] : commands_of_pages()) {
    static const std::regex of_run(R"((?:\S+=\S+ )*\./run ([a-z0-9-]+)(.*))"), option(R"( (--[a-z-]+))");
    std::smatch parts;
    if (!std::regex_match(command, parts, of_run)) continue;
    const std::string job = parts[1], rest = parts[2];
    INFO(place << ": " << command);
    CHECK(std::regex_search(jobs, std::regex("\n  " + job + "[ \n]")));
    std::string name = job, help = jobs;
    for (char& c : name) c = c == '-' ? '_' : c;
    for (const std::string& program : {job, name})
      if (std::filesystem::exists(build + "/examples/" + program))
        help = run("'" + build + "/examples/" + program + "' --help").output;
    for (std::sregex_iterator at(rest.begin(), rest.end(), option); at != std::sregex_iterator(); ++at)
      CHECK_THAT(help, Catch::Contains((*at)[1].str()));
  }
}
