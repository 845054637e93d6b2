// Each reader with limits that let a fuzzer run thousands of files a second.
#include "tests/fuzz/targets.hpp"

#include <filesystem>

#include <xgrad/datasets/cifar.hpp>
#include <xgrad/datasets/download.hpp>
#include <xgrad/datasets/image.hpp>
#include <xgrad/datasets/mnist.hpp>
#include <xgrad/nn/formats/numpy.hpp>
#include <xgrad/nn/run/run_folder.hpp>
#include <xgrad/nn/run/training_state.hpp>
#include "tests/fuzz/repair.hpp"

namespace xgrad::tests {
namespace {

namespace fs = std::filesystem;
using Path = std::string;

void read_cifar_file(const Path& path) { read_cifar({path}, {.records = 2}); }

void unpack_archive(const Path& path) {
  const struct Folder {
    ~Folder() { fs::remove_all(path); }
    fs::path path;
  } folder{path + ".unpacked"};
  unpack(path, folder.path, {.unpacked = 16 << 20});
}

const FuzzTarget targets[] = {
    {"cifar", "x.bin", read_cifar_file, hostile_cifar},
    {"idx", "x.gz", [](const Path& path) { read_idx(path, 1, {.unpacked = 1 << 20}); }, hostile_idx},
    {"safetensors", "x.safetensors", [](const Path& path) { load_tensors(path); }, hostile_safetensors},
    {"checkpoint", "x.safetensors", [](const Path& path) { load_training(path); }, hostile_checkpoints},
    {"npz", "x.npz", [](const Path& path) { load_npz(path, {.unpacked = 64 << 20}); }, hostile_npz,
     repair_zip},
    {"npy", "x.npy", [](const Path& path) { load_npy(path); }, hostile_npy},
    {"pickle", "x.pkl", [](const Path& path) { load_pickle(path); }, hostile_pickles},
    {"image", "x.png", [](const Path& path) { load_image(path); }, hostile_images, repair_png},
    {"metrics", "metrics.jsonl", [](const Path& path) { read_metrics(path); }, hostile_metrics},
    {"settings", "settings.json", [](const Path& path) { load_settings(fs::path(path).parent_path()); },
     hostile_settings},
    {"tar", "x.tar.gz", unpack_archive, hostile_archives, repair_tar},
};

}  // namespace

std::span<const FuzzTarget> fuzz_targets() { return targets; }

}  // namespace xgrad::tests
