// The hostile files with damage at random: a small round of ./run fuzz, in every run of the tests.
#include <fstream>
#include <random>

#include <xgrad/core/base/error.hpp>
#include "tests/catch.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/memory_limit.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

/// Damages bytes in the ways that break readers: bits, numbers, missing, repeated and foreign parts.
class Damage {
 public:
  explicit Damage(std::uint64_t seed) : random_(seed) {}
  void operator()(std::string& bytes, const std::string& other) {
    for (std::size_t n = 1 + below(4); n > 0; --n) once(bytes, other);
  }
  std::size_t below(std::size_t n) { return n ? std::size_t(random_() % n) : 0; }

 private:
  void once(std::string& bytes, const std::string& other) {
    const std::size_t at = below(bytes.size()), length = 1 + below(16);
    constexpr std::uint64_t numbers[] = {0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, ~0ull};
    switch (below(6)) {
      case 0:
        if (!bytes.empty()) bytes[at] = char(bytes[at] ^ 1 << below(8));
        break;
      case 1: {
        const std::string number = little(numbers[below(std::size(numbers))], 1 << below(4));
        bytes.replace(at, number.size(), number);
        break;
      }
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(at, bytes.substr(below(bytes.size()), length));
        break;
      case 4:
        bytes.replace(at, length, other.substr(below(other.size()), length));
        break;
      case 5:
        bytes.resize(at);
        break;
    }
  }
  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("hostile files with damage at random are read, or refused by an Error") {
  TemporaryFolder folder;
  for (auto& target : fuzz_targets()) {
    const std::string path = folder / target.file;
    std::vector<std::string> seeds;
    for (auto& seed : target.seeds())
      if (seed.bytes.size() <= 1 << 14) seeds.push_back(seed.bytes);
    const MemoryLimit limit(256 << 20);
    for (std::uint64_t round = 0; round < 150; ++round) {
      Damage damage(round);
      std::string bytes = seeds[damage.below(seeds.size())];
      damage(bytes, seeds[damage.below(seeds.size())]);
      if (target.repair) target.repair(bytes);
      std::ofstream(path, std::ios::binary) << bytes;
      INFO("reader " << target.name << ", round " << round);
      try {
        target.read(path);
      } catch (const Error& e) {
        CHECK_THAT(e.what(), Catch::StartsWith(path));
      }
    }
  }
}
