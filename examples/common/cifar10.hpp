#pragma once
// The recipes of ./run cifar10.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <xgrad/datasets/dataset.hpp>
#include <xgrad/nn/models/airbench.hpp>

namespace xgrad {

struct Cifar10Options {
  std::string recipe = "fast";  ///< "fast", "90", "94", "resnet" or "posted"
  std::optional<long> epochs;   ///< of posted and resnet
  std::optional<long> steps;    ///< in an epoch of posted and resnet; in all, by tens, of the others
  std::optional<long> batch;    ///< images in a step
  std::uint64_t seed = 1;
  long seeds = 1;  ///< runs with this many seeds, and shows a table
  std::filesystem::path data, out;
  bool synthetic = false;   ///< on the built-in shapes
  bool validation = false;  ///< trains on all but the last 5,000 training images and tests on those
  bool profile = false, resume = false;
  double checkpoint_seconds = 60;  ///< as FitOptions has it
};

/// What a run came to.
struct Cifar10Result {
  double accuracy = 0, accuracy_with_views = 0, seconds = 0;
};

/// A small network and how it is trained: K. Jordan's airbench in sizes for a CPU. docs/results/fast.md tells
/// how the settings were chosen.
struct AirbenchRecipe {
  const char* name;
  AirbenchOptions network;
  double epochs;
  long batch;
  long shift;  ///< pixels of the random crops
  double muon_lr, muon_momentum;
  int newton_steps;    ///< of Muon
  double bias_epochs;  ///< for which the whitening's bias is trained
  const char* aim;     ///< what the accuracy is to be held against
};
/// "fast", "90" and "94".
const std::vector<AirbenchRecipe>& airbench_recipes();

/// As the posts did it: their network, 12,500 steps of 100 images drawn with replacement, Adam, no
/// augmentation.
Cifar10Result train_posted(const Cifar10Options& options, const Split& data);
/// ResNet-20 as its authors trained it: 164 epochs of 391 steps of 128 images, SGD with momentum, crops and
/// flips.
Cifar10Result train_resnet(const Cifar10Options& options, const Split& data);
/// By one of the recipes above.
Cifar10Result train_airbench(const Cifar10Options& options, const Split& data);

}  // namespace xgrad
