// Tests of downloads, from a server on 127.0.0.1.
#include "datasets/download.hpp"

#include <sys/file.h>

#include <sstream>

#include "datasets/progress.hpp"
#include "tests/datasets/files.hpp"
#include "tests/datasets/server.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

namespace fs = std::filesystem;

std::string content() {
  std::string bytes;
  for (int i = 0; i < 300000; ++i) bytes += char(i % 251);
  return bytes;
}
/// The checksum of `bytes`, taken over a file.
std::string md5(const std::string& bytes) {
  const TemporaryFolder folder;
  write_file(folder / "f", bytes);
  return "md5:" + digest(folder / "f", "md5");
}

}  // namespace

TEST_CASE("digest: known values, and errors") {
  const TemporaryFolder folder;
  const fs::path file = folder / "abc";
  write_file(file, "abc");
  CHECK(digest(file, "md5") == "900150983cd24fb0d6963f7d28e17f72");  // RFC 1321, RFC 6234
  CHECK(digest(file, "sha256") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(error_of([&] { digest(file, "md7"); }) == "digest: OpenSSL offers no 'md7' here");
  CHECK(error_of([&] { digest(folder / "none", "md5"); }) ==
        "digest: '" + (folder / "none").string() + "' cannot be read: No such file or directory");
}

TEST_CASE("download: a file arrives whole, in a folder that is made") {
  const TemporaryFolder folder;
  Server server(content());
  const fs::path to = folder / "new/folder/file";
  download(server.url("/file"), to, md5(content()), false);
  CHECK(read_file(to) == content());
  CHECK(std::distance(fs::directory_iterator(to.parent_path()), {}) == 1);  // no .part
  download(server.url("/file"), to, md5(content()), false);                 // is there already
  CHECK_THAT(error_of([&] { download(server.url("/file"), to, md5("else"), false); }),
             Catch::StartsWith("download: '" + to.string() + "' is there already, but it has " +
                               md5(content()) + " and not " + md5("else")));
  server.stop();
  CHECK(server.ranges == std::vector<std::string>{""});
}

TEST_CASE("download: resumes what an earlier call left") {
  const TemporaryFolder folder;
  const fs::path to = folder / "file";
  write_file(folder / "file.part", content().substr(0, 123456));
  SECTION("from a server that can") {
    Server server(content());
    download(server.url("/file"), to, md5(content()), false);
    server.stop();
    CHECK(server.ranges == std::vector<std::string>{"bytes=123456-"});
  }
  SECTION("from the start where the server cannot") {
    Server server(content(), {.ranges = false});
    download(server.url("/file"), to, md5(content()), false);
    server.stop();
    CHECK(server.ranges == std::vector<std::string>{"bytes=123456-", ""});
  }
  SECTION("all was there but the name") {
    write_file(folder / "file.part", content());
    Server server(content());
    download(server.url("/file"), to, md5(content()), false);
  }
  CHECK(read_file(to) == content());
}

TEST_CASE("download: a server that drops the connection is asked again, as long as something comes") {
  const TemporaryFolder folder;
  Server server(content(), {.cut = 110000});
  download(server.url("/file"), folder / "file", md5(content()), false);
  CHECK(read_file(folder / "file") == content());
  server.stop();
  CHECK(server.ranges == std::vector<std::string>{"", "bytes=110000-", "bytes=220000-"});
}

TEST_CASE("download: a server that always drops the connection and cannot resume is given up") {
  const TemporaryFolder folder;
  Server server(content(), {.ranges = false, .cut = 110000});
  CHECK_THAT(error_of([&] { download(server.url("/file"), folder / "file", md5(content()), false); }),
             Catch::StartsWith(server.url("/file") + " cannot be fetched: "));
  server.stop();
  CHECK(server.ranges == std::vector<std::string>{"", "bytes=110000-", "", "bytes=110000-"});
}

TEST_CASE("download: a wrong checksum is said, and nothing bad is left") {
  const TemporaryFolder folder;
  Server server(content());
  const fs::path to = folder / "file";
  CHECK(error_of([&] { download(server.url("/file"), to, md5("else"), false); }) ==
        "download: what " + server.url("/file") + " sent has " + md5(content()) + " and not " + md5("else") +
            "; it was removed, so try again, or fetch the file by other means and put it at '" + to.string() +
            "'");
  CHECK(fs::is_empty(folder.path));
  CHECK(error_of([&] { download(server.url("/file"), to, "900150983cd24fb0d6963f7d28e17f72", false); }) ==
        "download: the checksum '900150983cd24fb0d6963f7d28e17f72' does not read 'md5:...'");
}

TEST_CASE("download: what cannot be fetched is a DownloadError") {
  const TemporaryFolder folder;
  const fs::path to = folder / "file";
  const auto message = [&](const std::string& url, const fs::path& destination) -> std::string {
    try {
      download(url, destination, "md5:00", false);
    } catch (const DownloadError& e) {
      return e.what();
    }
    return "";
  };
  Server server(content(), {.status = 404});
  CHECK(message(server.url("/file"), to) ==
        server.url("/file") + " cannot be fetched: The requested URL returned error: 404");
  CHECK_THAT(message("http://127.0.0.1:1/file", to),
             Catch::StartsWith("http://127.0.0.1:1/file cannot be fetched: Failed to connect"));
  CHECK(fs::is_empty(folder.path));
  write_file(folder / "file.part", "abc");
  CHECK_THAT(message("http://127.0.0.1:1/file", to),
             Catch::EndsWith(" ('" + to.string() + ".part' is kept, to be resumed)"));
  CHECK(read_file(folder / "file.part") == "abc");
  write_file(folder / "plain", "");
  CHECK(message("http://127.0.0.1:1/file", folder / "plain/file") ==
        "'" + (folder / "plain/file.part").string() + "' cannot be written: Not a directory");
  std::FILE* other = std::fopen((folder / "file.part").c_str(), "ab");
  CHECK(flock(fileno(other), LOCK_EX) == 0);
  CHECK(message(server.url("/file"), to) ==
        "'" + to.string() + ".part' is being downloaded by another process");
  std::fclose(other);
}

TEST_CASE("download: redirections are followed") {
  const TemporaryFolder folder;
  Server target("abc"), server("", {.redirect = target.url("/file")});
  download(server.url("/moved"), folder / "file", md5("abc"), false);
  CHECK(read_file(folder / "file") == "abc");
}

TEST_CASE("progress: a line says how far, how fast and how long") {
  CHECK(download_progress_line(73'100'000, 170'000'000, 73'100'000, 10) ==
        "43 %, 73.1 of 170.0 MB, 7.3 MB/s, 14 s left");
  CHECK(download_progress_line(73'100'000, 170'000'000, 1'000'000, 10) ==
        "43 %, 73.1 of 170.0 MB, 0.1 MB/s, 16 min left");
  CHECK(download_progress_line(170'000'000, 170'000'000, 170'000'000, 10) ==
        "100 %, 170.0 of 170.0 MB, 17.0 MB/s");
  CHECK(download_progress_line(5'000'000, 0, 5'000'000, 2) == "5.0 MB, 2.5 MB/s");
  CHECK(download_progress_line(0, 0, 0, 0) == "0.0 MB");
}

TEST_CASE("progress: a log gets a line every 10 %, a terminal one line that is rewritten") {
  for (const bool terminal : {false, true}) {
    std::ostringstream out;
    {
      DownloadProgress progress("file", out, terminal);
      for (long done = 0; done <= 1000; ++done) progress.update(done, 1000);
    }
    const std::string text = out.str();
    CHECK(std::count(text.begin(), text.end(), '\n') == (terminal ? 1 : 10));
    CHECK((text.find('\r') != std::string::npos) == terminal);
    CHECK_THAT(text, Catch::Contains("100 %, 0.0 of 0.0 MB"));
    if (terminal) CHECK_THAT(text, Catch::Contains("[########################]"));
  }
}
