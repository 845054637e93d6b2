// CIFAR's binary files: their sizes and labels are checked, and the authors' own to the last bit.
#include <xgrad/datasets/cifar.hpp>

#include <cstring>
#include <filesystem>
#include <memory>
#include <sstream>

#include <xgrad/core/base/reader.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/datasets/known.hpp>
#include <xgrad/datasets/locate.hpp>

namespace xgrad {
namespace {

namespace fs = std::filesystem;
constexpr long pixels = 3 * 32 * 32;
constexpr const char* remedy =
    "remove its folder to download it afresh, or unpack the authors' archive again";

const Source source10{
    "cifar10",
    "cifar-10-batches-bin",
    {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin",
     "test_batch.bin", "batches.meta.txt"},
    {{"https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
      "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", 170052171}}};

const Source source100{
    "cifar100",
    "cifar-100-binary",
    {"train.bin", "test.bin", "fine_label_names.txt", "coarse_label_names.txt"},
    {{"https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
      "sha256:58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec", 168513733}}};

Reader opened(const fs::path& file, const CifarFormat& format) {
  Reader in(file);
  const std::uint64_t record = format.classes.size() + std::size_t(pixels),
                      wanted = std::uint64_t(format.records) * record;
  in.expect(in.size() == wanted, "this {} file is {}: {} bytes, not {} ({} records of {} bytes); {}",
            format.name, in.size() < wanted ? "truncated" : "too long", in.size(), wanted, format.records,
            record, remedy);
  return in;
}

void check_labels(const Reader& in, const CifarFormat& format, const std::uint8_t* record, long offset) {
  for (std::size_t k = 0; k < format.classes.size(); ++k)
    if (record[k] >= format.classes[k]) [[unlikely]]
      in.refuse_at(std::uint64_t(offset) + k,
                   "damaged, or not the binary version of {}: label {} is not in [0, {}); {}", format.name,
                   record[k], format.classes[k], remedy);
}

void read_file(const fs::path& file, const CifarFormat& format, std::uint8_t* images, std::int64_t* labels) {
  Reader in = opened(file, format);
  const long header = long(format.classes.size()), record = header + pixels;
  const std::size_t size = std::size_t(in.size());
  const auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(size);
  in.read(reinterpret_cast<char*>(bytes.get()), size, "the next record");
  for (long i = 0; i < format.records; ++i) {
    const std::uint8_t* from = bytes.get() + i * record;
    check_labels(in, format, from, i * record);
    labels[i] = from[format.label];
    std::memcpy(images + i * pixels, from + header, pixels);
  }
  check_known(file, {reinterpret_cast<const char*>(bytes.get()), size});
}

std::vector<std::string> read_names(const fs::path& file, std::size_t count) {
  Reader in(file);
  in.expect(in.size() <= 1 << 16, "{} class names were expected, but the file has {} bytes; {}", count,
            in.size(), remedy);
  const std::string text = in.text(in.size(), "the class names");
  std::istringstream words(text);
  std::vector<std::string> names;
  for (std::string name; words >> name;) names.push_back(name);
  in.expect(names.size() == count, "{} class names were expected, but the file holds {}; {}", count,
            names.size(), remedy);
  check_known(file, text);
  return names;
}

Dataset named(Dataset data, std::string name, const std::vector<std::string>& classes) {
  data.name = std::move(name);
  data.classes = classes;
  return data;
}

}  // namespace

Dataset read_cifar(const std::vector<std::string>& files, const CifarFormat& format) {
  expect(format.label < format.classes.size(), "{}: label byte {} is out of range", format.name,
         format.label);
  expect(format.records >= 0, "{}: the number of records {} is negative", format.name, format.records);
  for (const auto& file : files) opened(file, format);
  const long n = long(files.size()) * format.records;
  Dataset data{format.name, Array({n, 3, 32, 32}, DType::u8), Array({n}, DType::i64)};
  auto* images = data.images.mutable_data<std::uint8_t>();
  auto* labels = data.labels.mutable_data<std::int64_t>();
  threads::for_each(long(files.size()), [&](long i) {
    const long first = i * format.records;
    read_file(files[std::size_t(i)], format, images + first * pixels, labels + first);
  });
  return data;
}

Split cifar10(const DataOptions& options) {
  const fs::path folder = locate(source10, options);
  std::vector<std::string> training;
  for (std::size_t i = 0; i < 5; ++i) training.push_back(folder / source10.files[i]);
  const auto classes = read_names(folder / "batches.meta.txt", 10);
  return {named(read_cifar(training), "cifar10 train", classes),
          named(read_cifar({folder / source10.files[5]}), "cifar10 test", classes)};
}

Split cifar100(const DataOptions& options, CifarLabels labels) {
  const fs::path folder = locate(source100, options);
  const bool fine = labels == CifarLabels::fine;
  const auto classes =
      read_names(folder / (fine ? "fine_label_names.txt" : "coarse_label_names.txt"), fine ? 100 : 20);
  const auto read = [&](const char* file, long records) {
    return read_cifar({folder / file},
                      {.name = "cifar100", .classes = {20, 100}, .label = fine, .records = records});
  };
  return {named(read("train.bin", 50000), "cifar100 train", classes),
          named(read("test.bin", 10000), "cifar100 test", classes)};
}

}  // namespace xgrad
