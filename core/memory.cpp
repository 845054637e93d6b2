// The pool behind core/memory.hpp: free lists by size class.
#include "core/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/error.hpp"

namespace xgrad::memory {
namespace {

constexpr std::size_t huge_page = 2 << 20;

// Eight classes a doubling: at most an eighth is wasted, and blocks of similar sizes serve each other.
std::size_t size_class(std::size_t bytes) {
  std::size_t n = std::max<std::size_t>((bytes + 63) / 64 * 64, 64);
  std::size_t step = std::max<std::size_t>(std::bit_floor(n) / 8, 64);
  return (n + step - 1) / step * step;
}

struct Pool {
  std::mutex mutex;
  std::unordered_map<std::size_t, std::vector<void*>> free;
};
Pool& pool() {
  static Pool* pool = new Pool;  // never destroyed: arrays in static variables may outlive anything
  return *pool;
}
std::atomic<std::size_t> used{0}, most{0};

}  // namespace

void* allocate(std::size_t bytes) {
  const std::size_t n = size_class(bytes);
  const std::size_t now = used.fetch_add(n, std::memory_order_relaxed) + n;
  for (std::size_t seen = most.load(std::memory_order_relaxed); seen < now;)
    if (most.compare_exchange_weak(seen, now, std::memory_order_relaxed)) break;
  {
    std::lock_guard lock(pool().mutex);
    auto& blocks = pool().free[n];
    if (!blocks.empty()) {
      void* block = blocks.back();
      blocks.pop_back();
      return block;
    }
  }
  void* block = std::aligned_alloc(n >= huge_page ? huge_page : 64,
                                   n >= huge_page ? (n + huge_page - 1) / huge_page * huge_page : n);
  if (!block) {
    used.fetch_sub(n, std::memory_order_relaxed);
    fail("memory: cannot allocate {:.1f} MB ({:.1f} MB in use)", n / 1e6, in_use() / 1e6);
  }
  if (n >= huge_page) madvise(block, n, MADV_HUGEPAGE);
  return block;
}

void release(void* block, std::size_t bytes) noexcept {
  const std::size_t n = size_class(bytes);
  used.fetch_sub(n, std::memory_order_relaxed);
  std::lock_guard lock(pool().mutex);
  pool().free[n].push_back(block);
}

std::size_t in_use() { return used.load(std::memory_order_relaxed); }
std::size_t peak() { return most.load(std::memory_order_relaxed); }
void reset_peak() { most.store(in_use(), std::memory_order_relaxed); }

void trim() {
  std::lock_guard lock(pool().mutex);
  for (auto& [size, blocks] : pool().free) {
    for (void* block : blocks) std::free(block);
    blocks.clear();
  }
}

}  // namespace xgrad::memory
