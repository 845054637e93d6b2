#pragma once
// Memory for array data: freed blocks are kept and used again, because fresh pages cost more than the
// arithmetic.
#include <cstddef>

namespace xgrad::memory {

/// A block of at least `bytes`, aligned to 64, with room to read and write up to the next multiple of 64.
/// Throws Error.
void* allocate(std::size_t bytes);
/// Gives a block back; `bytes` as it was asked for.
void release(void* block, std::size_t bytes) noexcept;

/// Bytes handed out now, and the most there were since reset_peak().
std::size_t in_use();
std::size_t peak();
void reset_peak();
/// Returns the blocks that are kept for reuse to the operating system.
void trim();

}  // namespace xgrad::memory
