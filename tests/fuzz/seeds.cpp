// Writes what ./run fuzz starts from: the hostile files of the tests, and files by the library's writers.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/error.hpp"
#include "datasets/image.hpp"
#include "nn/numpy.hpp"
#include "nn/training_state.hpp"
#include "tests/hostile/files.hpp"

namespace {

using namespace xgrad;
using namespace xgrad::tests;
namespace fs = std::filesystem;

constexpr std::size_t max_bytes = 1 << 16;  // longer ones are the same a million times

/// FOLDER/TARGET, where seeds are written to.
struct Corpus {
  Corpus(const fs::path& folder, const std::string& target) : path(folder / target) {
    fs::create_directories(path);
  }
  void add(const std::string& bytes) {
    if (bytes.size() <= max_bytes) std::ofstream(next(), std::ios::binary) << bytes;
  }
  void add(const std::vector<HostileFile>& files) {
    for (auto& file : files) add(file.bytes);
  }
  /// A file to write to.
  std::string next() { return (path / fmt::format("seed-{}", count++)).string(); }

  fs::path path;
  int count = 0;
};

std::string tar(const std::string& name, const std::string& content) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(100, 7, "0000644");
  header.replace(124, 11, fmt::format("{:011o}", content.size()));
  header.replace(148, 8, 8, ' ');
  header[156] = '0';
  header.replace(257, 8, bytes("ustar\00000"));
  unsigned sum = 0;
  for (char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

/// A grey JPEG of 8 x 8 pixels, baseline or progressive: two tables of two codes, and a block that is zero.
std::string jpeg(char frame) {
  const std::string table = bytes("\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
  return bytes("\xff\xd8\xff\xdb\0\x43\0") + std::string(64, '\1') + "\xff" + frame +
         bytes("\0\x0b\x08\0\x08\0\x08\1\1\x11\0") + bytes("\xff\xc4\0\x15\0") + table + bytes("\0\5") +
         bytes("\xff\xc4\0\x15\x10") + table + bytes("\0\1") +
         bytes("\xff\xda\0\x08\1\1\0\0\x3f\0\x3f\xff\xd9");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    fmt::print(stderr, "usage: seeds FOLDER\n");
    return 2;
  }
  const fs::path folder = argv[1];
  auto corpus = [&](const char* target) { return Corpus(folder, target); };
  const Tensors tensors{{{"a", zeros({2, 3})}, {"b", zeros({2}, DType::i64)}}, {{"key", "value"}}};

  Corpus safetensors = corpus("safetensors"), checkpoint = corpus("checkpoint"), npz = corpus("npz");
  safetensors.add(hostile_safetensors());
  save_tensors(safetensors.next(), tensors);
  checkpoint.add(hostile_checkpoints());
  save_training(checkpoint.next(), {tensors.arrays, tensors.arrays, Generator(1), {}, {}});
  npz.add(hostile_npz());
  save_npz(npz.next(), tensors);
  corpus("npy").add(hostile_npy());
  corpus("pickle").add(hostile_pickles());
  corpus("metrics").add(hostile_metrics());
  corpus("settings").add(hostile_settings());

  Corpus cifar = corpus("cifar"), idx = corpus("idx"), image = corpus("image"), archive = corpus("tar");
  cifar.add(hostile_cifar());
  idx.add(hostile_idx());
  image.add(hostile_images());
  archive.add(hostile_archives());
  idx.add(
      bytes("\0\0\x08\3\0\0\0\1\0\0\0\2\0\0\0\2"
            "1234"));
  idx.add(bytes("\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0"));
  for (long channels : {1, 3}) image.add(png_bytes(full({channels, 4, 5}, 100, DType::u8)));
  for (char frame : {'\xc0', '\xc2'}) image.add(jpeg(frame));
  const std::string end(1024, '\0');
  archive.add(tar("a", "12345") + tar("b/c", "") + end);
  archive.add(tar("../a", "1") + end);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "error: %s\n", xgrad::text_of(e));
  return 1;
}
