// Tests of unpacking: what is in an archive appears whole or not at all, and never elsewhere.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <xgrad/datasets/download.hpp>
#include "tests/datasets/files.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

namespace fs = std::filesystem;

/// Unpacks the archive into a folder that held nothing, and expects that it holds nothing still when that
/// fails.
std::string error_of_unpacking(const fs::path& archive, const fs::path& folder) {
  const std::string error = error_of([&] { unpack(archive, folder); });
  if (!error.empty()) CHECK(fs::is_empty(folder));
  return error;
}

}  // namespace

TEST_CASE("unpack: folders and files, gzipped or not") {
  const TemporaryFolder folder;
  const std::string big(200000, 'x');
  const std::string bytes =
      tar({{"set/", '5'}, {"set/a.bin", '0', big}, {"set/deep/er/b.bin", '0', "b"}, {"./top.txt", '0', ""}});
  write_file(folder / "plain.tar", bytes);
  write_file(folder / "zipped.tar", bytes);
  gzip(folder / "zipped.tar");
  for (const char* name : {"plain.tar", "zipped.tar.gz"}) {
    const fs::path to = folder / (std::string("out-") + name);
    unpack(folder / name, to);
    CHECK(read_file(to / "set/a.bin") == big);
    CHECK(read_file(to / "set/deep/er/b.bin") == "b");
    CHECK(fs::exists(to / "top.txt"));
    CHECK(std::distance(fs::directory_iterator(to), {}) == 2);  // no scratch folder
  }
}

TEST_CASE("unpack: entries that lead out of the folder are refused") {
  const TemporaryFolder folder;
  const fs::path archive = folder / "evil.tar";
  const auto refused = [&](const TarEntry& entry, const std::string& why) {
    write_file(archive, tar({{"set/a.bin", '0', "a"}, entry}));
    CHECK(error_of_unpacking(archive, folder / "out") ==
          archive.string() + ": refused: its entry '" + entry.path + "' " + why + "; nothing was unpacked");
  };
  const std::string outside = folder / "outside";
  refused({outside, '0', "evil"}, "leads out of the folder");
  refused({"../outside", '0', "evil"}, "leads out of the folder");
  refused({"set/../../outside", '0', "evil"}, "leads out of the folder");
  refused({"set/link", '2', "../../outside"}, "is neither a file nor a folder");
  refused({"set/device", '3'}, "is neither a file nor a folder");
  CHECK_FALSE(fs::exists(outside));
}

TEST_CASE("unpack: a damaged archive leaves nothing") {
  const TemporaryFolder folder;
  std::string noise;
  for (std::uint32_t x = 1; noise.size() < 100000; x = x * 1664525 + 1013904223) noise += char(x >> 24);
  const fs::path archive = folder / "set.tar.gz";
  write_file(folder / "set.tar", tar({{"set/a.bin", '0', noise}, {"set/b.bin", '0', noise}}));
  gzip(folder / "set.tar");
  const std::string good = read_file(archive), start = archive.string() + ": ";
  write_file(archive, good.substr(0, good.size() / 2));
  CHECK_THAT(error_of_unpacking(archive, folder / "out"),
             Catch::StartsWith(start) && Catch::Contains("the file is truncated"));
  write_file(archive, "this is not an archive");
  CHECK_THAT(error_of_unpacking(archive, folder / "out"),
             Catch::StartsWith(start) && Catch::Contains("Unrecognized archive format"));
  write_file(archive, good);
  CHECK(error_of_unpacking(archive, folder / "out") == "");
  CHECK_THAT(error_of_unpacking(folder / "none", folder / "other"),
             Catch::StartsWith((folder / "none").string() + ": cannot be opened"));
}

TEST_CASE("unpack: nothing that exists is overwritten") {
  const TemporaryFolder folder;
  write_file(folder / "set.tar", tar({{"new", '0', "new"}, {"set/a.bin", '0', "new"}}));
  write_file(folder / "out/set/a.bin", "old");
  CHECK(error_of([&] { unpack(folder / "set.tar", folder / "out"); }) ==
        "unpack: '" + (folder / "out/set").string() + "' already exists; move it away to unpack '" +
            (folder / "set.tar").string() + "'");
  CHECK(read_file(folder / "out/set/a.bin") == "old");
  CHECK(std::distance(fs::directory_iterator(folder / "out"), {}) == 1);
}

TEST_CASE("unpack: hostile archives") {
  const TemporaryFolder folder;
  const fs::path archive = folder / "x.tar";
  const std::string good = tar({{"set/a.bin", '0', "a"}});
  const auto error = [&](const std::string& bytes, const LoadLimits& limits = {}) {
    write_file(archive, bytes);
    const std::string text = error_of([&] { unpack(archive, folder / "out", limits); });
    if (text.empty())
      fs::remove_all(folder / "out");
    else
      CHECK(fs::is_empty(folder / "out"));
    return text;
  };
  CHECK(error(good) == "");
  CHECK(error(good + std::string(8192, '\0')) == "");
  CHECK_THAT(error(good + "more"),
             Catch::Contains("zeros were expected after the archive's end, but more follows"));
  CHECK_THAT(error(good + std::string(200'000, '\0') + "more"), Catch::Contains("but more follows"));
  CHECK_THAT(error(tar({{"a", '0', "1"}, {"a", '0', "2"}})), Catch::Contains("its entry 'a' occurs twice"));
  CHECK_THAT(error(tar({{"a", '0', "1"}, {"./a", '0', "2"}})),
             Catch::Contains("its entry './a' occurs twice"));
  CHECK_THAT(error(tar({{"a", '0', "1"}, {"a/b", '0', "2"}})),
             Catch::Contains("its entry 'a/b' cannot be created"));
  CHECK_THAT(error(tar({{"a/", '5'}, {"a", '0', "2"}})), Catch::Contains("its entry 'a' cannot be created"));
  CHECK_THAT(error(tar({{"a\nb", '0', "1"}})), Catch::Contains("control characters"));
  CHECK_THAT(error(tar({{std::string(99, 'a'), '1'}})), Catch::Contains("is neither a file nor a folder"));
  std::string deep;
  for (int i = 0; i < 49; ++i) deep += "a/";
  CHECK(error(tar({{deep + "b", '0', "1"}})) == "");
  CHECK_THAT(error(tar({{"a", '0', std::string(2'000'000, 'x')}}), {.unpacked = 100}), Catch::Equals(""));
  // 64 MB of zeros in 64 kB: more than 16 times the size, and more than the limit.
  write_file(folder / "bomb.tar", tar({{"a", '0', std::string(64 << 20, '\0')}}));
  gzip(folder / "bomb.tar");
  CHECK_THAT(error(read_file(folder / "bomb.tar.gz"), {.unpacked = 1 << 20}),
             Catch::Contains("more than may be unpacked"));
  CHECK(error(read_file(folder / "bomb.tar.gz")) == "");
  std::string huge = good;  // states 8 GiB
  huge.replace(124, 12, "77777777777\0", 12);
  CHECK_THAT(error(huge), Catch::StartsWith(archive.string() + ": "));
  std::vector<TarEntry> many(100'001, TarEntry{"d/", '5'});
  CHECK_THAT(error(tar(many)), Catch::Contains("more than 100000 entries"));
}

TEST_CASE("unpack: what a killed process left is removed, what a live one has is not") {
  const TemporaryFolder folder;
  write_file(folder / "x.tar", tar({{"set/a.bin", '0', "a"}}));
  write_file(folder / "out/.unpack-dead00/set/a.bin", "half");
  write_file(folder / "out/.unpack-live00/set/a.bin", "half");
  write_file(folder / "precious/file", "precious");
  fs::create_directory_symlink(folder / "precious", folder / "out/.unpack-link00");
  const int live = open((folder / "out/.unpack-live00").c_str(), O_RDONLY | O_DIRECTORY);
  REQUIRE(flock(live, LOCK_EX) == 0);
  unpack(folder / "x.tar", folder / "out");
  CHECK_FALSE(fs::exists(folder / "out/.unpack-dead00"));
  CHECK(read_file(folder / "out/.unpack-live00/set/a.bin") == "half");
  CHECK(read_file(folder / "precious/file") == "precious");
  close(live);
}
