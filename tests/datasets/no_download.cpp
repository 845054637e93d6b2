// A library without downloads (-Ddownload=false) says so, and does all else.
#include <xgrad/datasets/download.hpp>
#include <xgrad/datasets/locate.hpp>
#include "tests/catch.hpp"

using namespace xgrad;
using namespace xgrad::tests;

TEST_CASE("download: a library that was built without downloads says so and leaves no file behind") {
  TemporaryFolder folder;
  const std::string checksum = "sha256:" + std::string(64, '0');
  CHECK(error_of([&] { download("https://localhost/file", folder / "file", checksum, false); }) ==
        "https://localhost/file cannot be fetched: xgrad was built without downloads (-Ddownload=false)");
  CHECK(std::filesystem::is_empty(folder.path));
}
