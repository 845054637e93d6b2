// The training loop: it learns, it repeats itself exactly, and it stops where it must.
#include "nn/trainer.hpp"

#include "core/threads.hpp"
#include "datasets/loader.hpp"
#include "datasets/synthetic.hpp"
#include "nn/layers.hpp"
#include "ops/ops.hpp"
#include "tests/catch.hpp"

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
  const int before = threads::count();
  threads::set(threads);
  manual_seed(7);
  Net net;
  Momentum optimizer(parameters(net), {.lr = lr});
  Loader loader(shapes(400, 0, 1).train, {.batch = 50, .seed = 2});
  FitOptions options{.epochs = 2, .schedule = linear_lr(16, .1), .progress = false};
  if (reports) options.on_epoch = [&](const EpochReport& r) { return reports->push_back(r), true; };
  fit(net, optimizer, loader, options);
  threads::set(before);
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

TEST_CASE("evaluate measures in evaluation mode without a graph") {
  Net net;
  const Array mean_before = net.norm.running_mean.value;
  Loader loader(shapes(250, 0, 1).train, {.shuffle = false});
  const long nodes = live_nodes();
  const Score score = evaluate(net, loader.epoch());
  CHECK(live_nodes() == nodes);
  CHECK(score.samples == 250);
  CHECK(score.accuracy >= 0);
  CHECK(score.loss > 0);
  CHECK(std::ranges::equal(mean_before.elements<float>(), net.norm.running_mean.value.elements<float>()));
}

TEST_CASE("count_correct counts the samples whose largest logit is at the label") {
  const Variable logits(Array({3, 2}, std::vector<float>{1, 2, 5, 4, 0, 0}));
  CHECK(count_correct(logits, Array({3}, std::vector<std::int64_t>{1, 0, 1})) == 2);
  CHECK(error_of([&] { count_correct(logits, zeros({2}, DType::i64)); }) ==
        "accuracy: labels (2,) do not fit logits (3, 2)");
}
