#pragma once
// The readers of files that may hold anything, and what each is fed.
#include <span>
#include <string>
#include <vector>

#include "tests/hostile/files.hpp"

namespace xgrad::tests {

/// A reader: it reads the file at a path, or throws Error.
struct FuzzTarget {
  const char *name, *file;  ///< what it is called, and what its files must be called
  void (*read)(const std::string& path);
  std::vector<HostileFile> (*seeds)();           ///< files to start from
  void (*repair)(std::string& bytes) = nullptr;  ///< makes right what no mutation would hit
};

/// All of them.
std::span<const FuzzTarget> fuzz_targets();

}  // namespace xgrad::tests
