#pragma once
// The recipes of ./run cifar10.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "datasets/dataset.hpp"

namespace xgrad {

struct Cifar10Options {
  std::string recipe = "fast";        ///< "fast", "90", "94" or "posted"
  std::optional<long> epochs, steps;  ///< of the posted recipe: epochs, and steps in each
  std::optional<long> batch;          ///< images in a step
  std::uint64_t seed = 1;
  long seeds = 1;  ///< runs with this many seeds, and shows a table
  std::filesystem::path data, out;
  bool synthetic = false;   ///< on the built-in shapes
  bool validation = false;  ///< trains on all but the last 5,000 training images and tests on those
  bool profile = false, resume = false;
};

/// What a run came to.
struct Cifar10Result {
  double accuracy = 0, accuracy_with_views = 0, seconds = 0;
};

/// As the posts did it: their network, 12,500 steps of 100 images drawn with replacement, Adam, no
/// augmentation.
Cifar10Result train_posted(const Cifar10Options& options, const Split& data);
/// In seconds: K. Jordan's airbench, made smaller ("fast"), or larger ("90", "94").
Cifar10Result train_airbench(const Cifar10Options& options, const Split& data);

}  // namespace xgrad
