// xgrad as another project finds it: installed into a clean prefix and used by pkg-config and by CMake; and
// as a Meson subproject.
#include <cstdlib>
#include <fstream>

#include "tests/catch.hpp"
#include "tests/paths.hpp"
#include "tests/run.hpp"

using namespace xgrad::tests;

namespace {

const std::string source = XGRAD_SOURCE_ROOT, build = XGRAD_BUILD_ROOT,
                  outside = source + "/tests/packaging/outside";

void run_well(const std::string& command) {
  const Outcome outcome = run(command);
  INFO(command << "\n" << outcome.output);
  REQUIRE(outcome.exit_code == 0);
}
bool have(const char* program) { return run(std::string("command -v ") + program).exit_code == 0; }

/// xgrad, installed into <folder>/prefix.
struct Installed {
  TemporaryFolder folder;
  std::string prefix = (folder / "prefix").string(), library;
  Installed() {
    // The prefix was chosen when the build was set up; it is replaced by the one given here.
    run_well("meson install -C '" + build + "' --no-rebuild --quiet --destdir '" +
             (folder / "stage").string() + "'");
    run_well("mv \"$(dirname \"$(find '" + (folder / "stage").string() + "' -name include -type d)\")\" '" +
             prefix + "'");
    library = run("dirname \"$(find '" + prefix + "' -name libxgrad.so)\" | tr -d '\\n'").output;
    REQUIRE(std::filesystem::exists(library + "/pkgconfig/xgrad.pc"));
  }
};

}  // namespace

TEST_CASE("an outside project finds the installed xgrad by pkg-config") {
  if (!have("meson") || !have("pkg-config")) return skip("pkg-config: meson or pkg-config is not installed");
  const Installed xgrad;
  const std::string config = "PKG_CONFIG_PATH='" + xgrad.library + "/pkgconfig' pkg-config ";
  const std::string program = (xgrad.folder / "outside").string();
  run_well("c++ -std=c++20 '" + outside + "/main.cpp' -o '" + program + "' $(" + config +
           "--cflags --libs xgrad)");
  run_well("LD_LIBRARY_PATH='" + xgrad.library + "' '" + program + "'");
}

TEST_CASE("all installed headers can be included, and what is private is not installed") {
  if (!have("meson")) return skip("headers: meson is not installed");
  const Installed xgrad;
  const std::filesystem::path headers = xgrad.prefix + "/include/xgrad";
  std::string all;
  for (auto& entry : std::filesystem::recursive_directory_iterator(headers))
    if (entry.is_regular_file())
      all += "#include <xgrad/" + std::filesystem::relative(entry.path(), headers).string() + ">\n";
  CHECK(all.find("<xgrad/core/array/array.hpp>") != std::string::npos);
  CHECK(all.find("kernels") == std::string::npos);
  CHECK(all.find("node.hpp") == std::string::npos);
  std::ofstream(xgrad.folder / "all.cpp") << all;
  run_well("c++ -std=c++20 -fsyntax-only -I'" + xgrad.prefix + "/include' '" +
           (xgrad.folder / "all.cpp").string() + "'");
}

TEST_CASE("an outside project finds the installed xgrad by CMake") {
  if (!have("meson") || !have("cmake")) return skip("CMake: meson or cmake is not installed");
  const Installed xgrad;
  const std::string folder = (xgrad.folder / "build").string();
  run_well("cmake -G Ninja -S '" + outside + "' -B '" + folder + "' -DCMAKE_PREFIX_PATH='" + xgrad.prefix +
           "'");
  run_well("cmake --build '" + folder + "'");
  run_well("'" + folder + "/outside'");
}

TEST_CASE("an outside project has xgrad as a Meson subproject") {
  if (!have("meson")) return skip("Meson: meson is not installed");
  TemporaryFolder folder;
  const std::string project = (folder / "project").string();
  run_well("mkdir -p '" + project + "/subprojects' && cp -r '" + outside + "'/* '" + project +
           "' && ln -s '" + source + "' '" + project + "/subprojects/xgrad'");
  run_well("meson setup '" + project + "/build' '" + project + "'");
  run_well("ninja -C '" + project + "/build'");
  run_well("'" + project + "/build/outside'");
}
