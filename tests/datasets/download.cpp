// Tests of downloads, from a server on 127.0.0.1.
#include <xgrad/datasets/download.hpp>

#include <sys/file.h>
#include <sys/stat.h>

#include <sstream>

#include <xgrad/datasets/progress.hpp>
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
std::string checksum(const std::string& bytes) {
  const TemporaryFolder folder;
  write_file(folder / "f", bytes);
  return "sha256:" + sha256(folder / "f");
}
/// The text of the DownloadError, or of another that is thrown in its place.
std::string refusal(const std::string& url, const fs::path& to, const std::string& sum,
                    std::uint64_t size = 0) {
  try {
    download(url, to, sum, false, size);
  } catch (const DownloadError& e) {
    return e.what();
  } catch (const std::exception& e) {
    return std::string("no DownloadError: ") + e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("sha256: known values, and errors") {
  const TemporaryFolder folder;
  const fs::path file = folder / "abc";
  write_file(file, "abc");
  CHECK(sha256(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // RFC 6234
  CHECK(error_of([&] { sha256(folder / "none"); }) ==
        (folder / "none").string() + ": cannot be opened: No such file or directory");
}

TEST_CASE("download: a file arrives whole, in a folder that is made") {
  const TemporaryFolder folder;
  Server server(content());
  const fs::path to = folder / "new/folder/file";
  download(server.url("/file"), to, checksum(content()), false);
  CHECK(read_file(to) == content());
  CHECK(std::distance(fs::directory_iterator(to.parent_path()), {}) == 1);  // no .part
  download(server.url("/file"), to, checksum(content()), false);            // is there already
  CHECK_THAT(error_of([&] { download(server.url("/file"), to, checksum("else"), false); }),
             Catch::StartsWith("download: '" + to.string() + "' already exists, but it has " +
                               checksum(content()) + ", not " + checksum("else")));
  server.stop();
  CHECK(server.ranges == std::vector<std::string>{""});
}

TEST_CASE("download: resumes what an earlier call left") {
  const TemporaryFolder folder;
  const fs::path to = folder / "file";
  write_file(folder / "file.part", content().substr(0, 123456));
  SECTION("from a server that can") {
    Server server(content());
    download(server.url("/file"), to, checksum(content()), false);
    server.stop();
    CHECK(server.ranges == std::vector<std::string>{"bytes=123456-"});
  }
  SECTION("from the start where the server cannot") {
    Server server(content(), {.ranges = false});
    download(server.url("/file"), to, checksum(content()), false);
    server.stop();
    CHECK(server.ranges == std::vector<std::string>{"bytes=123456-"});
  }
  SECTION("all was there but the name") {
    write_file(folder / "file.part", content());
    Server server(content());
    download(server.url("/file"), to, checksum(content()), false);
  }
  CHECK(read_file(to) == content());
}

TEST_CASE("download: a server that drops the connection is asked again, as long as something comes") {
  const TemporaryFolder folder;
  Server server(content(), {.cut = 110000});
  download(server.url("/file"), folder / "file", checksum(content()), false);
  CHECK(read_file(folder / "file") == content());
  server.stop();
  CHECK(server.ranges == std::vector<std::string>{"", "bytes=110000-", "bytes=220000-"});
}

TEST_CASE("download: a server that always drops the connection and cannot resume is given up") {
  const TemporaryFolder folder;
  Server server(content(), {.ranges = false, .cut = 110000});
  CHECK_THAT(error_of([&] { download(server.url("/file"), folder / "file", checksum(content()), false); }),
             Catch::StartsWith(server.url("/file") + " cannot be fetched: "));
  server.stop();
  CHECK(server.ranges == std::vector<std::string>{"", "bytes=110000-"});
}

TEST_CASE("download: a wrong checksum is said, and nothing bad is left") {
  const TemporaryFolder folder;
  Server server(content());
  const fs::path to = folder / "file";
  CHECK(error_of([&] { download(server.url("/file"), to, checksum("else"), false); }) ==
        "download: what " + server.url("/file") + " sent has " + checksum(content()) + ", not " +
            checksum("else") +
            "; it was removed, so try again, or fetch the file by other means and put it at '" + to.string() +
            "'");
  CHECK(fs::is_empty(folder.path));
  CHECK(error_of([&] { download(server.url("/file"), to, "md5:900150983cd24fb0d6963f7d28e17f72", false); }) ==
        "download: the checksum 'md5:900150983cd24fb0d6963f7d28e17f72' does not read 'sha256:' and 64 "
        "hexadecimal digits");
}

TEST_CASE("download: what cannot be fetched is a DownloadError") {
  const TemporaryFolder folder;
  const fs::path to = folder / "file";
  const auto message = [&](const std::string& url, const fs::path& destination) -> std::string {
    try {
      download(url, destination, checksum("else"), false);
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
  download(server.url("/moved"), folder / "file", checksum("abc"), false);
  CHECK(read_file(folder / "file") == "abc");
}

TEST_CASE("download: whatever an earlier call left, the next one ends with the file") {
  const TemporaryFolder folder;
  const fs::path to = folder / "file";
  const bool ranges = GENERATE(true, false);
  Server server(content(), {.ranges = ranges});  // asked for what lies beyond its file, it answers 416
  const std::uint64_t size = GENERATE(0, 300000);
  const std::string left = GENERATE(content(), content() + "more", std::string(1000, 'x'),
                                    std::string(300000, 'x'), std::string(400000, 'x'), "");
  write_file(folder / "file.part", left);
  CHECK(refusal(server.url("/file"), to, checksum(content()), size) == "");
  CHECK(read_file(to) == content());
  CHECK_FALSE(fs::exists(folder / "file.part"));
  server.stop();
  if (left == content()) CHECK(server.ranges.empty());
}

TEST_CASE("download: no server fills the disk, whatever length it states") {
  const TemporaryFolder folder;
  for (const long length : {-1l, 300000l, 1l << 40}) {  // -1: it states none
    Server server(content(), {.length = length});
    CHECK_THAT(refusal(server.url("/file"), folder / "file", checksum("abc"), 1000),
               Catch::Contains("the server sent more than the 1000 bytes expected"));
    CHECK(read_file(folder / "file.part").size() <= 1000);
    fs::remove(folder / "file.part");
  }
  Server server(content(), {.length = -1});
  CHECK(refusal(server.url("/file"), folder / "file", checksum(content()), 300000) == "");
}

TEST_CASE("download: a part that begins elsewhere is not taken") {
  const TemporaryFolder folder;
  write_file(folder / "file.part", content().substr(0, 1000));
  Server server(content(), {.shift = 10});
  CHECK_THAT(refusal(server.url("/file"), folder / "file", checksum(content())),
             Catch::Contains("the server sent a part that does not begin at byte 1000"));
}

TEST_CASE("download: nothing is written through links, pipes or folders") {
  const TemporaryFolder folder;
  Server server(content());
  const std::string kind = GENERATE("symlink", "dangling", "hard link", "pipe", "folder"),
                    name = GENERATE("file", "file.part");
  INFO(kind << " " << name);
  const fs::path at = folder / name, precious = folder / "precious";
  write_file(precious, "precious");
  if (kind == "symlink") fs::create_symlink(precious, at);
  if (kind == "dangling") fs::create_symlink(folder / "none", at);
  if (kind == "hard link" && name == "file.part") fs::create_hard_link(precious, at);
  if (kind == "hard link" && name == "file") return;  // it is renamed over, which does no harm
  if (kind == "pipe") REQUIRE(mkfifo(at.c_str(), 0600) == 0);
  if (kind == "folder") fs::create_directory(at);
  const std::string error = refusal(server.url("/file"), folder / "file", checksum(content()));
  CHECK_THAT(error, Catch::Contains("'" + at.string() + "' is not a regular file") &&
                        Catch::Contains("a link, a folder or the like; remove it and try again"));
  CHECK(read_file(precious) == "precious");
  CHECK_FALSE(fs::exists(folder / "none"));
  server.stop();
  CHECK(server.ranges.empty());
}

TEST_CASE("download: https stays https, and only http and https are followed") {
  CHECK(may_redirect("http://a/b", "http://c"));
  CHECK(may_redirect("http://a/b", "https://c"));
  CHECK(may_redirect("https://a/b", "HTTPS://c"));
  CHECK_FALSE(may_redirect("https://a/b", "http://c"));
  CHECK_FALSE(may_redirect("HTTPS://a/b", "http://c"));
  for (const char* to : {"ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://x", "scp://x", "dict://x"}) {
    CHECK_FALSE(may_redirect("http://a", to));
    const TemporaryFolder folder;
    Server server("", {.redirect = to});
    CHECK_THAT(refusal(server.url("/moved"), folder / "file", checksum("abc")),
               Catch::Contains(std::string("it redirects to ") + to));
    CHECK_THAT(refusal(to, folder / "file", checksum("abc")), Catch::Contains("only http and https are"));
  }
  const TemporaryFolder folder;
  Server circle("", {.redirect = "/moved"});
  CHECK_THAT(refusal(circle.url("/moved"), folder / "file", checksum("abc")),
             Catch::Contains("redirected more than 10 times"));
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
