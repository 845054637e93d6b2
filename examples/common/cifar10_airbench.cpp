// CIFAR-10 in seconds: K. Jordan's airbench recipe (2024) with Muon, in sizes that a CPU trains quickly.
#include <fmt/format.h>

#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/datasets/loader.hpp>
#include <xgrad/datasets/transforms.hpp>
#include <xgrad/nn/models/airbench.hpp>
#include <xgrad/xgrad.hpp>
#include "examples/common/cifar10_run.hpp"
#include "examples/common/experiments.hpp"
#include "examples/common/interruptible.hpp"

namespace xgrad {

const std::vector<AirbenchRecipe>& airbench_recipes() {
  static const std::vector<AirbenchRecipe> all{
      {"fast", {{16, 64, 128}, 16, 1}, 1.25, 250, 0, .2, .65, 2, 0, "the posts: 81.4 % of 1,000 images"},
      {"90", {{64, 128, 128}}, 5, 500, 1, .24, .6, 3, 0, "the goal: 90 %"},
      {"94", {{64, 256, 256}}, 8, 2000, 2, .24, .6, 3, 3, "the goal: 94 %"},
  };
  return all;
}

namespace {

constexpr double sgd_lr = .053, head_lr = .67, momentum = .85, decay = 2e-6, smoothing = .2;

/// Throws Error where there is none of that name.
const AirbenchRecipe& airbench_recipe(const std::string& name) {
  for (auto& r : airbench_recipes())
    if (name == r.name) return r;
  fail("unknown recipe '{}'", name);
}

/// The mean of the logits over six views: the image and its mirror, and the same shifted by a pixel both
/// ways.
Variable six_views(const Airbench& net, const Array& images) {
  auto pair = [&](const Array& view) { return (net(Variable(view)) + net(Variable(mirrored(view)))) * .5; };
  return pair(images) * .5 + (pair(shifted(images, -1, -1)) + pair(shifted(images, 1, 1))) * .25;
}

/// Accuracy without and with views.
std::pair<double, double> test_accuracy(const Airbench& net, const Dataset& data, bool views) {
  NoGrad off;
  EvalMode eval;
  Loader loader(data, {.batch = 500, .shuffle = false, .pixels = normalized});
  long plain = 0, six = 0;
  ProgressBar bar("testing", data.size());
  for (const Batch& batch : loader.epoch()) {
    plain += count_correct(net(Variable(batch.images)), batch.labels);
    if (views) six += count_correct(six_views(net, batch.images), batch.labels);
    bar.update(loader.state().position, "");
  }
  const double n = double(data.size());
  return {double(plain) / n, double(views ? six : plain) / n};
}

}  // namespace

Cifar10Result train_airbench(const Cifar10Options& o, const Split& data) {
  const AirbenchRecipe& recipe = airbench_recipe(o.recipe);
  const long batch = o.batch.value_or(recipe.batch);
  const long epoch_steps = data.train.size() / batch;
  // On the built-in shapes, of which there are fewer, as many steps as on 50,000 images.
  const long wanted =
      o.steps.value_or(long(recipe.epochs * double(o.synthetic ? 50000 / batch : epoch_steps)));
  const long steps = std::max(1l, wanted / 10) * 10;  // ten parts, each with a line of metrics
  const long bias_steps = long(recipe.bias_epochs * double(epoch_steps));

  manual_seed(o.seed);
  Airbench net(recipe.network);
  const Stopwatch whole;
  net.whiten(make_batch(data.train, 0, std::min(5000l, data.train.size()), normalized).images);
  const double whitening_seconds = whole.seconds();
  Parameters filters, shifts, head, bias;
  for (auto& p : parameters(net)) {
    if (p.name == "whitening.weight") continue;
    (p.name == "whitening.bias"    ? bias
     : p.name == "head.weight"     ? head
     : p.value.shape().rank() == 4 ? filters
                                   : shifts)
        .push_back(p);
  }
  const double weight_decay = decay * double(batch);
  Nesterov optimizer(head, {.lr = head_lr,
                            .momentum = momentum,
                            .weight_decay = weight_decay / head_lr,
                            .schedule = linear_lr(steps)});
  optimizer.add_group(shifts, {.lr = sgd_lr, .weight_decay = weight_decay / sgd_lr});
  // The whitening's bias learns for some epochs on a line of its own, then its gradient is no longer
  // computed.
  optimizer.add_group(
      bias,
      {.lr = sgd_lr, .weight_decay = weight_decay / sgd_lr, .schedule = linear_lr(std::max(1l, bias_steps))});
  optimizer.add_groups(Muon(filters, {.lr = recipe.muon_lr,
                                      .momentum = recipe.muon_momentum,
                                      .newton_steps = recipe.newton_steps,
                                      .normalize = true}));
  auto freeze = [&](long step) {
    if (step >= bias_steps) net.whitening.bias.set_requires_grad(false);
  };

  Loader train(
      data.train,
      {.batch = batch,
       .drop_last = true,
       .seed = o.seed,
       .pixels = normalized,
       .augment = {.crop_padding = recipe.shift, .reflect = true, .flip = Augment::Flip::alternating},
       .prefetch = 2});
  auto loss = [](const Variable& logits, const Array& labels) {
    return cross_entropy(logits, labels, {.label_smoothing = smoothing, .reduction = Reduction::sum});
  };
  FitOptions options{
      .epochs = 1, .steps_per_epoch = steps, .loss = loss, .loss_is_sum = true, .before_step = freeze};

  if (o.profile) {
    options.progress = false;
    profile_steps([&](long n) {
      options.steps_per_epoch = n;
      fit(net, optimizer, train, options);
    });
    return {};
  }

  RunFolder folder(fmt::format("cifar10-{}", recipe.name), o.out, o.resume,
                   {{"experiment", fmt::format("airbench-{}", recipe.name)},
                    {"network", fmt::format("airbench {}, whitening {}",
                                            fmt::join(recipe.network.widths, "-"), recipe.network.whitening)},
                    {"data", o.synthetic ? "shapes" : "cifar10"},
                    class_names(data.train),
                    {"validation", o.validation ? "yes" : "no"},
                    {"steps", fmt::format("{}", steps)},
                    {"batch", fmt::format("{}", batch)},
                    {"seed", fmt::format("{}", o.seed)}});
  announce(o, data.train, fmt::format("{} steps of {} images", steps, batch), parameter_count(net), folder);
  options.epochs = 10;
  options.steps_per_epoch = steps / 10;
  options.checkpoint = folder.checkpoint();
  options.checkpoint_seconds = o.checkpoint_seconds;
  options.on_epoch = [&](const EpochReport& report) {
    folder.metrics().write_epoch(report);
    return true;
  };
  if (!folder.steps_done()) folder.metrics().write({{"step", 0l}, {"seconds", whitening_seconds}});
  fit_interruptibly(net, optimizer, train, options);
  save(net, folder.parameters());
  const auto [plain, six] = test_accuracy(net, data.test, !o.synthetic);
  const double seconds = folder.training_seconds();
  print("{:.2f} % of {} {} images right after {:.1f} s of training", 100 * plain, data.test.size(),
        o.validation ? "held-out training" : "test", seconds);
  if (!o.synthetic) print(", {:.2f} % by six views; {}", 100 * six, recipe.aim);
  print("\n");
  conclude(folder, {{"final_test_accuracy", plain}, {"final_test_accuracy_six_views", six}}, whole);
  if (!o.validation && o.seeds == 1)
    print(
        "next: ./run report {0}                      a page with its mistakes\n"
        "      ./run predict --model {0} PHOTO...    what is in a photo\n"
        "      ./run cifar10 --recipe 94 | posted    more accurate | as the posts did it\n",
        quoted(folder.path().string()));
  return {plain, six, seconds};
}

}  // namespace xgrad
