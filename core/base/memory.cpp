// The pool behind core/base/memory.hpp: free lists by size class.
#include <xgrad/core/base/memory.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/fork.hpp>
#include <xgrad/core/base/threads.hpp>

extern "C" [[gnu::weak]] void __asan_init();  // where a program has been compiled with AddressSanitizer

namespace xgrad::memory {
namespace {

constexpr std::size_t huge_page = 2 << 20;
constexpr std::size_t most_bytes = 1l << 57;  // no process has more, and rounded up they fit a size_t

// Eight classes a doubling: at most an eighth is wasted, and blocks of similar sizes serve each other.
std::size_t size_class(std::size_t bytes) {
  std::size_t n = std::max<std::size_t>((bytes + 63) / 64 * 64, 64);
  std::size_t step = std::max<std::size_t>(std::bit_floor(n) / 8, 64);
  return (n + step - 1) / step * step;
}
/// The number of a class, counted from 0: its place among the eight of its doubling.
std::size_t number_of(std::size_t n) {
  const auto doubling = std::size_t(std::bit_width(n / 64)) - 1;  // n is at least 64
  return 8 * doubling + 8 * (n - (std::size_t(64) << doubling)) / (std::size_t(64) << doubling);
}

/// What a large block is preceded by: its own class, since it may serve a smaller one.
struct alignas(64) Header {
  std::size_t size;
};
Header& header_of(void* block) { return static_cast<Header*>(block)[-1]; }

/// Free blocks by size class, linked through their own first bytes: giving one back needs no memory.
struct Pool {
  struct Free {
    Free* next;
  };
  std::mutex mutex;
  std::array<Free*, 8 * 53> lists{};
  const bool keeps = !__asan_init && !runs_in_valgrind();

  static bool runs_in_valgrind() {
    const char* preloaded = std::getenv("LD_PRELOAD");  // by which it gets in
    return preloaded && std::string_view(preloaded).find("/vgpreload_") != std::string_view::npos;
  }

  /// A free block, or null: of just this class, or where blocks are large of one up to twice as large.
  void* take(std::size_t n) {
    const std::size_t first = number_of(n), last = n < huge_page ? first : first + 8;
    for (std::size_t i = first; i <= last; ++i)
      if (Free* block = lists[i]) {
        lists[i] = block->next;
        return block;
      }
    return nullptr;
  }
  void give(void* block, std::size_t n) {
    Free*& list = lists[number_of(n < huge_page ? n : header_of(block).size)];
    list = new (block) Free{list};
  }
};
Pool& pool() {
  // Never destroyed: arrays in static variables may outlive anything.
  static Pool* pool = [] {
    auto* made = new Pool;
    threads::keep_over_fork(made->mutex);
    return made;
  }();
  return *pool;
}
const bool made = (pool(), true);  // before any thread may fork
std::atomic<std::size_t> used{0}, most{0};

/// From huge pages. Blocks start at different offsets in a page: where they are read side by side, the same
/// offsets would map to the same sets of the caches and banks of the memory.
void* allocate_huge(std::size_t n) {
  static std::atomic<std::size_t> count{0};
  const std::size_t start = count++ % 16 * (17 * 4096 + 64) + sizeof(Header);
  const std::size_t whole = (n + start + huge_page - 1) / huge_page * huge_page;
  char* pages = static_cast<char*>(std::aligned_alloc(huge_page, whole));
  if (!pages) return nullptr;
  madvise(pages, whole, MADV_HUGEPAGE);
  char* block = pages + start;
  header_of(block).size = n;
  return block;
}
/// From the system; without room to spare where blocks are not kept, so that overruns are seen too.
void* fresh_block(std::size_t bytes, std::size_t n) {
  if (!pool().keeps) return std::aligned_alloc(64, std::max<std::size_t>((bytes + 63) / 64 * 64, 64));
  return n >= huge_page ? allocate_huge(n) : std::aligned_alloc(64, n);
}
void free_block(void* block, std::size_t n) {
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  std::free(n >= huge_page ? reinterpret_cast<void*>(address / huge_page * huge_page) : block);
}

}  // namespace

void* allocate(std::size_t bytes) {
  void* block = nullptr;
  std::size_t n = 0;
  if (bytes <= most_bytes) {
    n = size_class(bytes);
    if (pool().keeps) {
      std::lock_guard lock(pool().mutex);
      block = pool().take(n);
    }
    if (!block) block = fresh_block(bytes, n);
  }
  if (!block)
    fail("memory: cannot allocate {:.1f} MB ({:.1f} MB in use)", double(bytes) / 1e6, double(in_use()) / 1e6);
  const std::size_t now = used.fetch_add(n, std::memory_order_relaxed) + n;
  for (std::size_t seen = most.load(std::memory_order_relaxed); seen < now;)
    if (most.compare_exchange_weak(seen, now, std::memory_order_relaxed)) break;
  // Packs are computed whole: what lies beyond the last element is computed along with it.
  if (const std::size_t used_of_last = bytes % 64)
    std::memset(static_cast<char*>(block) + bytes, 0, 64 - used_of_last);
  return block;
}

void release(void* block, std::size_t bytes) noexcept {
  const std::size_t n = size_class(bytes);
  used.fetch_sub(n, std::memory_order_relaxed);
  if (!pool().keeps) return std::free(block);
  std::lock_guard lock(pool().mutex);
  pool().give(block, n);
}

std::size_t in_use() { return used.load(std::memory_order_relaxed); }
std::size_t peak() { return most.load(std::memory_order_relaxed); }
void reset_peak() { most.store(in_use(), std::memory_order_relaxed); }

bool keeps_blocks() { return pool().keeps; }

void trim() {
  std::lock_guard lock(pool().mutex);
  auto& lists = pool().lists;
  for (std::size_t i = 0; i < lists.size(); ++i)
    while (auto* block = lists[i]) {
      lists[i] = block->next;
      free_block(block, i < number_of(huge_page) ? 64 : huge_page);
    }
}

}  // namespace xgrad::memory
