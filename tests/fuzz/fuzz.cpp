// What libFuzzer feeds to a reader: a file that may hold anything is read, or refused by an Error.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <xgrad/core/base/error.hpp>
#include "tests/fuzz/targets.hpp"

namespace {

using xgrad::tests::FuzzTarget;

/// The one that XGRAD_FUZZ names.
const FuzzTarget& chosen() {
  const char* name = std::getenv("XGRAD_FUZZ");
  for (auto& target : xgrad::tests::fuzz_targets())
    if (name && target.name == std::string_view(name)) return target;
  fmt::print(stderr, "fuzz: XGRAD_FUZZ must name a reader:");
  for (auto& target : xgrad::tests::fuzz_targets()) fmt::print(stderr, " {}", target.name);
  fmt::print(stderr, "\n");
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FuzzTarget& target = chosen();
  static const std::string path = (std::filesystem::temp_directory_path() / target.file).string();
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (target.repair) target.repair(bytes);
  std::ofstream(path, std::ios::binary) << bytes;
  try {
    target.read(path);
  } catch (const xgrad::Error&) {
  }
  return 0;
}
