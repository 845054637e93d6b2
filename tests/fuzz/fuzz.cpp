// What libFuzzer feeds to a reader: a file that may hold anything is read, or refused by an Error.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "datasets/cifar.hpp"
#include "datasets/download.hpp"
#include "datasets/image.hpp"
#include "datasets/mnist.hpp"
#include "nn/numpy.hpp"
#include "nn/run_folder.hpp"
#include "nn/training_state.hpp"
#include "tests/fuzz/repair.hpp"

namespace {

using namespace xgrad;
namespace fs = std::filesystem;
using Bytes = std::string;

void read_cifar_file(const Bytes& path) {
  const fs::path file = path;
  read_cifar({&file, 1}, {.records = 2});
}

void unpack_archive(const Bytes& path) {
  const fs::path folder = path + ".unpacked";
  try {
    unpack(path, folder, {.unpacked = 16 << 20});
  } catch (const Error&) {
  }
  fs::remove_all(folder);
}

/// A reader, the file that it is given, and what is made right in it before.
struct Target {
  const char *name, *file;
  void (*read)(const Bytes& path);
  void (*repair)(Bytes&) = nullptr;
};

const Target targets[] = {
    {"cifar", "x.bin", read_cifar_file},
    {"idx", "x-idx3-ubyte.gz", [](const Bytes& path) { read_idx(path, 3); }},
    {"safetensors", "x.safetensors", [](const Bytes& path) { load_tensors(path); }},
    {"checkpoint", "x.safetensors", [](const Bytes& path) { load_training(path); }},
    {"npz", "x.npz", [](const Bytes& path) { load_npz(path, {.unpacked = 64 << 20}); }, tests::repair_zip},
    {"npy", "x.npy", [](const Bytes& path) { load_npy(path); }},
    {"pickle", "x.pkl", [](const Bytes& path) { load_pickle(path); }},
    {"image", "x.png", [](const Bytes& path) { load_image(path); }, tests::repair_png},
    {"metrics", "metrics.jsonl", [](const Bytes& path) { read_metrics(path); }},
    {"settings", "settings.json", [](const Bytes& path) { load_settings(fs::path(path).parent_path()); }},
    {"tar", "x.tar.gz", unpack_archive, tests::repair_tar},
};

/// The one that XGRAD_FUZZ names.
const Target& chosen() {
  const char* name = std::getenv("XGRAD_FUZZ");
  for (auto& target : targets)
    if (name && target.name == std::string_view(name)) return target;
  fmt::print(stderr, "fuzz: XGRAD_FUZZ must name a reader:");
  for (auto& target : targets) fmt::print(stderr, " {}", target.name);
  fmt::print(stderr, "\n");
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Target& target = chosen();
  static const Bytes path = (fs::temp_directory_path() / target.file).string();
  Bytes bytes(reinterpret_cast<const char*>(data), size);
  if (target.repair) target.repair(bytes);
  std::ofstream(path, std::ios::binary) << bytes;
  try {
    target.read(path);
  } catch (const Error&) {
  }
  return 0;
}
