// Tests of the CIFAR reader: on files written here, and on the real set where it is found.
#include <xgrad/datasets/cifar.hpp>

#include <xgrad/datasets/locate.hpp>
#include "tests/datasets/files.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

namespace fs = std::filesystem;
const std::string remedy = "; remove its folder to download it afresh, or unpack the authors' archive again";

/// Records whose labels are given and whose pixels are a function of record and place.
std::string records(const std::vector<std::string>& labels) {
  std::string bytes;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    bytes += labels[i];
    for (std::size_t p = 0; p < 3072; ++p) bytes += char(i * 31 + p / 1024 * 64 + p % 59);
  }
  return bytes;
}
std::string label(int value) { return std::string(1, char(value)); }

/// A whole set of the right sizes: sparse files of zeros, so that label and pixels are 0 where nothing is
/// patched.
void write_cifar10(const fs::path& folder) {
  for (const char* name :
       {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"}) {
    write_file(folder / (std::string(name) + ".bin"), "");
    fs::resize_file(folder / (std::string(name) + ".bin"), 30730000);
  }
  write_file(folder / "batches.meta.txt",
             "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
}

}  // namespace

TEST_CASE("cifar: files are read in order, label before pixels") {
  const TemporaryFolder folder;
  const std::vector<std::string> files{folder / "a.bin", folder / "b.bin"};
  write_file(files[0], records({label(3), label(9)}));
  write_file(files[1], records({label(0), label(7)}));
  const Dataset data = read_cifar(files, {.records = 2});
  CHECK(data.images.shape() == Shape{4, 3, 32, 32});
  CHECK(data.labels.elements<std::int64_t>()[0] == 3);
  CHECK(data.labels.elements<std::int64_t>()[1] == 9);
  CHECK(data.labels.elements<std::int64_t>()[3] == 7);
  const auto pixels = data.images.elements<std::uint8_t>();
  CHECK(pixels[0] == 0);
  CHECK(pixels[1024 + 60] == 64 + (1024 + 60) % 59);
  CHECK(pixels[3 * 3072 + 3071] == (31 + 2 * 64 + 3071 % 59) % 256);
}

TEST_CASE("cifar: CIFAR-100's records have a coarse and a fine label") {
  const TemporaryFolder folder;
  const fs::path file = folder / "train.bin";
  write_file(file, records({label(11) + label(19), label(19) + label(99)}));
  CifarFormat format{.name = "cifar100", .classes = {20, 100}, .label = 1, .records = 2};
  const Dataset fine = read_cifar({file}, format);
  CHECK(fine.labels.elements<std::int64_t>()[1] == 99);
  CHECK(fine.images.elements<std::uint8_t>()[0] == 0);
  CHECK(fine.images.elements<std::uint8_t>()[3072] == 31);
  format.label = 0;
  const Dataset coarse = read_cifar({file}, format);
  CHECK(coarse.labels.elements<std::int64_t>()[0] == 11);
  CHECK(same_bits(fine.images, coarse.images));
  patch(file, 3074, 20);
  CHECK(error_of([&] { read_cifar({file}, format); }) ==
        file.string() +
            ": byte 3074: damaged, or not the binary version of cifar100: label 20 is not in [0, 20)" +
            remedy);
}

TEST_CASE("cifar: a file that is damaged is named, with the byte") {
  const TemporaryFolder folder;
  const fs::path file = folder / "data.bin";
  const auto error = [&] { return error_of([&] { read_cifar({file}, {.records = 2}); }); };
  const std::string start = file.string() + ": byte ";
  CHECK(error() == file.string() + ": cannot be opened: No such file or directory");
  const std::string good = records({label(1), label(2)});
  write_file(file, good.substr(0, 5000));
  CHECK(error() ==
        start + "0: this cifar10 file is truncated: 5000 bytes, not 6146 (2 records of 3073 bytes)" + remedy);
  write_file(file, good + "x");
  CHECK(error() ==
        start + "0: this cifar10 file is too long: 6147 bytes, not 6146 (2 records of 3073 bytes)" + remedy);
  write_file(file, records({label(1), label(10)}));
  CHECK(error() ==
        start + "3073: damaged, or not the binary version of cifar10: label 10 is not in [0, 10)" + remedy);
  write_file(file, good);
  CHECK(error() == "");
}

TEST_CASE("cifar10: a folder of the right files is read, the folder itself or the one above") {
  const TemporaryFolder folder;
  const fs::path inner = folder / "cifar-10-batches-bin";
  write_cifar10(inner);
  patch(inner / "data_batch_3.bin", 3073 * 17l, 5);
  patch(inner / "test_batch.bin", 3073 * 9999l + 3072, 200);
  for (const fs::path& given : {folder.path, inner}) {
    const Split split = cifar10({.folder = given});
    CHECK(split.train.images.shape() == Shape{50000, 3, 32, 32});
    CHECK(split.test.size() == 10000);
    CHECK(split.train.labels.elements<std::int64_t>()[20017] == 5);
    CHECK(split.test.images.elements<std::uint8_t>().back() == 200);
    CHECK(split.train.classes.at(9) == "truck");
    CHECK(split.test.name == "cifar10 test");
  }
  SECTION("one damaged file spoils the set") {
    patch(inner / "data_batch_5.bin", 30730000l - 3073, 99);
    CHECK(error_of([&] { cifar10({.folder = inner}); }) ==
          (inner / "data_batch_5.bin").string() +
              ": byte 30726927: damaged, or not the binary version of cifar10: label 99 is not in [0, 10)" +
              remedy);
  }
  SECTION("too few names") {
    write_file(inner / "batches.meta.txt", "airplane\nautomobile\n");
    CHECK(error_of([&] { cifar10({.folder = inner}); }) ==
          (inner / "batches.meta.txt").string() +
              ": byte 0: 10 class names were expected, but the file holds 2" + remedy);
  }
}

TEST_CASE("cifar100: fine and coarse labels with their names") {
  const TemporaryFolder folder;
  const fs::path inner = folder / "cifar-100-binary";
  std::string fine, coarse;
  for (int i = 0; i < 100; ++i) fine += "fine" + std::to_string(i) + "\n";
  for (int i = 0; i < 20; ++i) coarse += "coarse" + std::to_string(i) + "\n";
  write_file(inner / "fine_label_names.txt", fine);
  write_file(inner / "coarse_label_names.txt", coarse);
  for (const auto& [name, count] : {std::pair("train.bin", 50000l), std::pair("test.bin", 10000l)}) {
    write_file(inner / name, "");
    fs::resize_file(inner / name, std::uintmax_t(count * 3074));
  }
  patch(inner / "train.bin", 3074l * 40000, 13);
  patch(inner / "train.bin", 3074l * 40000 + 1, 77);
  const Split by_fine = cifar100({.folder = folder.path});
  CHECK(by_fine.train.labels.elements<std::int64_t>()[40000] == 77);
  CHECK(by_fine.test.classes.at(99) == "fine99");
  const Split by_coarse = cifar100({.folder = folder.path}, CifarLabels::coarse);
  CHECK(by_coarse.train.labels.elements<std::int64_t>()[40000] == 13);
  CHECK(by_coarse.train.classes.size() == 20);
}

TEST_CASE("cifar10: the real set") try {
  const Split split = cifar10({.download = false});
  CHECK(split.train.images.shape() == Shape{50000, 3, 32, 32});
  CHECK(split.test.images.shape() == Shape{10000, 3, 32, 32});
  CHECK(split.train.labels.elements<std::int64_t>()[0] == 6);
  CHECK(split.test.labels.elements<std::int64_t>()[0] == 3);
  CHECK(split.train.classes.front() == "airplane");
  for (const auto& [data, each] : {std::pair(split.train, 5000l), std::pair(split.test, 1000l)}) {
    std::vector<long> counts(10);
    for (const auto value : data.labels.elements<std::int64_t>()) ++counts[std::size_t(value)];
    CHECK(counts == std::vector<long>(10, each));
  }
} catch (const DataUnavailable& e) {
  skip(e.what());
}

TEST_CASE("cifar: one flipped bit of the real sets is noticed") try {
  const TemporaryFolder folder;
  for (const std::string set : {"cifar-10-batches-bin", "cifar-100-binary"}) {
    const Source source = set == "cifar-10-batches-bin"
                              ? Source{"cifar10", set, {"test_batch.bin", "batches.meta.txt"}, {}}
                              : Source{"cifar100", set, {"test.bin", "fine_label_names.txt"}, {}};
    const fs::path from = locate(source, {.download = false});
    const fs::path file = folder / source.files[0], names = folder / source.files[1];
    fs::copy_file(from / source.files[0], file);
    const CifarFormat format =
        set == "cifar-10-batches-bin" ? CifarFormat{} : CifarFormat{.classes = {20, 100}, .label = 1};
    const auto read = [&] { return error_of([&] { read_cifar({file}, format); }); };
    CHECK(read() == "");
    const std::string good = read_file(file);
    // A label that stays in range, pixels in the middle and at the end.
    for (const long at : {0l, 5000l, 15'000'000l, long(good.size()) - 1}) {
      patch(file, at, good[std::size_t(at)] ^ 1);
      CHECK_THAT(read(), Catch::StartsWith(file.string() + ": byte ") &&
                             Catch::Contains("it is not the file that its authors published"));
      patch(file, at, good[std::size_t(at)]);
    }
    CHECK(read() == "");
  }
} catch (const DataUnavailable& e) {
  skip(e.what());
}
