// Tests of the idx reader and of MNIST: on files written here, and on the real set where it is found.
#include <xgrad/datasets/mnist.hpp>

#include <xgrad/datasets/locate.hpp>
#include "tests/datasets/files.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

namespace fs = std::filesystem;

std::string idx(const std::vector<long>& dims, const std::string& payload) {
  std::string bytes = {0, 0, 8, char(dims.size())};
  for (const long dim : dims)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += char(dim >> shift & 255);
  return bytes + payload;
}
/// Bytes that gzip cannot make much smaller.
std::string noise(std::size_t n) {
  std::string bytes;
  for (std::uint32_t x = 1; bytes.size() < n; x = x * 1664525 + 1013904223) bytes += char(x >> 24);
  return bytes;
}
fs::path gzipped(const fs::path& file, const std::string& bytes) {
  write_file(file, bytes);
  gzip(file);
  return file.string() + ".gz";
}
void write_mnist(const fs::path& folder, long train, long test) {
  for (const auto& [part, n] : {std::pair("train", train), std::pair("t10k", test)}) {
    std::string labels;
    for (long i = 0; i < n; ++i) labels += char(i % 10);
    gzipped(folder / (std::string(part) + "-images-idx3-ubyte"),
            idx({n, 28, 28}, noise(std::size_t(n * 784))));
    gzipped(folder / (std::string(part) + "-labels-idx1-ubyte"), idx({n}, labels));
  }
}

}  // namespace

TEST_CASE("idx: what is written is read, gzipped or not") {
  const TemporaryFolder folder;
  const std::string payload = noise(60);
  for (const fs::path& file : {gzipped(folder / "a", idx({3, 4, 5}, payload)), folder / "b"}) {
    if (!fs::exists(file)) write_file(file, idx({3, 4, 5}, payload));
    const Array array = read_idx(file, 3);
    CHECK(array.shape() == Shape{3, 4, 5});
    CHECK(std::string(array.bytes(), 60) == payload);
  }
  write_file(folder / "empty", idx({0, 28, 28}, ""));
  CHECK(read_idx(folder / "empty", 3).shape() == Shape{0, 28, 28});
}

TEST_CASE("idx: no more is unpacked than the limits allow") {
  const TemporaryFolder folder;
  const fs::path file = gzipped(folder / "a", idx({1 << 20}, std::string(1 << 20, '\0')));
  CHECK(read_idx(file, 1, {.unpacked = 2 << 20}).size() == 1 << 20);
  CHECK_THAT(error_of([&] { read_idx(file, 1, {.unpacked = 1 << 19}); }),
             Catch::StartsWith(file.string()) && Catch::Contains("LoadLimits::unpacked allows more"));
}

TEST_CASE("idx: a damaged file is named, and what is wrong with it") {
  const TemporaryFolder folder;
  const fs::path file = folder / "file";
  const auto error = [&](const std::string& bytes, int rank = 1) {
    write_file(file, bytes);
    return error_of([&] { read_idx(file, rank); });
  };
  const std::string start = file.string() + ": byte ", none = "an idx file's first four bytes was expected";
  CHECK(error(idx({10}, "0123456789"), 3) == start +
                                                 "0: this is not an idx file of unsigned bytes of rank 3: it "
                                                 "begins with 00 00 08 01, not 00 00 08 03");
  CHECK(error("<html>") == start +
                               "0: this is not an idx file of unsigned bytes of rank 1: it begins with 3c 68 "
                               "74 6d, not 00 00 08 01");
  CHECK_THAT(error(""), Catch::StartsWith(start + "0: an idx file's first four bytes"));
  CHECK(error(idx({10}, "01234")) ==
        start + "8: the bytes of all elements was expected, but the file ends after 5 more bytes");
  CHECK(error(idx({10}, "0123456789a")) == start + "18: the end was expected, but something follows");
  CHECK(error(idx({1l << 31, 1l << 31, 28}, "x"), 3) ==
        start + "12: a file of 17 bytes cannot hold shape (2147483648, 2147483648, 28); fetch it again");
  CHECK(error_of([&] { read_idx(folder / "none", 1); }) ==
        (folder / "none").string() + ": cannot be opened: No such file or directory");
}

TEST_CASE("idx: gzip's own damage is noticed") {
  const TemporaryFolder folder;
  const fs::path file = gzipped(folder / "file", idx({100000}, noise(100000)));
  const std::string good = read_file(file), start = file.string() + ": byte ";
  CHECK(error_of([&] { read_idx(file, 1); }) == "");
  write_file(file, good.substr(0, good.size() / 2));
  CHECK_THAT(error_of([&] { read_idx(file, 1); }),
             Catch::StartsWith(start) &&
                 Catch::Contains("damaged: more gzip data was expected, but the file is truncated"));
  write_file(file, good.substr(0, good.size() - 4));
  CHECK_THAT(error_of([&] { read_idx(file, 1); }),
             Catch::StartsWith(start) &&
                 Catch::Contains("damaged: more gzip data was expected, but the file is truncated"));
  write_file(file, good);
  patch(file, long(good.size()) - 6, good[good.size() - 6] ^ 1);  // in the checksum
  CHECK_THAT(error_of([&] { read_idx(file, 1); }),
             Catch::StartsWith(start) && Catch::Contains("incorrect data check"));
  write_file(file, good + "more");
  CHECK(error_of([&] { read_idx(file, 1); }) ==
        start + std::to_string(good.size()) +
            ": damaged: the end was expected, but something follows; fetch it again");
  write_file(file, good);
  patch(file, 50000, good[50000] ^ 1);
  CHECK_THAT(error_of([&] { read_idx(file, 1); }), Catch::StartsWith(start));
}

TEST_CASE("mnist: four files make a set") {
  const TemporaryFolder folder;
  const fs::path inner = folder / "mnist";
  write_mnist(inner, 20, 12);
  for (const fs::path& given : {folder.path, inner}) {
    const Split split = mnist({.folder = given});
    CHECK(split.train.images.shape() == Shape{20, 1, 28, 28});
    CHECK(split.train.images.elements<std::uint8_t>()[1] == std::uint8_t(noise(2)[1]));
    CHECK(split.test.labels.elements<std::int64_t>()[11] == 1);
    CHECK(split.test.labels.shape() == Shape{12});
    CHECK(split.train.classes.at(7) == "7");
  }
}

TEST_CASE("mnist: files that do not belong together are refused") {
  const TemporaryFolder folder;
  write_mnist(folder.path, 20, 12);
  const auto error = [&] { return error_of([&] { mnist({.folder = folder.path}); }); };
  const std::string start = "mnist: '" + folder.path.string();
  SECTION("numbers differ") {
    gzipped(folder / "t10k-labels-idx1-ubyte", idx({11}, std::string(11, 1)));
    CHECK(error() == start + "/t10k-labels-idx1-ubyte.gz' holds 11 labels, but '" + folder.path.string() +
                         "/t10k-images-idx3-ubyte.gz' 12 images; they do not belong together");
  }
  SECTION("a label out of range") {
    gzipped(folder / "train-labels-idx1-ubyte", idx({20}, std::string(19, 1) + char(10)));
    CHECK(error() == start +
                         "/train-labels-idx1-ubyte.gz' is damaged: label 10 at byte 27 (unpacked) is not in "
                         "[0, 10); fetch it again");
  }
  SECTION("another size") {
    gzipped(folder / "train-images-idx3-ubyte", idx({20, 27, 28}, noise(20 * 27 * 28)));
    CHECK(error() == start + "/train-images-idx3-ubyte.gz' holds images of 27 x 28 pixels, not 28 x 28");
  }
}

TEST_CASE("mnist: the real set") try {
  const Split split = mnist({.download = false});
  CHECK(split.train.images.shape() == Shape{60000, 1, 28, 28});
  CHECK(split.test.images.shape() == Shape{10000, 1, 28, 28});
  CHECK(split.train.labels.elements<std::int64_t>()[0] == 5);
  CHECK(split.test.labels.elements<std::int64_t>()[0] == 7);
} catch (const DataUnavailable& e) {
  skip(e.what());
}

TEST_CASE("mnist: one flipped bit of the real set is noticed, also in files that were unpacked") try {
  const fs::path from =
      locate({"mnist", "mnist", {"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}, {}},
             {.download = false});
  const TemporaryFolder folder;
  for (const auto& [name, rank, at] : {std::tuple("t10k-images-idx3-ubyte.gz", 3, 4'000'000l),
                                       std::tuple("t10k-labels-idx1-ubyte.gz", 1, 5'000l)}) {
    const fs::path file = folder / name;
    const Array data = read_idx(from / name, rank);
    std::string bytes = idx({data.shape().begin(), data.shape().end()},
                            std::string(data.bytes(), std::size_t(data.byte_size())));
    write_file(file, bytes);
    CHECK(same_bits(read_idx(file, rank), data));
    bytes[std::size_t(at)] ^= 1;
    write_file(file, bytes);
    CHECK_THAT(error_of([&, rank = rank] { read_idx(file, rank); }),
               Catch::StartsWith(file.string() + ": byte ") &&
                   Catch::Contains("it is not the file that its authors published"));
    for (char& c : bytes) c = char(c ^ 1);  // another set, not a damaged one
    write_file(file, idx({data.shape().begin(), data.shape().end()},
                         bytes.substr(bytes.size() - std::size_t(data.byte_size()))));
    CHECK(read_idx(file, rank).shape() == data.shape());
  }
} catch (const DataUnavailable& e) {
  skip(e.what());
}
