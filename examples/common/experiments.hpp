#pragma once
// The experiments of the posts and of the book's chapters that they follow, as data.
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <xgrad/datasets/loader.hpp>
#include <xgrad/nn/any_model.hpp>
#include <xgrad/nn/optim.hpp>

namespace xgrad {

/// A network that is trained on batches of 100 images drawn with replacement, pixels in [0, 1], by
/// cross-entropy. (The book adds 1e-7 to the probability when it shows the loss; its backward pass, y - t, is
/// that of the loss without.)
struct Experiment {
  std::string id;            ///< "S9"
  std::string name;          ///< "mnist-deep-convnet"
  std::string title;         ///< the layers, initial values and optimizer in words
  std::string data;          ///< "cifar10", "cifar100" or "mnist"
  long epochs, epoch_steps;  ///< an "epoch" is so many steps
  std::function<AnyModel()> model;
  std::function<Optimizer(AnyModel&)> optimizer;
  std::optional<double> reported_test = {}, reported_train = {};  ///< accuracies
  std::string reported_by = {};                                   ///< where they are from
  std::string job = {};           ///< what trains it, where that is not ./run reproduce
  Pixels pixels = {};             ///< as the network wants them
  std::uint64_t seed_offset = 0;  ///< added to the seed, where a row is another one again with another seed
};

/// All of them, in the order of their ids.
const std::vector<Experiment>& experiments();
/// By id or name; null when there is none.
const Experiment* find_experiment(const std::string& id_or_name);

/// What a run's settings say of the classes, for whoever names them by its parameters: "classes", the names
/// with commas between them.
std::pair<std::string, std::string> class_names(const Dataset& data);

/// The data set of an experiment.
Split load_data(const std::string& name, const std::filesystem::path& folder);

/// Mean and deviation of CIFAR-10's training images by channel, which airbench and ResNet want as 0 and 1.
extern const Pixels normalized;

}  // namespace xgrad
