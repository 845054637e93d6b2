#pragma once
// Bounds of what comes from outside.
#include <cstdint>

namespace xgrad {

/// What a file may ask for. What is not compressed is bounded by the size of its file alone.
struct LoadLimits {
  /// The most bytes that a compressed file may become; 16 times the size of the file are always allowed.
  std::uint64_t unpacked = 2ull << 30;
};

}  // namespace xgrad
