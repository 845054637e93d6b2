#pragma once
// Memory for array data: freed blocks are kept and used again, because fresh pages cost more than the
// arithmetic.
#include <cstddef>

/// The pool that the data of arrays comes from.
namespace xgrad::memory {

/// A block of at least `bytes`, aligned to 64, with room to read and write up to the next multiple of 64:
/// what lies between is 0. Throws Error when the system has no more.
void* allocate(std::size_t bytes);
/// Gives a block back; `bytes` as it was asked for.
void release(void* block, std::size_t bytes) noexcept;

/// Bytes handed out now, as the pool rounds them up.
std::size_t in_use();
/// The most bytes that were in use since reset_peak(), or since the program began.
std::size_t peak();
/// Lets peak() begin afresh with what is in use now.
void reset_peak();
/// Returns the blocks that are kept for reuse to the operating system.
void trim();
/// Whether freed blocks are kept for reuse. Under AddressSanitizer (of the program, whether or not the
/// library was compiled with it) and under Valgrind they are not, so that these see what is used after it was
/// freed.
bool keeps_blocks();

}  // namespace xgrad::memory
