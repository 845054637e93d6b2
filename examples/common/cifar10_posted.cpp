// The headline of the posts, as they trained it, their figures beside ours.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <xgrad/datasets/loader.hpp>
#include <xgrad/nn/models/deep_convnet.hpp>
#include <xgrad/xgrad.hpp>
#include "examples/common/cifar10_run.hpp"
#include "examples/common/experiments.hpp"
#include "examples/common/interruptible.hpp"

namespace xgrad {
namespace {

// Accuracies that the posts report after each epoch of 500 steps: first 1,000 training and first 1,000 test
// images.
constexpr double reported[25][2] = {{.518, .511}, {.636, .635}, {.731, .703}, {.774, .740}, {.811, .754},
                                    {.839, .763}, {.873, .769}, {.878, .784}, {.908, .800}, {.901, .781},
                                    {.929, .796}, {.956, .803}, {.948, .817}, {.958, .799}, {.962, .808},
                                    {.956, .789}, {.965, .804}, {.962, .796}, {.967, .812}, {.962, .814},
                                    {.975, .800}, {.964, .796}, {.975, .804}, {.974, .798}, {.977, .810}};
constexpr double reported_final = .7912;  // all 10,000 test images

}  // namespace

Cifar10Result train_posted(const Cifar10Options& o, const Split& data) {
  const long epochs = o.epochs.value_or(o.synthetic ? 3 : 25),
             steps = o.steps.value_or(o.synthetic ? 100 : 500);
  const long batch = o.batch.value_or(100);
  manual_seed(o.seed);
  DeepConvNet net;
  Adam adam(parameters(net), {.lr = 1e-3, .eps = 1e-7, .book = true});
  Loader train(data.train, {.batch = batch, .replacement = true, .seed = o.seed});
  if (o.profile) {
    profile_steps([&](long n) { fit(net, adam, train, {.steps_per_epoch = n, .progress = false}); });
    return {};
  }

  RunFolder folder("cifar10", o.out, o.resume,
                   {{"experiment", "S4"},
                    {"network", find_experiment("S4")->title},
                    {"data", o.synthetic ? "shapes" : "cifar10"},
                    class_names(data.train),
                    {"epochs", fmt::format("{}", epochs)},
                    {"steps", fmt::format("{}", steps)},
                    {"batch", fmt::format("{}", batch)},
                    {"seed", fmt::format("{}", o.seed)}});
  Loader first_train(data.train.first(1000), {.shuffle = false}),
      first_test(data.test.first(1000), {.shuffle = false});
  Loader all_test(data.test, {.shuffle = false});

  announce(o, data.train, fmt::format("{} epochs of {} steps of {} images", epochs, steps, batch),
           parameter_count(net), folder);
  print("                     accuracy of the first 1,000           reported\n");
  print("epoch   train loss   train    test      seconds      train    test\n");
  const Stopwatch whole;
  auto on_epoch = [&](const EpochReport& report) {
    const Score on_train = evaluate(net, first_train.epoch()), on_test = evaluate(net, first_test.epoch());
    const bool comparable = !o.synthetic && steps == 500 && batch == 100 && report.epoch <= 25;
    const auto* theirs = reported[comparable ? report.epoch - 1 : 0];
    print("{:5}   {:10.4f}   {:.3f}    {:.3f}   {:10.1f}   {}\n", report.epoch, report.train.loss,
          on_train.accuracy, on_test.accuracy, report.train.seconds,
          comparable ? fmt::format("   {:.3f}   {:.3f}", theirs[0], theirs[1]) : "");
    save(net, folder.parameters());
    folder.metrics().write({{"epoch", report.epoch},
                            {"step", report.steps},
                            {"train_loss", report.train.loss},
                            {"train_accuracy_1000", on_train.accuracy},
                            {"test_accuracy_1000", on_test.accuracy},
                            {"reported_train_accuracy_1000", comparable ? theirs[0] : NAN},
                            {"reported_test_accuracy_1000", comparable ? theirs[1] : NAN},
                            {"seconds", report.train.seconds}});
    return true;
  };
  fit_interruptibly(net, adam, train,
                    {.epochs = epochs,
                     .steps_per_epoch = steps,
                     .checkpoint = folder.checkpoint(),
                     .checkpoint_seconds = o.checkpoint_seconds,
                     .on_epoch = on_epoch});

  const auto accuracies = folder.metrics().column("test_accuracy_1000");
  const double best = *std::max_element(accuracies.begin(), accuracies.end());
  const Score final_score = evaluate(net, all_test.epoch());
  print("best on the first 1,000 test images: {:.3f}{}\n", best,
        o.synthetic ? "" : " (reported: .817, in the title .814)");
  print("final on all {} test images: {:.4f}{}\n", final_score.samples, final_score.accuracy,
        o.synthetic ? "" : fmt::format(" (reported after 25 epochs: {:.4f})", reported_final));
  conclude(folder,
           {{"final_test_accuracy", final_score.accuracy}, {"final_test_images", final_score.samples}},
           whole);
  return {final_score.accuracy, final_score.accuracy, folder.training_seconds()};
}

}  // namespace xgrad
