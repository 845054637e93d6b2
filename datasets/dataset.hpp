#pragma once
// Dataset: labelled images in memory.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <xgrad/core/array/array.hpp>

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
  /// The images of the given indices, in that order, copied. Throws Error for an index out of range.
  Dataset select(std::span<const std::int64_t> indices) const;
};

/// What is trained on, and what is tested on.
struct Split {
  ///@{
  /// The images for training and those for testing.
  Dataset train, test;
  ///@}
};

}  // namespace xgrad
