// Untrusted bytes: what is read, what is refused, and what it is called then.
#include <xgrad/core/base/reader.hpp>

#include <sys/stat.h>

#include <fstream>

#include "tests/catch.hpp"

using namespace xgrad;
using tests::error_of;
using tests::TemporaryFolder;
using namespace std::string_literals;

namespace {

/// Gives what `bytes` holds three bytes at a time.
Reader::Source in_threes(std::string bytes) {
  return [bytes, at = std::size_t(0)](char* to, std::size_t n) mutable {
    const std::size_t got = bytes.copy(to, std::min<std::size_t>(n, 3), at);
    at += got;
    return got;
  };
}

}  // namespace

TEST_CASE("reader: the same is read from a file, from memory and from a function") {
  TemporaryFolder folder;
  const std::string bytes = "\1\2\3\4\0\0\0\7name first\nsecond"s + std::string(200'000, 'x') + "end"s;
  std::ofstream(folder / "f", std::ios::binary) << bytes;
  Reader readers[] = {Reader(folder / "f"), Reader("memory", bytes),
                      Reader("function", bytes.size(), in_threes(bytes)),
                      Reader("unknown", Reader::unknown, in_threes(bytes)),
                      Reader(Reader("whole", ""), "part", bytes.size(), in_threes(bytes))};
  CHECK(readers[4].name() == "whole: part");
  for (Reader& in : readers) {
    INFO(in.name());
    CHECK(in.take<std::uint32_t>("a number") == 0x04030201);
    CHECK(in.take_big<std::uint32_t>("a number") == 7);
    CHECK(in.text(4, "a name") == "name");
    in.skip(1, "a blank");
    CHECK(in.line() == "first");
    CHECK(in.at() == 19);
    CHECK(in.text(6, "a word") == "second");
    std::string large(200'000, ' ');
    in.read(large.data(), large.size(), "the x");
    CHECK(large == std::string(200'000, 'x'));
    CHECK_FALSE(in.at_end());
    CHECK(error_of([&] { in.end(); }) ==
          in.name() + ": byte 200025: the end was expected, but something follows");
    char some[8];
    CHECK(in.read_some(some, 1) == 1);
    CHECK(some[0] == 'e');
    CHECK(in.line() == "nd");
    CHECK(in.read_some(some, 8) == 0);
    CHECK(in.at_end());
    CHECK(in.line().empty());
    in.end();
    CHECK(error_of([&] { in.take<char>("the sign"); }) ==
          in.name() + ": byte 200028: the sign was expected, but the file ends here");
  }
}

TEST_CASE("reader: errors name the file, the byte and what was expected") {
  const std::string bytes = "\0\0\0\1abc"s;
  Reader in("f.bin", bytes);
  CHECK(in.take_big<std::int32_t>("the length") == 1);
  CHECK(error_of([&] { in.refuse("a length of {} cannot be", 1); }) ==
        "f.bin: byte 0: a length of 1 cannot be");
  CHECK(error_of([&] { in.expect(false, "no"); }) == "f.bin: byte 0: no");
  CHECK(error_of([&] { in.text(4, "the name"); }) ==
        "f.bin: byte 4: the name was expected, but the file ends after 3 more bytes");
  CHECK(error_of([&] { in.skip(Reader::unknown, "it"); }).starts_with("f.bin: byte 4: it was expected"));
  Reader lies("f.bin", 1'000, in_threes("abcdef"));  // fewer bytes than stated
  CHECK(error_of([&] { lies.text(7, "the name"); }) ==
        "f.bin: byte 6: the name was expected, but the file ends here");
  Reader more("f.bin", 4, in_threes("abcdef"));
  CHECK(more.text(4, "a name") == "abcd");
  CHECK(error_of([&] { more.end(); }).find("more follows than the 4 bytes stated") != std::string::npos);
}

TEST_CASE("reader: memory and depth are bounded") {
  Reader whole("f.zip", "0123456789");
  CHECK(whole.memory() == 640 + (1 << 20));
  whole.set_memory(10);
  Reader part(whole, "a", Reader::unknown, in_threes(std::string(100, 'x')));
  CHECK(part.text(6, "a name") == "xxxxxx");
  CHECK(whole.memory() == 4);
  CHECK(error_of([&] { part.text(5, "a name"); }) ==
        "f.zip: a: byte 0: 5 more bytes of memory would be too many for a file of this size");
  CHECK(error_of([&] { part.line(); }).find("too many") != std::string::npos);
  CHECK(error_of([&] { part.text(1ull << 62, "a name"); }).find("too many") != std::string::npos);
  whole.set_memory(4);
  whole.charge(4);
  CHECK(error_of([&] {
          whole.charge(1, "; raise it");
        }).ends_with("too many for a file of this size; raise it"));
  whole.check_depth(max_depth);
  CHECK(error_of([&] { whole.check_depth(max_depth + 1); }) ==
        "f.zip: byte 0: nested too deeply: more than 100 levels");
}

TEST_CASE("reader: what is no file is refused at once") {
  TemporaryFolder folder;
  const std::string none = folder / "none", pipe = folder / "pipe";
  CHECK(error_of([&] { Reader in{std::filesystem::path(none)}; }) ==
        none + ": cannot be opened: No such file or directory");
  CHECK(error_of([&] { Reader in{folder.path}; }) ==
        folder.path.string() + ": cannot be read: it is a folder");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(error_of([&] { Reader in{std::filesystem::path(pipe)}; }) ==
        pipe + ": cannot be read: it is not a regular file");
  CHECK(error_of([] { Reader in{std::filesystem::path("/dev/zero")}; }) ==
        "/dev/zero: cannot be read: it is not a regular file");
}
