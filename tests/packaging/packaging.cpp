// xgrad as another project finds it: installed into a clean prefix and used by pkg-config and by CMake, with
// each compiler that is there, shared and static; as a part of a CMake project; as a Meson subproject. What
// compiles the library again takes minutes: one way is tried, and all of them by ./run test '[packaging]'.
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

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
std::string in_quotes(const std::filesystem::path& path) { return "'" + path.string() + "'"; }

/// Those that are there.
std::vector<std::string> compilers() {
  std::vector<std::string> found;
  for (const char* name : {"g++", "clang++", "clang++-16", "clang++-19"})
    if (have(name)) found.push_back(name);
  return found;
}

enum class Kind { shared_libraries, static_libraries };

/// xgrad, installed into <folder>/prefix.
struct Installed {
  TemporaryFolder folder;
  std::string prefix = (folder / "prefix").string(), library;
  explicit Installed(Kind kind = Kind::shared_libraries) {
    // The prefix was chosen when the build was set up; it is replaced by the one given here.
    run_well("meson install -C '" + build + "' --no-rebuild --quiet --destdir '" +
             (folder / "stage").string() + "'");
    run_well("mv \"$(dirname \"$(find '" + (folder / "stage").string() + "' -name include -type d)\")\" '" +
             prefix + "'");
    library = run("dirname \"$(find '" + prefix + "' -name libxgrad.so)\" | tr -d '\\n'").output;
    REQUIRE(std::filesystem::exists(library + "/pkgconfig/xgrad.pc"));
    // As it is installed with default_library=static; ./run builds both.
    if (kind == Kind::static_libraries) {
      if (!std::filesystem::exists(library + "/libxgrad.a")) return;
      run_well("rm '" + library + "'/libxgrad*.so*");
    }
  }
  bool complete(Kind kind) const {
    return kind == Kind::shared_libraries || std::filesystem::exists(library + "/libxgrad.a");
  }
};

/// The libraries that a program loads, without the C library's loader.
std::vector<std::string> loaded(const std::string& program, const std::string& environment) {
  std::istringstream lines(run(environment + " LD_TRACE_LOADED_OBJECTS=1 " + in_quotes(program)).output);
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find_first_not_of(" \t");
    const std::string name = line.substr(first, line.find(' ', first) - first);
    if (name.find("linux-vdso") == name.npos && name.find("ld-linux") == name.npos) names.push_back(name);
  }
  return names;
}
std::string text_of(const std::vector<std::string>& names) {
  std::string text;
  for (auto& name : names) text += name + " ";
  return text;
}
bool any_begins(const std::vector<std::string>& names, const std::string& with) {
  for (auto& name : names)
    if (name.starts_with(with)) return true;
  return false;
}

/// What a program of the core loads, and that one with data sets and linear algebra loads those, too.
void check_loaded(const std::string& folder, const std::string& environment = "") {
  const auto core = loaded(folder + "/lenet", environment), all = loaded(folder + "/everything", environment);
  INFO(text_of(core) << "| " << text_of(all));
  CHECK(core.size() <= 8);
  for (const char* other : {"libcurl", "libarchive", "libopenblas", "libgssapi", "libxgrad-"})
    CHECK_FALSE(any_begins(core, other));
  CHECK(any_begins(all, "libcurl"));
  CHECK(any_begins(all, "libarchive"));
  CHECK(any_begins(all, "libopenblas"));
}

/// `outside`, a project of CMake's that is given the definitions, built and run.
void cmake_well(const TemporaryFolder& folder, const std::string& name, const std::string& definitions) {
  const std::string build_folder = (folder / name).string();
  run_well("cmake -G Ninja -S '" + outside + "' -B '" + build_folder + "' " + definitions);
  run_well("cmake --build '" + build_folder + "'");
  for (const char* program : {"outside", "lenet", "everything"})
    run_well("'" + build_folder + "/" + program + "'");
}

/// Compiles what was compiled before from a cache, where there is one.
std::string cached() { return have("ccache") ? " -DCMAKE_CXX_COMPILER_LAUNCHER=ccache" : ""; }

}  // namespace

TEST_CASE("an outside project finds the installed xgrad by pkg-config", "[packaging]") {
  if (!have("meson") || !have("pkg-config")) return skip("pkg-config: meson or pkg-config is not installed");
  for (const Kind kind : {Kind::shared_libraries, Kind::static_libraries}) {
    const Installed xgrad(kind);
    if (!xgrad.complete(kind)) return skip("pkg-config: no static libraries in this build");
    const bool shared = kind == Kind::shared_libraries;
    const std::string config = "PKG_CONFIG_PATH='" + xgrad.library + "/pkgconfig' pkg-config " +
                               (shared ? "" : "--static ") + "--cflags --libs xgrad";
    const std::string environment = "LD_LIBRARY_PATH='" + xgrad.library + "'";
    for (const std::string& compiler : compilers()) {
      for (const char* name : {"main", "lenet", "everything"}) {
        const std::string program = (xgrad.folder / name).string();
        run_well(compiler + " -std=c++20 '" + outside + "/" + name + ".cpp' -o '" + program + "' $(" +
                 config + ")");
        run_well(environment + " '" + program + "'");
      }
      check_loaded(xgrad.folder.path, environment);
    }
  }
}

TEST_CASE("all installed headers can be included without warnings, and what is private is not installed",
          "[packaging]") {
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
  // The program instantiates what templates there are.
  for (const std::string& compiler : compilers())
    for (const std::string& file : {(xgrad.folder / "all.cpp").string(), outside + "/main.cpp"})
      run_well(compiler +
               " -std=c++20 -fsyntax-only -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion " +
               "-Wsign-conversion -I'" + xgrad.prefix + "/include' '" + file + "'");
}

TEST_CASE("an outside project finds the installed xgrad by CMake", "[packaging]") {
  if (!have("meson") || !have("cmake")) return skip("CMake: meson or cmake is not installed");
  const Installed xgrad;
  const std::string prefix = "-DCMAKE_PREFIX_PATH='" + xgrad.prefix + "'";
  for (const std::string& compiler : compilers()) {
    cmake_well(xgrad.folder, "shared-" + compiler, prefix + " -DCMAKE_CXX_COMPILER=" + compiler);
    check_loaded((xgrad.folder / ("shared-" + compiler)).string());
    if (!xgrad.complete(Kind::static_libraries)) continue;
    cmake_well(xgrad.folder, "static-" + compiler,
               prefix + " -DXGRAD_STATIC=ON -DCMAKE_CXX_COMPILER=" + compiler);
    check_loaded((xgrad.folder / ("static-" + compiler)).string());
  }
}

TEST_CASE("an outside project has xgrad as a Meson subproject", "[packaging]") {
  if (!have("meson")) return skip("Meson: meson is not installed");
  TemporaryFolder folder;
  const std::string project = (folder / "project").string();
  run_well("mkdir -p '" + project + "/subprojects' && cp -r '" + outside + "'/* '" + project +
           "' && ln -s '" + source + "' '" + project + "/subprojects/xgrad'");
  run_well("meson setup '" + project + "/build' '" + project + "'");
  run_well("ninja -C '" + project + "/build'");
  run_well("'" + project + "/build/outside'");
  check_loaded(project + "/build");
}

TEST_CASE("an outside project has xgrad within its CMake build, by FetchContent", "[packaging]") {
  if (!have("cmake")) return skip("FetchContent: cmake is not installed");
  TemporaryFolder folder;
  cmake_well(folder, "fetched", "-DOUTSIDE_FETCHES='" + source + "'" + cached());
  check_loaded((folder / "fetched").string());
}

TEST_CASE("an outside project has xgrad within its CMake build, static, with each compiler",
          "[.][packaging]") {
  if (!have("cmake")) return skip("add_subdirectory: cmake is not installed");
  TemporaryFolder folder;
  for (const std::string& compiler : compilers()) {
    const std::string name = "added-" + compiler;
    cmake_well(folder, name,
               "-DOUTSIDE_ADDS='" + source + "' -DBUILD_SHARED_LIBS=OFF -DCMAKE_CXX_COMPILER=" + compiler +
                   cached());
    check_loaded((folder / name).string());
  }
}
TEST_CASE("an outside project has xgrad as a Meson subproject, static, with each compiler",
          "[.][packaging]") {
  if (!have("meson")) return skip("Meson: meson is not installed");
  TemporaryFolder folder;
  const std::string project = (folder / "project").string();
  run_well("mkdir -p '" + project + "/subprojects' && cp -r '" + outside + "'/* '" + project +
           "' && ln -s '" + source + "' '" + project + "/subprojects/xgrad'");
  for (const std::string& compiler : compilers()) {
    const std::string to = project + "/build-" + compiler;
    run_well("CXX=" + compiler + " meson setup --default-library=static '" + to + "' '" + project + "'");
    run_well("ninja -C '" + to + "'");
    run_well("'" + to + "/outside'");
    check_loaded(to);
  }
}

TEST_CASE("a model that one compiler's program saved is loaded by another's", "[packaging]") {
  if (!have("meson") || compilers().size() < 2) return skip("compilers: there is one only");
  const Installed xgrad;
  const std::string flags =
                        "PKG_CONFIG_PATH='" + xgrad.library + "/pkgconfig' pkg-config --cflags --libs xgrad",
                    file = (xgrad.folder / "net.safetensors").string();
  for (const std::string& compiler : compilers())
    run_well(compiler + " -std=c++20 '" + outside + "/crossing.cpp' -o '" +
             (xgrad.folder / compiler).string() + "' $(" + flags + ")");
  const std::string environment = "LD_LIBRARY_PATH='" + xgrad.library + "' ";
  for (const std::string& writer : compilers()) {
    run_well(environment + in_quotes(xgrad.folder / writer) + " save " + in_quotes(file));
    for (const std::string& reader : compilers())
      run_well(environment + in_quotes(xgrad.folder / reader) + " load " + in_quotes(file));
  }
}
