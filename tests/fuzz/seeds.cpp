// Writes what ./run fuzz starts from: the hostile files of the tests, and files by the library's writers.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <xgrad/core/base/error.hpp>
#include <xgrad/datasets/image.hpp>
#include <xgrad/nn/formats/numpy.hpp>
#include <xgrad/nn/run/training_state.hpp>
#include "tests/fuzz/targets.hpp"

namespace {

using namespace xgrad;
using namespace xgrad::tests;
namespace fs = std::filesystem;

constexpr std::size_t max_bytes = 1 << 16;  // longer ones are the same a million times

/// FOLDER/TARGET gets those that are not too long.
void write(const fs::path& folder, const FuzzTarget& target) {
  fs::create_directories(folder / target.name);
  int count = 0;
  for (auto& file : target.seeds())
    if (file.bytes.size() <= max_bytes)
      std::ofstream(folder / target.name / fmt::format("seed-{}", count++), std::ios::binary) << file.bytes;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    fmt::print(stderr, "usage: seeds FOLDER\n");
    return 2;
  }
  const fs::path folder = argv[1];
  for (auto& target : fuzz_targets()) write(folder, target);

  const Tensors tensors{{{"a", zeros({2, 3})}, {"b", zeros({2}, DType::i64)}}, {{"key", "value"}}};
  const auto written = [&](const char* target) { return (folder / target / "written").string(); };
  save_tensors(written("safetensors"), tensors);
  save_training(written("checkpoint"), {tensors.arrays, tensors.arrays, Generator(1), {}, {}});
  save_npz(written("npz"), tensors);
  save_png(written("image"), full({3, 4, 5}, 100, DType::u8));
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "error: %s\n", xgrad::text_of(e));
  return 1;
}
