// Memory: freed blocks are used again, and what is in use is counted.
#include <xgrad/core/base/memory.hpp>

#include <algorithm>
#include <limits>

#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

TEST_CASE("memory: a freed block serves the next of its size, and of a size a little smaller") {
  void* block = memory::allocate(100'000);
  memory::release(block, 100'000);
  if (!memory::keeps_blocks()) return skip("memory: blocks are not kept under AddressSanitizer and Valgrind");
  void* again = memory::allocate(100'000);
  CHECK(again == block);
  memory::release(again, 100'000);
  void* smaller = memory::allocate(99'000);
  CHECK(smaller == block);
  void* other = memory::allocate(100'000);
  CHECK(other != block);
  memory::release(smaller, 99'000);
  memory::release(other, 100'000);
}

TEST_CASE("memory: a large block serves sizes down to half of its own, and is whole again afterwards") {
  constexpr std::size_t large = 100'000'000;
  if (!memory::keeps_blocks()) return skip("memory: blocks are not kept under AddressSanitizer and Valgrind");
  memory::trim();  // other tests leave blocks that would serve as well
  void* block = memory::allocate(large);
  memory::release(block, large);
  void* half = memory::allocate(large * 6 / 10);
  CHECK(half == block);
  memory::release(half, large * 6 / 10);
  void* whole = memory::allocate(large);
  CHECK(whole == block);
  memory::release(whole, large);
  void* small = memory::allocate(large / 3);
  CHECK(small != block);
  memory::release(small, large / 3);
}

TEST_CASE("memory: blocks are aligned, and may be written up to the next 64 bytes") {
  for (std::size_t bytes : {1ul, 63ul, 64ul, 65ul, 1000ul, 70'001ul, 3'000'001ul}) {
    auto* block = static_cast<char*>(memory::allocate(bytes));
    CHECK(reinterpret_cast<std::uintptr_t>(block) % 64 == 0);
    CHECK(std::all_of(block + bytes, block + (bytes + 63) / 64 * 64, [](char c) { return c == 0; }));
    std::fill_n(block, (bytes + 63) / 64 * 64, 'x');  // the address sanitizer would object
    memory::release(block, bytes);
  }
}

TEST_CASE("memory: in_use and peak count what is handed out") {
  const std::size_t before = memory::in_use();
  memory::reset_peak();
  CHECK(memory::peak() == before);
  {
    const Array a = zeros({1 << 18});  // 1 MiB
    CHECK(memory::in_use() == before + (1 << 20));
    const Array same = a, shaped = a.reshape({2, -1});
    CHECK(memory::in_use() == before + (1 << 20));
    { const Array b = zeros({1 << 18}); }
    CHECK(memory::in_use() == before + (1 << 20));
  }
  CHECK(memory::in_use() == before);
  CHECK(memory::peak() == before + (2 << 20));
  memory::reset_peak();
  CHECK(memory::peak() == before);
}

TEST_CASE("memory: at most an eighth is wasted") {
  const std::size_t before = memory::in_use();
  for (std::size_t bytes = 1000; bytes < 50'000'000; bytes = bytes * 9 / 7) {
    void* block = memory::allocate(bytes);
    const std::size_t taken = memory::in_use() - before;
    CHECK(taken >= bytes);
    CHECK(taken <= bytes + bytes / 8 + 64);
    memory::release(block, bytes);
  }
}

TEST_CASE("memory: trim leaves what is in use alone") {
  Array a = full({100'000}, 3);
  { Array b = full({100'000}, 4); }
  memory::trim();
  CHECK(a.data<float>()[99'999] == 3);
  Array b = full({100'000}, 5);  // nothing is kept, so this is a new block
  CHECK(b.data<float>()[99'999] == 5);
  memory::trim();
}

TEST_CASE("memory: what cannot be had is an error that says how much") {
  const std::size_t before = memory::in_use();
  const std::string message = error_of([] { zeros({1l << 46}); });
  CHECK(message.starts_with("memory: cannot allocate 281474976.7 MB ("));
  CHECK(memory::in_use() == before);
}
