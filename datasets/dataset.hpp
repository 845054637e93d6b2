#pragma once
// Dataset: labelled images in memory, and the options by which the sets on file are found.
#include <string>
#include <vector>

#include <xgrad/core/array/array.hpp>
#include <xgrad/core/base/error.hpp>

namespace xgrad {

/// N labelled images. A value: copies share the data.
struct Dataset {
  std::string name = {};                  ///< what messages call it: "cifar10 train"
  Array images = {};                      ///< u8 (N, C, H, W)
  Array labels = {};                      ///< i64 (N,), each in [0, classes.size())
  std::vector<std::string> classes = {};  ///< the name of each label

  /// How many images there are.
  long size() const { return labels.defined() ? labels.size() : 0; }
  /// The first n images. Throws Error when there are fewer.
  Dataset first(long n) const { return slice(0, n); }
  /// The images in [begin, end), copied. Throws Error when that is not a range of them.
  Dataset slice(long begin, long end) const;
};

/// What is trained on, and what is tested on.
struct Split {
  ///@{
  /// The images for training and those for testing.
  Dataset train, test;
  ///@}
};

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
