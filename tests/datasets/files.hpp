#pragma once
// What the tests of datasets/ share: files, archives and environment variables for the length of a test.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <xgrad/datasets/dataset.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

namespace xgrad::tests {

/// Writes the files of MNIST below a folder, with four black pictures of a 0 in each part.
inline void write_black_mnist(const std::filesystem::path& folder) {
  for (const std::string part : {"train", "t10k"}) {
    write_file(folder / "mnist" / (part + "-images-idx3-ubyte.gz"),
               std::string("\0\0\10\3\0\0\0\4\0\0\0\34\0\0\0\34", 16) + std::string(4 * 784, '\0'));
    write_file(folder / "mnist" / (part + "-labels-idx1-ubyte.gz"),
               std::string("\0\0\10\1\0\0\0\4", 8) + std::string(4, '\0'));
  }
}
/// Overwrites one byte.
inline void patch(const std::filesystem::path& file, long offset, int value) {
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(offset);
  out.put(char(value));
}
/// Replaces the file by its gzipped form, named file.gz.
inline void gzip(const std::filesystem::path& file) {
  REQUIRE(std::system(("gzip -1 -n -f '" + file.string() + "'").c_str()) == 0);
}

/// An entry of a tar archive: a path, its type ('0' file, '5' folder, '2' link, whose target is `bytes`), its
/// bytes.
struct TarEntry {
  std::string path;
  char type = '0';
  std::string bytes = {};
};
/// A tar archive written by hand, so that it may hold what the tar command refuses to write.
inline std::string tar(const std::vector<TarEntry>& entries) {
  std::string result;
  for (const auto& [path, type, bytes] : entries) {
    const bool link = type == '2';
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
    const auto octal = [](long value, int digits) { return fmt::format("{:0{}o}", value, digits); };
    put(0, path);
    put(100, octal(0644, 7));
    put(124, octal(link ? 0 : long(bytes.size()), 11));
    put(136, octal(0, 11));
    put(148, "        ");
    put(156, std::string(1, type));
    if (link) put(157, bytes);
    put(257, std::string("ustar\00000", 8));
    long sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put(148, octal(sum, 6) + '\0');
    result += header;
    if (!link) result += bytes + std::string((512 - bytes.size() % 512) % 512, '\0');
  }
  return result + std::string(1024, '\0');
}

/// Sets an environment variable, or unsets it where the value is empty, until the end of the scope.
class Environment {
 public:
  Environment(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* old = std::getenv(name_.c_str())) old_ = old;
    set(value);
  }
  ~Environment() { set(old_.value_or("")); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  void set(const std::string& value) {
    if (value.empty())
      unsetenv(name_.c_str());
    else
      setenv(name_.c_str(), value.c_str(), 1);
  }
  std::string name_;
  std::optional<std::string> old_;
};

/// A small data set: image i has the label i % classes, and its pixels tell i and the place.
inline Dataset small_dataset(long n, long classes = 10, Shape image = {3, 2, 2}) {
  Dataset data{"small", Array({n, image[0], image[1], image[2]}, DType::u8), Array({n}, DType::i64)};
  for (long i = 0; i < n; ++i) data.labels.mutable_data<std::int64_t>()[i] = i % classes;
  for (long i = 0; i < data.images.size(); ++i)
    data.images.mutable_data<std::uint8_t>()[i] = std::uint8_t(i / image.size() * 7 + i % image.size());
  for (long c = 0; c < classes; ++c) data.classes.push_back(std::string(1, char('a' + c)));
  return data;
}

}  // namespace xgrad::tests
