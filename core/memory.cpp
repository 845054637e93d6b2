// The pool behind core/memory.hpp: free lists by size class.
#include "core/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/error.hpp"

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

struct Pool {
  std::mutex mutex;
  std::unordered_map<std::size_t, std::vector<void*>> small;  // free blocks by size class
  std::map<std::size_t, std::vector<void*>> large;            // those of a huge page or more
  std::unordered_map<void*, std::size_t> lent;                // large blocks that serve a smaller class

  /// A free block, or null: of just this class, or where blocks are large of one up to twice as large.
  void* take(std::size_t n) {
    if (n < huge_page) return pop(small[n]);
    for (auto it = large.lower_bound(n); it != large.end() && it->first <= 2 * n; ++it)
      if (void* block = pop(it->second)) {
        if (it->first != n) lent[block] = it->first;
        return block;
      }
    return nullptr;
  }
  void give(void* block, std::size_t n) {
    if (n < huge_page) return small[n].push_back(block);
    if (auto own = lent.extract(block)) n = own.mapped();
    large[n].push_back(block);
  }

 private:
  static void* pop(std::vector<void*>& blocks) {
    if (blocks.empty()) return nullptr;
    void* block = blocks.back();
    blocks.pop_back();
    return block;
  }
};
Pool& pool() {
  static Pool* pool = new Pool;  // never destroyed: arrays in static variables may outlive anything
  return *pool;
}
std::atomic<std::size_t> used{0}, most{0};

/// From huge pages. Blocks start at different places of a page: where they are read side by side, the same
/// places would meet in the same sets of the caches and banks of the memory.
void* allocate_huge(std::size_t n) {
  static std::atomic<std::size_t> count{0};
  const std::size_t start = count++ % 16 * (17 * 4096 + 64);
  const std::size_t whole = (n + start + huge_page - 1) / huge_page * huge_page;
  char* pages = static_cast<char*>(std::aligned_alloc(huge_page, whole));
  if (!pages) return nullptr;
  madvise(pages, whole, MADV_HUGEPAGE);
  return pages + start;
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
    std::lock_guard lock(pool().mutex);
    block = pool().take(n);
  }
  if (!block && n) block = n >= huge_page ? allocate_huge(n) : std::aligned_alloc(64, n);
  if (!block)
    fail("memory: cannot allocate {:.1f} MB ({:.1f} MB in use)", double(bytes) / 1e6, double(in_use()) / 1e6);
  const std::size_t now = used.fetch_add(n, std::memory_order_relaxed) + n;
  for (std::size_t seen = most.load(std::memory_order_relaxed); seen < now;)
    if (most.compare_exchange_weak(seen, now, std::memory_order_relaxed)) break;
  return block;
}

void release(void* block, std::size_t bytes) noexcept {
  const std::size_t n = size_class(bytes);
  used.fetch_sub(n, std::memory_order_relaxed);
  std::lock_guard lock(pool().mutex);
  pool().give(block, n);
}

std::size_t in_use() { return used.load(std::memory_order_relaxed); }
std::size_t peak() { return most.load(std::memory_order_relaxed); }
void reset_peak() { most.store(in_use(), std::memory_order_relaxed); }

void trim() {
  std::lock_guard lock(pool().mutex);
  auto free_all = [](auto& classes) {
    for (auto& [size, blocks] : classes)
      for (void* block : std::exchange(blocks, {})) free_block(block, size);
  };
  free_all(pool().small);
  free_all(pool().large);
}

}  // namespace xgrad::memory
