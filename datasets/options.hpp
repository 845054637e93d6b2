#pragma once
// The options by which the data sets on file are found.
#include <string>

#include <xgrad/core/base/exception.hpp>

namespace xgrad {

/// Where a set on file is looked for: `folder` alone if one is given, else $XGRAD_DATA, the cache folder, the
/// network.
struct DataOptions {
  /// --data: the folder that holds the set's folder, or that folder itself.
  std::string folder = {};
  bool download = true;  ///< into the cache folder, where the set is found nowhere
  bool verbose = true;   ///< shows the progress of a download on stderr
};

/// The set is nowhere and cannot be downloaded; the message says in one line what was tried.
struct DataUnavailable : Error {
  using Error::Error;
};

}  // namespace xgrad
