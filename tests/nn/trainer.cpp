// The training loop: it learns, it repeats itself exactly, and it stops where it must.
#include <xgrad/nn/run/trainer.hpp>

#include <cmath>

#include <xgrad/core/base/threads.hpp>
#include <xgrad/datasets/loader.hpp>
#include <xgrad/datasets/synthetic.hpp>
#include <xgrad/nn/any_model.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/models/mlp.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using tests::error_of;

namespace {

struct Net {
  Conv2d conv{3, 8, {.stride = 2, .padding = 1}};
  BatchNorm norm{8};
  Linear fc{8 * 8 * 8, 10};
  Variable operator()(const Variable& x) const { return fc(flatten(max_pool2d(relu(norm(conv(x))), 2))); }
};

/// The parameters' bits after two epochs.
std::vector<float> train(double lr, int threads, std::vector<EpochReport>* reports = nullptr) {
  const tests::Restore restore;
  threads::set(threads);
  manual_seed(7);
  Net net;
  Momentum optimizer(parameters(net), {.lr = lr, .schedule = linear_lr(16, .1)});
  Loader loader(shapes(400, 0, 1).train, {.batch = 50, .seed = 2});
  FitOptions options{.epochs = 2, .progress = false};
  if (reports) options.on_epoch = [&](const EpochReport& r) { return reports->push_back(r), true; };
  fit(net, optimizer, loader, options);
  std::vector<float> bits;
  for (auto& p : parameters(net)) {
    auto part = p.value.data().elements<float>();
    bits.insert(bits.end(), part.begin(), part.end());
  }
  return bits;
}

}  // namespace

TEST_CASE("fit learns, reports each epoch, and repeats itself bit for bit on any number of threads") {
  std::vector<EpochReport> reports;
  const auto first = train(.02, 1, &reports);
  REQUIRE(reports.size() == 2);
  CHECK(reports[1].steps == 16);
  CHECK(reports[0].train.samples == 400);
  CHECK(reports[1].train.loss < reports[0].train.loss * .9);
  CHECK(train(.02, 2) == first);
  CHECK(train(.02, 3) == first);
}

TEST_CASE("fit stops when the loss is no longer a number, and when it is told to") {
  const std::string message = error_of([] { train(1e30, 1); });
  CHECK(message.find("try a smaller learning rate") != std::string::npos);
  CHECK(message.starts_with("fit: the loss is "));

  Net net;
  SGD sgd(parameters(net));
  Loader loader(shapes(100, 0, 1).train, {.batch = 50});
  int epochs = 0;
  fit(net, sgd, loader,
      {.epochs = 5, .progress = false, .on_epoch = [&](const EpochReport&) { return ++epochs < 2; }});
  CHECK(epochs == 2);
}

TEST_CASE("training that was interrupted goes on bit for bit") {
  tests::TemporaryFolder folder;
  struct Dropped {
    Net net;
    Dropout dropout{.p = .3};
    Variable operator()(const Variable& x) const { return dropout(net(x)); }
  };
  struct Killed {};
  bool killed = true;  // else asked to stop
  auto train = [&](const std::string& checkpoint, int stop_after, std::vector<EpochReport>* reports) {
    manual_seed(3);
    Dropped model;
    Adam adam(parameters(model), {.lr = 1e-2, .schedule = linear_lr(14, .1)});
    Loader loader(shapes(200, 0, 1).train, {.batch = 40, .replacement = true, .seed = 2});
    int losses = 0;
    auto loss = [&](const Variable& logits, const Array& labels) {
      if (++losses > stop_after && killed) throw Killed();
      return cross_entropy(logits, labels);
    };
    try {
      fit(model, adam, loader,
          {.epochs = 2,
           .steps_per_epoch = 7,
           .loss = loss,
           .progress = false,
           .checkpoint = checkpoint,
           .checkpoint_seconds = killed ? 0 : 1e9,
           .on_epoch = [&](const EpochReport& r) { return reports->push_back(r), true; },
           .stop = [&] { return !killed && losses >= stop_after; }});
    } catch (const Killed&) {
    }
    std::vector<std::vector<float>> bits;
    for (auto& [name, array] : state(model)) {
      auto part = array.elements<float>();
      bits.emplace_back(part.begin(), part.end());
    }
    return bits;
  };
  std::vector<EpochReport> whole, parts;
  const auto undisturbed = train("", 1000, &whole);
  const std::string file = (folder / "checkpoint.safetensors").string();
  for (int stop : {3, 4, 1, 2}) train(file, stop, &parts);  // 10 steps, of which the first of epoch 2 is one
  CHECK(train(file, 1000, &parts) == undisturbed);
  REQUIRE(parts.size() == 2);
  for (int i = 0; i < 2; ++i) {
    CHECK(parts[std::size_t(i)].steps == whole[std::size_t(i)].steps);
    CHECK(parts[std::size_t(i)].train.loss == whole[std::size_t(i)].train.loss);
    CHECK(parts[std::size_t(i)].train.samples == whole[std::size_t(i)].train.samples);
  }

  Net other;
  SGD sgd(parameters(other));
  Loader loader(shapes(200, 0, 1).train, {.batch = 40});
  // Asked to stop, it loses no step: not within an epoch, nor at its end.
  killed = false;
  parts.clear();
  std::filesystem::remove(file);
  for (int stop : {3, 4, 1, 2}) train(file, stop, &parts);
  CHECK(load_training(file).progress.step == 10);
  CHECK(train(file, 1000, &parts) == undisturbed);
  REQUIRE(parts.size() == 2);
  CHECK(parts[1].train.loss == whole[1].train.loss);

  CHECK(error_of([&] { fit(other, sgd, loader, {.checkpoint = file}); }).find(": does not fit the model: ") !=
        std::string::npos);
  save(other, (folder / "parameters").string());
  CHECK(error_of([&] { load_training((folder / "parameters").string()); }) ==
        (folder / "parameters").string() +
            ": this is not a training state of xgrad; parameters alone are loaded with load()");
}

TEST_CASE("a training state whose progress cannot be is refused") {
  tests::TemporaryFolder folder;
  const std::string file = (folder / "state").string();
  auto refused = [&](const Progress& progress) {
    TrainingState state;
    state.progress = progress;
    save_training(file, state);
    return error_of([&] { load_training(file); });
  };
  CHECK(refused({.step = 3, .loss = 1, .correct = 2, .labelled = 2, .samples = 2, .seconds = 1}).empty());
  CHECK(refused({.step = -1}) ==
        file + ": step -1, loss 0, 0 of 0 samples correct and 0 s are not the progress of a training run");
  for (const Progress& p :
       {Progress{.loss = NAN}, Progress{.correct = -1}, Progress{.correct = 2, .labelled = 1, .samples = 3},
        Progress{.labelled = 2, .samples = 1}, Progress{.samples = -1}, Progress{.seconds = NAN},
        Progress{.seconds = INFINITY}, Progress{.step = 1l << 60}})
    CHECK(refused(p).ends_with("are not the progress of a training run"));
}

TEST_CASE("functions that are null are refused by name") {
  Net net;
  SGD sgd(parameters(net));
  Loader loader(shapes(50, 0, 1).train, {.batch = 50});
  CHECK(error_of([&] { fit(net, sgd, loader, {.loss = nullptr, .progress = false}); }) ==
        "fit: the loss is null");
  CHECK(error_of([&] {
          fit(net, sgd, loader, {.metrics = {{"f", nullptr}}});
        }) == "fit: the metric f is null");
  CHECK(error_of([&] { evaluate(net, loader.epoch(), nullptr); }) == "evaluate: the loss is null");
  CHECK(error_of([] { MLP({2, 2}, {.activation = nullptr}); }) == "MLP: the activation is null");
  CHECK(error_of([] { AnyModel()(Variable(ones({2}))); }) == "AnyModel: no model has been assigned to it");
  CHECK(error_of([] {
          AnyModel none;
          parameters(none);
        }) == "AnyModel: no model has been assigned to it");
  CHECK(Embedding(5, 2, nullptr).weight.shape() == Shape{5, 2});
}

TEST_CASE("evaluate measures in evaluation mode without a graph") {
  Net net;
  const Array mean_before = net.norm.running_mean.value;
  Loader loader(shapes(250, 0, 1).train, {.shuffle = false});
  const long nodes = live_nodes();
  const Score score = evaluate(net, loader.epoch());
  CHECK(live_nodes() == nodes);
  CHECK(score.samples == 250);
  CHECK(std::ranges::equal(mean_before.elements<float>(), net.norm.running_mean.value.elements<float>()));
}

TEST_CASE("evaluate takes the mean over all samples, however many a batch has") {
  // The network gives what it is given: logits 0 and log 3, which are probabilities of 1/4 and 3/4.
  auto batch = [](const std::vector<std::int64_t>& labels) {
    const Variable rows = broadcast_to(Variable(array<double>({0, std::log(3.)})), {long(labels.size()), 2});
    return Batch{rows.data(), Array({long(labels.size())}, labels)};
  };
  const Score score = evaluate([](const Variable& x) { return x; },
                               std::vector<Batch>{batch({1, 0}), batch({1, 1}), batch({0})});
  CHECK(score.samples == 5);
  CHECK(score.accuracy == Approx(3. / 5));
  CHECK(score.loss == Approx((3 * std::log(4. / 3) + 2 * std::log(4.)) / 5));
}

TEST_CASE("count_correct counts the samples whose largest logit is at the label") {
  const Variable logits(Array({3, 2}, std::vector<float>{1, 2, 5, 4, 0, 0}));
  CHECK(count_correct(logits, Array({3}, std::vector<std::int64_t>{1, 0, 1})) == 2);
  CHECK(error_of([&] { count_correct(logits, zeros({2}, DType::i64)); }) ==
        "accuracy: labels (2,) do not fit logits (3, 2)");
}
