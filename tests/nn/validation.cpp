// Validation in fit: what it reports, early stopping, and the best model.
#include <cmath>

#include <xgrad/datasets/loader.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/run/run_folder.hpp>
#include <xgrad/nn/run/trainer.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/nn/regression.hpp"

using namespace xgrad;
using namespace xgrad::tests;

TEST_CASE("validation after each epoch is reported and changes nothing in the training") {
  struct Noisy {  // draws random numbers in evaluation, too
    Net net;
    Variable operator()(const Variable& x) const {
      return net(x) + Variable(default_generator().normal({x.shape()[0], 1}, 0, .1));
    }
  };
  auto train = [](bool validated, std::vector<EpochReport>* reports) {
    manual_seed(1);
    Noisy net;
    Adam adam(parameters(net), {.lr = 1e-2});
    Loader loader(parabola(100), {.batch = 20});
    FitOptions options{.epochs = 3,
                       .loss = mse_loss,
                       .metrics = {{"mae", mean_absolute}},
                       .keep_best = false,
                       .progress = false};
    if (validated) options.validate = Loader(parabola(50, 2), {.batch = 20, .prefetch = 1});
    options.on_epoch = [&](auto& report) { return reports->push_back(report), true; };
    fit(net, adam, loader, options);
    return all_bits(net);
  };
  std::vector<EpochReport> reports, without;
  CHECK(train(true, &reports) == train(false, &without));
  REQUIRE(reports.size() == 3);
  CHECK(reports[2].validation.samples == 50);
  CHECK(reports[2].validation.metrics.at("mae") > 0);
  CHECK(reports[2].train.metrics == without[2].train.metrics);
  CHECK(without[2].validation.samples == 0);

  tests::TemporaryFolder folder;
  {
    MetricsLog log(folder / "metrics.jsonl");
    for (auto& report : reports) log.write_epoch(report);
    CHECK(log.column("validation_mae").size() == 3);
    CHECK(log.column("train_accuracy").empty());
    CHECK(log.column("step") == std::vector<double>{5, 10, 15});
  }
  if (std::system("gnuplot --version >/dev/null 2>&1")) return tests::skip("no gnuplot");
  REQUIRE(plot_curves(folder / "metrics.jsonl", folder / "curves.svg"));
  CHECK(tests::read_file(folder / "curves.svg").find("validation mae") != std::string::npos);
}

TEST_CASE(
    "early stopping ends after `patience` epochs, the best model comes back, bit for bit also if "
    "interrupted") {
  tests::TemporaryFolder folder;
  const std::string file = (folder / "checkpoint").string();
  struct Dropped {
    Net net;
    Dropout dropout{.p = .2};
    Variable operator()(const Variable& x) const { return dropout(net(x)); }
  };
  struct Killed {};
  struct Outcome {
    std::vector<EpochReport> reports;
    std::string bits;
    double validation = 0;
  };
  // From step 35 on the learning rate is far too large.
  auto train = [&](const std::string& checkpoint, long kill_after, Outcome& out,
                   const std::string& monitor = "loss") {
    manual_seed(1);
    Dropped net;
    Adam adam(parameters(net), {.lr = 1e-2, .schedule = [](long step) { return step < 35 ? 1. : 60.; }});
    Loader loader(parabola(50), {.batch = 10, .seed = 2}), validation(parabola(30, 5), {.batch = 10});
    long steps = 0;
    try {
      fit(net, adam, loader,
          {.epochs = 30,
           .loss = mse_loss,
           .metrics = {{"mae", mean_absolute}, {"score", [](auto& y, auto& t) { return -mean(abs(y - t)); }}},
           .validate = validation,
           .monitor = monitor,
           .maximize = monitor == "score",
           .patience = 3,
           .progress = false,
           .checkpoint = checkpoint,
           .checkpoint_seconds = 0,
           .before_step =
               [&](long) {
                 if (++steps > kill_after) throw Killed();
               },
           .on_epoch = [&](auto& report) { return out.reports.push_back(report), true; }});
    } catch (const Killed&) {
      return;
    }
    out.bits = all_bits(net);
    out.validation = evaluate(net, validation.epoch(), mse_loss).loss;
  };
  Outcome whole, mae, score;
  train("", 1000, whole);
  REQUIRE(whole.reports.size() < 30);
  const EpochReport& last = whole.reports.back();
  REQUIRE(last.epoch == last.best_epoch + 3);
  double least = INFINITY;
  for (auto& report : whole.reports) least = std::min(least, report.validation.loss);
  CHECK(whole.reports[std::size_t(last.best_epoch) - 1].validation.loss == least);
  CHECK(whole.validation == least);
  CHECK(last.validation.loss > 2 * least);
  train("", 1000, mae, "mae");
  train("", 1000, score, "score");
  CHECK(mae.bits == score.bits);

  Outcome parts;
  // The kills are within epochs 1, 2, 6 and 8, at the start of epoch 9, and between the best and the end.
  for (long kill_after : {3, 5, 20, 9, 3, 7, 2}) train(file, kill_after, parts);
  train(file, 1000, parts);
  CHECK(parts.bits == whole.bits);
  CHECK(parts.validation == whole.validation);
  REQUIRE(parts.reports.size() == whole.reports.size());
  for (std::size_t i = 0; i < parts.reports.size(); ++i) {
    CHECK(parts.reports[i].best_epoch == whole.reports[i].best_epoch);
    CHECK(parts.reports[i].validation.loss == whole.reports[i].validation.loss);
    CHECK(parts.reports[i].train.metrics == whole.reports[i].train.metrics);
  }
  // It has ended: another call trains no further and gives the same model.
  Outcome again;
  train(file, 1000, again);
  CHECK(again.reports.empty());
  CHECK(again.bits == whole.bits);
}

TEST_CASE("options of validation that cannot be are errors before the first step") {
  Net net;
  SGD sgd(parameters(net));
  Loader train(parabola(20), {.batch = 20});
  auto message = [&](FitOptions options) {
    options.loss = mse_loss, options.progress = false;
    options.before_step = [](long) { fail("a step"); };
    return error_of([&] { fit(net, sgd, train, options); });
  };
  CHECK(message({.patience = 2}) == "fit: patience needs something to validate by: set .validate");
  CHECK(message({.validate = train, .patience = -1}) == "fit: patience is -1, not a number of epochs");
  CHECK(message({.validate = train, .monitor = "f1"}) ==
        "fit: monitor is f1, which is neither loss nor accuracy nor one of the metrics");
  CHECK(message({.validate = train, .maximize = true}) ==
        "fit: the best loss is the smallest: do not set .maximize");
  CHECK(message({.validate = train, .monitor = "accuracy"}) ==
        "fit: the best accuracy is the largest: set .maximize = true");
  CHECK(message({.validate = Loader(Arrays{ones({20, 2})})}) ==
        "fit: the batches of validate are of another type than those of the loader");
  FitOptions options{
      .loss = mse_loss, .validate = train, .monitor = "accuracy", .maximize = true, .progress = false};
  CHECK(error_of([&] {
          fit(net, sgd, train, options);
        }).starts_with("fit: monitor is accuracy, but the targets"));
  options = {.loss = mse_loss, .validate = std::vector<std::array<Array, 2>>(), .progress = false};
  CHECK(error_of([&] { fit(net, sgd, train, options); }) == "fit: validate has no batches");
}
