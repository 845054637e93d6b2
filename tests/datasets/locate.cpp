// Tests of where a set is looked for, and of what is said when it is nowhere.
#include <xgrad/datasets/locate.hpp>

#include <xgrad/datasets/cifar.hpp>
#include <xgrad/datasets/download.hpp>
#include "tests/datasets/files.hpp"
#include "tests/datasets/server.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

namespace fs = std::filesystem;
// Nobody listens on port 1.
const std::string dead = "http://127.0.0.1:1/";

Source source(const std::string& url, const std::string& checksum = "sha256:" + std::string(64, '0')) {
  return {"toy", "toy-bin", {"a.bin", "b.bin"}, {{url, checksum}}};
}
void write_toy(const fs::path& folder) {
  write_file(folder / "a.bin", "a");
  write_file(folder / "b.bin", "b");
}
/// No variable of the user's environment decides where a test looks.
struct Places {
  TemporaryFolder folder;
  fs::path cache = folder / "cache/xgrad";
  Environment data{"XGRAD_DATA", ""}, home{"XDG_CACHE_HOME", folder / "cache"}, proxy{"http_proxy", ""};
};

}  // namespace

TEST_CASE("locate: the given folder, else $XGRAD_DATA, else the cache") {
  const Places places;
  const DataOptions options{.verbose = false};
  write_toy(places.cache / "toy-bin");
  CHECK(locate(source(dead), options) == places.cache / "toy-bin");
  write_toy(places.folder / "set/toy-bin");
  const Environment data("XGRAD_DATA", places.folder / "set");
  CHECK(locate(source(dead), options) == places.folder / "set/toy-bin");
  write_toy(places.folder / "given");
  CHECK(locate(source(dead), {.folder = places.folder / "given"}) == places.folder / "given");
}

TEST_CASE("locate: a given folder without the set is an error, whatever else there is") {
  const Places places;
  write_toy(places.cache / "toy-bin");
  const std::string given = places.folder / "given";
  const auto error = [&] { return error_of([&] { locate(source(dead), {.folder = given}); }); };
  CHECK(error() == "toy: the data folder '" + given + "' does not exist; give the one that holds 'toy-bin'");
  const std::string next =
      "; give the folder that holds 'toy-bin', or none to search the cache and to download";
  write_file(given + "/b.bin", "b");
  CHECK(error() == "toy: the data folder '" + given + "' does not hold the set: no a.bin in '" + given +
                       "' and no folder 'toy-bin'" + next);
  fs::create_directories(given + "/toy-bin");
  CHECK(error() == "toy: the data folder '" + given + "' does not hold the set: no a.bin, b.bin in '" +
                       given + "/toy-bin'" + next);
}

TEST_CASE("locate: a set that is nowhere is DataUnavailable, in one line") {
  const Places places;
  const std::string start = "toy: not in the cache '" + places.cache.string() + "', and ";
  const auto message = [&](const DataOptions& options) -> std::string {
    try {
      locate(source(dead + "toy.tar.gz"), options);
    } catch (const DataUnavailable& e) {
      return e.what();
    }
    return "";
  };
  CHECK(message({.download = false}) == start + "downloading is off");
  CHECK_THAT(message({.verbose = false}),
             Catch::StartsWith(start + dead + "toy.tar.gz cannot be fetched: Failed to connect"));
  const Environment data("XGRAD_DATA", places.folder / "set");
  CHECK(message({.download = false}) == "toy: not in '" + (places.folder / "set").string() +
                                            "' ($XGRAD_DATA), not in the cache '" + places.cache.string() +
                                            "', and downloading is off");
  const Environment cache("XDG_CACHE_HOME", ""), home("HOME", "");
  CHECK_THAT(message({}), Catch::EndsWith("and neither $XDG_CACHE_HOME nor $HOME names a place for a cache"));
}

TEST_CASE("locate: cifar10 without data and without a network") {
  const Places places;
  const Environment proxy("https_proxy", dead);
  try {
    cifar10({.verbose = false});
    FAIL("it was found");
  } catch (const DataUnavailable& e) {
    const std::string start =
        "cifar10: not in the cache '" + places.cache.string() +
        "', and https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz cannot be fetched: ";
    CHECK_THAT(e.what(), Catch::StartsWith(start));
  }
}

TEST_CASE("locate: an archive is downloaded, unpacked and found again") {
  const Places places;
  write_file(places.folder / "toy.tar",
             tar({{"toy-bin/", '5'}, {"toy-bin/a.bin", '0', "a"}, {"toy-bin/b.bin", '0', "bb"}}));
  gzip(places.folder / "toy.tar");
  const fs::path archive = places.folder / "toy.tar.gz";
  const std::string checksum = "sha256:" + sha256(archive);
  Server server(read_file(archive));
  const DataOptions options{.verbose = false};
  CHECK(locate(source(server.url("/toy.tar.gz"), checksum), options) == places.cache / "toy-bin");
  CHECK(read_file(places.cache / "toy-bin/b.bin") == "bb");
  CHECK(std::distance(fs::directory_iterator(places.cache), {}) == 1);  // neither archive nor scratch folder
  // Killed before the archive was removed, or while another process got the set.
  write_file(places.cache / "toy.tar.gz", "rest");
  write_file(places.cache / "toy.tar.gz.part", "rest");
  locate(source(server.url("/toy.tar.gz"), checksum), options);
  CHECK(std::distance(fs::directory_iterator(places.cache), {}) == 1);
  server.stop();
  CHECK(server.ranges.size() == 1);

  fs::remove(places.cache / "toy-bin/b.bin");
  CHECK(error_of([&] { locate(source(dead + "toy.tar.gz"), options); }) ==
        "toy: '" + (places.cache / "toy-bin").string() +
            "' is incomplete, it lacks b.bin; restore that, or remove the folder to download it afresh");
}

TEST_CASE("locate: single files are downloaded into the set's folder, those that are missing only") {
  const Places places;
  Server server("b");
  const std::string sum_of_b = "sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";
  write_file(places.cache / "toy-bin/a.bin", "b");
  const Source files{"toy",
                     "toy-bin",
                     {"a.bin", "b.bin"},
                     {{server.url("/a.bin"), sum_of_b}, {server.url("/b.bin"), sum_of_b}}};
  CHECK(locate(files, {.verbose = false}) == places.cache / "toy-bin");
  CHECK(read_file(places.cache / "toy-bin/b.bin") == "b");
  server.stop();
  CHECK(server.ranges.size() == 1);
}
