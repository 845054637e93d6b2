// Every hostile file is refused by name, or read, within 256 MiB.
#include <fstream>
#include <functional>

#include "nn/numpy.hpp"
#include "nn/run_folder.hpp"
#include "nn/training_state.hpp"
#include "tests/catch.hpp"
#include "tests/hostile/files.hpp"
#include "tests/memory_limit.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

void check(const std::vector<HostileFile>& files, const std::string& name,
           const std::function<void(const std::string&)>& read) {
  TemporaryFolder folder;
  const std::string path = folder / name;
  for (auto& file : files) {
    std::ofstream(path, std::ios::binary) << file.bytes;
    const MemoryLimit limit(256 << 20);
    const std::string error = error_of([&] { read(path); });
    INFO(file.name << ": " << error);
    CHECK(error.empty() == file.refusal.empty());
    CHECK((error.empty() || (error.starts_with(path) && error.find(file.refusal) != error.npos)));
  }
}

}  // namespace

TEST_CASE("hostile safetensors files") { check(hostile_safetensors(), "x.safetensors", load_tensors); }

TEST_CASE("hostile checkpoints") { check(hostile_checkpoints(), "x.safetensors", load_training); }

TEST_CASE("hostile .npy files") { check(hostile_npy(), "x.npy", load_npy); }

TEST_CASE("hostile .npz files") {
  check(hostile_npz(), "x.npz", [](const std::string& path) { load_npz(path, {.unpacked = 100 << 20}); });
}

TEST_CASE("hostile pickles") { check(hostile_pickles(), "x.pkl", load_pickle); }

TEST_CASE("hostile metrics") { check(hostile_metrics(), "metrics.jsonl", read_metrics); }

TEST_CASE("hostile settings") {
  check(hostile_settings(), "settings.json",
        [](const std::string& path) { load_settings(std::filesystem::path(path).parent_path()); });
}
