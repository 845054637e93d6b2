// Tests of unpacking: what is in an archive appears whole or not at all, and never elsewhere.
#include "datasets/download.hpp"
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
    CHECK(error_of_unpacking(archive, folder / "out") == "unpack: '" + archive.string() +
                                                             "' is refused: its entry '" + entry.path + "' " +
                                                             why + "; nothing was unpacked");
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
  const std::string good = read_file(archive),
                    start = "unpack: '" + archive.string() + "' is damaged near byte ";
  write_file(archive, good.substr(0, good.size() / 2));
  CHECK_THAT(error_of_unpacking(archive, folder / "out"),
             Catch::StartsWith(start) && Catch::Contains("truncated gzip input"));
  write_file(archive, "this is not an archive");
  CHECK_THAT(error_of_unpacking(archive, folder / "out"),
             Catch::StartsWith(start) && Catch::Contains("Unrecognized archive format"));
  write_file(archive, good);
  CHECK(error_of_unpacking(archive, folder / "out") == "");
  CHECK_THAT(error_of_unpacking(folder / "none", folder / "other"),
             Catch::StartsWith("unpack: '" + (folder / "none").string()));
}

TEST_CASE("unpack: nothing that exists is overwritten") {
  const TemporaryFolder folder;
  write_file(folder / "set.tar", tar({{"new", '0', "new"}, {"set/a.bin", '0', "new"}}));
  write_file(folder / "out/set/a.bin", "old");
  CHECK(error_of([&] { unpack(folder / "set.tar", folder / "out"); }) ==
        "unpack: '" + (folder / "out/set").string() + "' is there already; move it away to unpack '" +
            (folder / "set.tar").string() + "'");
  CHECK(read_file(folder / "out/set/a.bin") == "old");
  CHECK(std::distance(fs::directory_iterator(folder / "out"), {}) == 1);
}
