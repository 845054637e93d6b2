// ResNet-20 on CIFAR-10, trained as He et al. did (2016, section 4.2), their accuracy beside ours.
#include <fmt/format.h>

#include <xgrad/datasets/loader.hpp>
#include <xgrad/nn/models/resnet.hpp>
#include <xgrad/xgrad.hpp>
#include "examples/common/cifar10_run.hpp"
#include "examples/common/experiments.hpp"
#include "examples/common/interruptible.hpp"

namespace xgrad {
namespace {

/// A tenth after half of the steps, a hundredth after three quarters: theirs fell after 32,000 and 48,000 of
/// 64,000.
Schedule two_drops(long total) {
  return [=](long step) { return 2 * step < total ? 1. : 4 * step < 3 * total ? .1 : .01; };
}

}  // namespace

Cifar10Result train_resnet(const Cifar10Options& o, const Split& data) {
  const Experiment& experiment = *find_experiment("resnet20");
  const long batch = o.batch.value_or(128);
  manual_seed(o.seed);
  ResNet net;
  Loader train(data.train, {.batch = batch,
                            .seed = o.seed,
                            .pixels = normalized,
                            .augment = {.crop_padding = 4, .flip = Augment::Flip::random},
                            .prefetch = 2});
  const long epochs = o.epochs.value_or(o.synthetic ? 3 : experiment.epochs),
             steps = o.steps.value_or(train.steps_per_epoch());
  Momentum sgd(parameters(net),
               {.lr = .1, .momentum = .9, .weight_decay = 1e-4, .schedule = two_drops(epochs * steps)});
  if (o.profile) {
    profile_steps([&](long n) { fit(net, sgd, train, {.steps_per_epoch = n, .progress = false}); });
    return {};
  }

  RunFolder folder("cifar10-resnet", o.out, o.resume,
                   {{"experiment", experiment.id},
                    {"network", experiment.title},
                    {"data", o.synthetic ? "shapes" : "cifar10"},
                    class_names(data.train),
                    {"validation", o.validation ? "yes" : "no"},
                    {"epochs", fmt::format("{}", epochs)},
                    {"steps", fmt::format("{}", steps)},
                    {"batch", fmt::format("{}", batch)},
                    {"seed", fmt::format("{}", o.seed)}});
  announce(o, data.train, fmt::format("{} epochs of {} steps of {} images", epochs, steps, batch),
           parameter_count(net), folder);
  Loader test(data.test, {.batch = 500, .shuffle = false, .pixels = normalized});
  const Stopwatch whole;
  print("                     accuracy of\nepoch   train loss   training  {}      seconds\n",
        o.validation ? "held out" : "    test");
  auto on_epoch = [&](const EpochReport& report) {
    const Score on_test = evaluate(net, test.epoch());
    print("{:5}   {:10.4f}   {:8.4f}  {:8.4f}   {:10.1f}\n", report.epoch, report.train.loss,
          report.train.accuracy, on_test.accuracy, report.train.seconds);
    save(net, folder.parameters());
    folder.metrics().write({{"epoch", report.epoch},
                            {"step", report.steps},
                            {"train_loss", report.train.loss},
                            {"train_accuracy", report.train.accuracy},
                            {"test_loss", on_test.loss},
                            {"test_accuracy", on_test.accuracy},
                            {"seconds", report.train.seconds}});
    return true;
  };
  fit_interruptibly(net, sgd, train,
                    {.epochs = epochs,
                     .steps_per_epoch = steps,
                     .checkpoint = folder.checkpoint(),
                     .checkpoint_seconds = o.checkpoint_seconds,
                     .on_epoch = on_epoch});

  const double accuracy = folder.metrics().column("test_accuracy").back();
  print("{:.2f} % of {} {} images{}\n", 100 * accuracy, data.test.size(),
        o.validation ? "held-out training" : "test",
        o.synthetic ? ""
                    : fmt::format("; {} report {:.2f} % of the test images after 64,000 steps",
                                  experiment.reported_by, 100 * *experiment.reported_test));
  conclude(folder, {{"final_test_accuracy", accuracy}, {"final_test_images", data.test.size()}}, whole);
  return {accuracy, accuracy, folder.training_seconds()};
}

}  // namespace xgrad
