#pragma once
// A lock on a folder, for whoever writes there alone.
#include <filesystem>

#include <xgrad/core/base/descriptor.hpp>

namespace xgrad {

/// Holds a folder, by a file `lock` in it that names the process. The kernel releases it when the process
/// ends, however it ends (a child that it has forked and that lives on holds it too). Reading what is in the
/// folder needs no lock.
class FolderLock {
 public:
  /// Throws Error that names the process, its host and since when, where another one holds the folder, and
  /// where the file cannot be made. File systems without locks grant one to everybody.
  explicit FolderLock(const std::filesystem::path& folder);
  /// Releases it, and removes the file.
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  std::filesystem::path file_;
  Descriptor descriptor_;
  int process_;  // a child that was forked from it leaves the file alone
};

}  // namespace xgrad
