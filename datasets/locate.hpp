#pragma once
// Finds the files of a data set: in the folder given, in $XGRAD_DATA, in the cache, or at its authors'.
#include <filesystem>
#include <string>
#include <vector>

#include <xgrad/datasets/options.hpp>

namespace xgrad {

/// A file to download, and its checksum as datasets/download.hpp wants it.
struct Remote {
  ///@{
  /// Where it is, and "sha256:" with its digest.
  std::string url, checksum;
  ///@}
  std::uint64_t size = 0;  ///< in bytes; 0: not known
};

/// A data set on file.
struct Source {
  std::string name;                ///< "cifar10"
  std::string folder;              ///< "cifar-10-batches-bin"
  std::vector<std::string> files;  ///< what must lie in it
  std::vector<Remote> remotes;     ///< a .tar.gz holds the folder; other files belong into it
};

/// $XDG_CACHE_HOME/xgrad or ~/.cache/xgrad; empty when the environment names neither.
std::filesystem::path cache_folder();

/// The folder that holds all files of the set, downloaded if need be. Throws Error when options.folder does
/// not hold them, when the cache holds only some of an archive's, or when a checksum is wrong;
/// DataUnavailable when they are nowhere and cannot be downloaded.
std::filesystem::path locate(const Source& source, const DataOptions& options);

}  // namespace xgrad
