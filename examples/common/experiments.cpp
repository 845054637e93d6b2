// The experiments, a row each.
#include "examples/common/experiments.hpp"

#include <fmt/format.h>

#include <xgrad/core/base/error.hpp>
#include <xgrad/datasets/cifar.hpp>
#include <xgrad/datasets/mnist.hpp>
#include <xgrad/datasets/synthetic.hpp>
#include <xgrad/nn/models/deep_convnet.hpp>
#include <xgrad/nn/models/mlp.hpp>
#include <xgrad/nn/models/resnet.hpp>
#include <xgrad/nn/models/simple_convnet.hpp>
#include <xgrad/ops/loss.hpp>
#include "examples/common/cifar10.hpp"

namespace xgrad {

const Pixels normalized{.mean = {.4914, .4822, .4465}, .std = {.2470, .2435, .2616}};

namespace {

using MakeModel = std::function<AnyModel()>;
using MakeOptimizer = std::function<Optimizer(AnyModel&)>;

// The optimizers with the book's formulas and settings.
MakeOptimizer sgd(double lr) {
  return [=](AnyModel& m) { return SGD(parameters(m), {.lr = lr}); };
}
MakeOptimizer adam() {
  return [](AnyModel& m) { return Adam(parameters(m), {.lr = 1e-3, .eps = 1e-7, .book = true}); };
}
/// Weight decay is for the weights: not for biases, nor for batch normalisation.
MakeOptimizer adagrad(double lr = .01, double weight_decay = 0) {
  return [=](AnyModel& m) {
    Parameters weights, others;
    for (auto& p : parameters(m))
      (p.name.starts_with("fc") && p.name.ends_with(".weight") ? weights : others).push_back(p);
    AdaGrad optimizer(weights, {.lr = lr, .eps = 1e-7, .weight_decay = weight_decay});
    optimizer.add_group(others, {.lr = lr});
    return optimizer;
  };
}

MakeModel mlp(const std::vector<long>& widths, const MLPOptions& options = {}) {
  return [=] { return MLP(widths, options); };
}
MakeModel deep_convnet(const DeepConvNetOptions& options) {
  return [=] { return DeepConvNet(options); };
}
MakeModel simple_convnet(long channels, long size) {
  return [=] { return SimpleConvNet(channels, size); };
}

// Recipes of ./run cifar10, for what is done with their parameters afterwards.
Experiment resnet20() {
  return {.id = "resnet20",
          .name = "cifar10-resnet20",
          .title = "ResNet-20, Momentum .1",
          .data = "cifar10",
          .epochs = 164,  // 64,000 steps
          .epoch_steps = 391,
          .model = [] { return ResNet(3); },
          .optimizer = {},
          .reported_test = .9125,  // an error of 8.75 %: table 6
          .reported_by = "He et al. (2016)",
          .job = "cifar10 --recipe resnet",
          .pixels = normalized};
}
Experiment experiment_of(const AirbenchRecipe& recipe) {
  const auto& widths = recipe.network.widths;
  return {.id = fmt::format("airbench-{}", recipe.name),
          .name = fmt::format("cifar10-{}", recipe.name),
          .title = fmt::format("airbench {}-{}-{}", widths[0], widths[1], widths[2]),
          .data = "cifar10",
          .epochs = 0,
          .epoch_steps = 0,
          .model = [network = recipe.network] { return Airbench(network); },
          .optimizer = {},
          .job = fmt::format("cifar10 --recipe {}", recipe.name),
          .pixels = normalized};
}

const std::vector<long> cifar_mlp{3072, 100, 100, 50, 10}, cifar100_mlp{3072, 100, 100, 50, 100},
    two_layers{784, 50, 10}, three_layers{784, 100, 50, 10};
constexpr DeepConvNetOptions small_convnet{.widths = {16, 32, 64}, .padding4 = 2, .hidden = 50};

}  // namespace

const std::vector<Experiment>& experiments() {
  static constexpr const char *post = "the posts", *book = "the book, volume 1";
  static const std::vector<Experiment> all = [] {
    std::vector<Experiment> all{
        {"S1", "cifar10-mlp", "3072-100-100-50-10, batch norm, ReLU, He, AdaGrad .01", "cifar10", 200, 500,
         mlp(cifar_mlp, {.batch_norm = true}), adagrad(), .4685, .9474, post},
        {"S1-code", "cifar10-mlp-xavier", "the same with sqrt(1/n) as in the code", "cifar10", 200, 500,
         mlp(cifar_mlp, {.batch_norm = true, .init = lecun()}), adagrad(), .4685, .9474, post},
        {"S1b", "cifar10-mlp-regularised", "the same with He, dropout .5, weight decay .01", "cifar10", 200,
         500, mlp(cifar_mlp, {.batch_norm = true, .dropout = .5}), adagrad(.01, .01)},
        {"S2", "cifar100-mlp", "3072-100-100-50-100, batch norm, ReLU, He, AdaGrad .01", "cifar100", 200, 500,
         mlp(cifar100_mlp, {.batch_norm = true}), adagrad(), .1847, .5979, post},
        {"S3",
         "cifar10-small-convnet",
         "DeepConvNet 16-16-32-32-64-64, 50, 10, Adam .001",
         "cifar10",
         20,
         500,
         deep_convnet(small_convnet),
         adam(),
         .73,
         {},
         post},
        {"S4", "cifar10-deep-convnet", "DeepConvNet 64-64-128-128-256-256, 1024, 10, Adam .001", "cifar10",
         25, 500, deep_convnet({}), adam(), .7912, .977, post, "cifar10 --recipe posted"},
        {"S7",
         "mnist-simple-convnet",
         "SimpleConvNet 30, 100, 10, N(0, .01^2), Adam .001",
         "mnist",
         20,
         600,
         simple_convnet(1, 28),
         adam(),
         .9896,
         {},
         book},
        {"S8", "cifar10-simple-convnet", "the same on (3, 32, 32)", "cifar10", 20, 500, simple_convnet(3, 32),
         adam()},
        {"S9",
         "mnist-deep-convnet",
         "DeepConvNet 16-16-32-32-64-64, 50, 10, Adam .001",
         "mnist",
         20,
         600,
         deep_convnet(book_deep_convnet),
         adam(),
         .9938,
         {},
         book},
        {"S10.1", "mnist-sgd", "784-50-10, N(0, .01^2), SGD .01", "mnist", 20, 500,
         mlp(two_layers, {.init = normal(.01)}), sgd(.01)},
        {"S10.2", "mnist-adagrad", "784-50-10, N(0, .01^2), AdaGrad .01", "mnist", 20, 500,
         mlp(two_layers, {.init = normal(.01)}), adagrad()},
        {.id = "S10.3",
         .name = "mnist-std",
         .title = "[50], N(0, .01^2), AdaGrad .01, another seed",
         .data = "mnist",
         .epochs = 20,
         .epoch_steps = 500,
         .model = mlp(two_layers, {.init = normal(.01)}),
         .optimizer = adagrad(),
         .seed_offset = 1},
        {"S10.4", "mnist-he", "[50], He", "mnist", 20, 500, mlp(two_layers), adagrad()},
        {"S10.5", "mnist-xavier", "[50], sqrt(1/n)", "mnist", 20, 500, mlp(two_layers, {.init = lecun()}),
         adagrad()},
        {"S10.6", "mnist-dropout", "[50], He, dropout .5", "mnist", 20, 500, mlp(two_layers, {.dropout = .5}),
         adagrad()},
        {"S10.7", "mnist-batch-norm", "[50], He, batch norm", "mnist", 20, 500,
         mlp(two_layers, {.batch_norm = true}), adagrad()},
        {"S10.8", "mnist-batch-norm-dropout", "[50], He, batch norm, dropout .5", "mnist", 20, 500,
         mlp(two_layers, {.batch_norm = true, .dropout = .5}), adagrad()},
        {"S10.9", "mnist-deep-dropout", "[100, 50], He, dropout .5", "mnist", 20, 500,
         mlp(three_layers, {.dropout = .5}), adagrad()},
        {"S10.10", "mnist-deep-batch-norm", "[100, 50], He, batch norm", "mnist", 20, 500,
         mlp(three_layers, {.batch_norm = true}), adagrad()},
        {"S10.11", "mnist-tuned", "[100, 50], He, batch norm, weight decay 3.86e-7, lr .0092", "mnist", 20,
         500, mlp(three_layers, {.batch_norm = true}), adagrad(.0092, 3.86e-7)},
        {"S11", "mnist-two-layers", "784-50-10, ReLU, N(0, .01^2), SGD .1", "mnist", 20, 500,
         mlp(two_layers, {.init = normal(.01)}), sgd(.1)},
    };
    for (auto& recipe : airbench_recipes()) all.push_back(experiment_of(recipe));
    all.push_back(resnet20());
    return all;
  }();
  return all;
}

const Experiment* find_experiment(const std::string& wanted) {
  for (auto& e : experiments())
    if (e.id == wanted || e.name == wanted) return &e;
  return nullptr;
}

std::pair<std::string, std::string> class_names(const Dataset& data) {
  return {"classes", fmt::format("{}", fmt::join(data.classes, ", "))};
}

Split load_data(const std::string& name, const std::filesystem::path& folder) {
  if (name == "cifar10") return cifar10({.folder = folder});
  if (name == "cifar100") return cifar100({.folder = folder});
  if (name == "mnist") return mnist({.folder = folder});
  if (name == "shapes") return shapes(10000, 1000, 0);
  fail("unknown data set '{}'; known are cifar10, cifar100, mnist and shapes", name);
}

}  // namespace xgrad
