// Every hostile file is refused by name, or read, within 256 MiB.
#include <sys/stat.h>

#include <fstream>
#include <functional>

#include <xgrad/datasets/cifar.hpp>
#include <xgrad/datasets/download.hpp>
#include <xgrad/datasets/image.hpp>
#include <xgrad/datasets/mnist.hpp>
#include <xgrad/nn/formats/numpy.hpp>
#include <xgrad/nn/run/run_folder.hpp>
#include <xgrad/nn/run/training_state.hpp>
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

TEST_CASE("hostile pictures") {
  check(hostile_images(), "x.png", [](const std::string& path) { load_image(path); });
}

TEST_CASE("hostile idx files") {
  check(hostile_idx(), "x.gz", [](const std::string& path) { read_idx(path, 1); });
}

TEST_CASE("hostile CIFAR files") {
  check(hostile_cifar(), "x.bin", [](const std::string& path) { read_cifar({path}, {.records = 2}); });
}

TEST_CASE("hostile archives") {
  check(hostile_archives(), "x.tar.gz", [](const std::string& path) {
    TemporaryFolder out;
    const std::string error = error_of([&] { unpack(path, out.path, {.unpacked = 1 << 20}); });
    if (error.empty()) return;
    CHECK(std::filesystem::is_empty(out.path));
    fail("{}", error);
  });
}

TEST_CASE("hostile places: pipes, devices and folders are refused at once") {
  TemporaryFolder folder;
  const std::filesystem::path pipe = folder / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::filesystem::path& path :
       {pipe, folder.path, std::filesystem::path("/dev/zero"), folder / "none"}) {
    const auto refused = [&](const std::function<void()>& read) {
      CHECK_THAT(error_of(read), Catch::StartsWith(path.string() + ": cannot be "));
    };
    refused([&] { load_image(path); });
    refused([&] { read_idx(path, 1); });
    refused([&] { read_cifar({path}); });
    refused([&] { unpack(path, folder / "out"); });
    refused([&] { sha256(path); });
  }
}
