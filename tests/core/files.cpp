// Files that are replaced whole or not at all.
#include <xgrad/core/base/files.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

long entries(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

}  // namespace

TEST_CASE("files: a file is written, and replaced") {
  const TemporaryFolder folder;
  replace_file(folder / "a", [](std::ostream& out) { out << "one"; });
  CHECK(read_file(folder / "a") == "one");
  replace_file(folder / "a", [](std::ostream& out) { out << "two"; });
  CHECK(read_file(folder / "a") == "two");
  CHECK(entries(folder.path) == 1);
}

TEST_CASE("files: an error while writing leaves the old file, and nothing else") {
  const TemporaryFolder folder;
  replace_file(folder / "a", [](std::ostream& out) { out << "one"; });
  CHECK(error_of([&] {
          replace_file(folder / "a", [](std::ostream& out) {
            out << "half";
            fail("no more");
          });
        }) == "no more");
  CHECK(error_of([&] {
          replace_file(folder / "a", [](std::ostream& out) { out.setstate(std::ios::badbit); });
        }).starts_with((folder / "a").string() + ": cannot be written: "));
  CHECK(read_file(folder / "a") == "one");
  CHECK(entries(folder.path) == 1);
}

TEST_CASE("files: what killed programs have left unfinished is removed, and nothing else") {
  const TemporaryFolder folder;
  for (const char* name :
       {"a", "a.17.part", "a.4194304.part", "a.part", "a.b.17.part", "a.17b.part", "b.17.part"})
    std::ofstream(folder / name) << name;
  replace_file(folder / "a", [&](std::ostream&) {
    CHECK(std::filesystem::exists(unfinished(folder / "a")));
    CHECK(entries(folder.path) == 8);
  });
  remove_unfinished(folder / "a");
  CHECK(entries(folder.path) == 5);
  CHECK_FALSE(std::filesystem::exists(folder / "a.17.part"));
  CHECK_FALSE(std::filesystem::exists(folder / "a.4194304.part"));
  CHECK(std::filesystem::exists(folder / "a"));
  remove_unfinished(folder / "none/a");
}

TEST_CASE("files: what cannot be written is named") {
  const TemporaryFolder folder;
  CHECK(error_of([&] { replace_file(folder / "none/a", [](std::ostream&) {}); }) ==
        (folder / "none/a").string() + ": cannot be written: No such file or directory");
  make_folder(folder / "b/c");
  CHECK(std::filesystem::is_directory(folder / "b/c"));
  CHECK(error_of([&] {
          replace_file(folder / "b", [](std::ostream& out) { out << 1; });
        }).starts_with((folder / "b").string() + ": cannot be replaced: "));
  CHECK(entries(folder.path) == 1);
  replace_file(folder / "a", [](std::ostream&) {});
  CHECK(error_of([&] {
          make_folder(folder / "a");
        }).starts_with((folder / "a").string() + ": this folder cannot be created: "));
}

TEST_CASE("files: the names in a folder, and why they cannot be read") {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b.part"}) std::ofstream(folder / name) << name;
  std::filesystem::create_directories(folder / "c/d");
  std::error_code error;
  auto names = names_in(folder.path, error);
  std::sort(names.begin(), names.end());
  CHECK((!error && names == std::vector<std::string>{"a", "b.part", "c"}));
  CHECK((names_in(folder / "nowhere", error).empty() && error == std::errc::no_such_file_or_directory));
  CHECK((names_in(folder / "a", error).empty() && error == std::errc::not_a_directory));
}

TEST_CASE("files: a folder is removed with what is in it, and not what its links lead to") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "kept");
  std::filesystem::create_directories(folder / "gone/deep/deeper");
  for (const char* name : {"kept/a", "gone/a", "gone/deep/deeper/b"}) std::ofstream(folder / name) << "x";
  std::filesystem::create_symlink(folder / "kept", folder / "gone/deep/link");
  remove_folder((folder / "gone").c_str());
  CHECK(entries(folder.path) == 1);
  CHECK(read_file(folder / "kept/a") == "x");
  remove_folder((folder / "nowhere").c_str());
}
