// fit for every task: regression, several inputs, batches and losses of one's own, metrics.
#include <algorithm>
#include <cmath>

#include <xgrad/datasets/loader.hpp>
#include <xgrad/nn/any_model.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/run/trainer.hpp>
#include <xgrad/nn/summary.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/nn/regression.hpp"

using namespace xgrad;
using namespace xgrad::tests;

TEST_CASE("fit does regression by the loss it is given; accuracy is for classes alone") {
  manual_seed(1);
  Net net;
  Adam adam(parameters(net), {.lr = .05});
  Loader train(parabola(200), {.batch = 20});
  std::vector<EpochReport> reports;
  fit(net, adam, train, {.epochs = 20, .loss = mse_loss, .progress = false, .on_epoch = [&](auto& report) {
                           return reports.push_back(report), true;
                         }});
  CHECK(reports.back().train.loss < .1 * reports[0].train.loss);
  CHECK(std::isnan(reports[0].train.accuracy));
  CHECK(reports[0].train.samples == 200);
  const Score score = evaluate(net, train.epoch(), mse_loss, {{"mae", mean_absolute}});
  CHECK(score.loss < .02);
  CHECK(score.metrics.at("mae") > score.loss);
  CHECK(std::isnan(score.accuracy));

  // A batch type and a loader of one's own: the last array of the struct is the target.
  struct Own {
    struct Pair {
      Array images, labels;
    };
    long steps_per_epoch() const { return 1; }
    Pair next() { return {ones({4, 2}), ones({4, 1})}; }
  } own;
  fit(net, adam, own,
      {.loss = [](const Variable& y, const Array& t) { return mse_loss(y, t); }, .progress = false});
}

TEST_CASE("a loss that does not fit the targets, or is not one number, is named with the remedy") {
  Net net;
  SGD sgd(parameters(net));
  Loader train(parabola(20), {.batch = 20});
  CHECK(error_of([&] { fit(net, sgd, train, {.progress = false}); }) ==
        "cross_entropy: the targets are f32 (20, 1), but it takes class labels, which are integers; it is "
        "the loss "
        "of fit and evaluate where none is given: for regression give them mse_loss");
  auto message = [&](const Loss& loss) {
    return error_of([&] { fit(net, sgd, train, {.loss = loss, .progress = false}); });
  };
  CHECK(message([](auto& y, auto& t) { return square(y - t); }) ==
        "fit and evaluate: the loss has shape (20, 1), not one number; reduce it by mean(loss)");
  CHECK(message([](auto& y, auto& t) {
          return mse_loss(y.detach(), t);
        }).starts_with("fit: the loss depends on nothing that is trained: "));
  CHECK(message([](auto&, auto&) {
          return Variable();
        }).starts_with("fit and evaluate: the loss is undefined, not one number"));
  Variable (*none)(const Variable&, const Variable&, Reduction) = nullptr;
  CHECK(message(none) == "fit: the loss is null");
}

TEST_CASE("an autoencoder's only array is input and target; a model may have several inputs") {
  manual_seed(1);
  Sequential code{Linear(2, 3), Linear(3, 2)};
  SGD sgd(parameters(code), {.lr = .2});
  const Arrays<2> data = parabola(40);
  Loader rows(Arrays{data.arrays[0]}, {.batch = 10});
  const double before = evaluate(code, rows.epoch(), mse_loss).loss;
  fit(code, sgd, rows, {.epochs = 20, .loss = mse_loss, .progress = false});
  CHECK(evaluate(code, rows.epoch(), mse_loss).loss < .2 * before);

  struct Two {
    Linear a{2, 4}, b{1, 4}, out{4, 1};
    Variable operator()(const Variable& x, const Variable& z) const { return out(tanh(a(x) + b(z))); }
  } two;
  Adam adam(parameters(two), {.lr = .02});
  Loader pairs(Arrays{data.arrays[0], data.arrays[1], data.arrays[1]}, {.batch = 10});
  fit(two, adam, pairs, {.epochs = 40, .loss = mse_loss, .progress = false});
  CHECK(evaluate(two, pairs.epoch(), mse_loss).loss < .02);
}

TEST_CASE("token ids go through fit, evaluate, Sequential, AnyModel and summary as Variables") {
  manual_seed(1);
  // The class of a sentence is its first word.
  const Array words = Generator(3).integers({60, 5}, 0, 4);
  const Array first = slice(Variable(words), 1, 0, 1).data().reshape({60}).cast(DType::i32);
  Sequential net{Embedding(4, 8), [](const Variable& x) { return flatten(x); }, Linear(40, 4)};
  Adam adam(parameters(net), {.lr = .02});
  Loader train(Arrays{words, first}, {.batch = 20});
  fit(net, adam, train, {.epochs = 40, .progress = false});
  CHECK(evaluate(net, train.epoch()).accuracy == 1);
  CHECK(evaluate(AnyModel(net), train.epoch()).accuracy == 1);
  const Summary table = summary(net, {1, 5}, DType::i64);
  const auto embedding = std::ranges::find(table.layers, "0", &LayerSummary::name);
  REQUIRE(embedding != table.layers.end());
  CHECK(embedding->shape == Shape{1, 40});
  CHECK(embedding->parameters == 4 * 8);
  CHECK(table.parameters == 4 * 8 + 40 * 4 + 4);
}

TEST_CASE("a batch of any type is trained by a loss of (model, batch), and validated by it") {
  struct Graph {
    std::vector<Array> nodes;
    double target;
  };
  struct Graphs {
    long at = 0;
    long steps_per_epoch() const { return 3; }
    Graph next() { return {{ones({1 + at++ % 3, 2})}, .5}; }
  } train;
  manual_seed(1);
  Net net;
  Adam adam(parameters(net), {.lr = .05});
  auto loss = [](const Net& net, const Graph& graph) {
    return square(mean(net(graph.nodes[0])) - graph.target);
  };
  std::vector<EpochReport> reports;
  fit(net, adam, train, loss,
      {.epochs = 30,
       .validate = std::vector<Graph>{train.next(), train.next()},
       .progress = false,
       .on_epoch = [&](auto& report) { return reports.push_back(report), true; }});
  CHECK(reports.back().validation.loss < .01);
  CHECK(reports[0].train.samples == 3);  // batches of which nothing is known
  CHECK(evaluate(net, std::vector<Graph>{train.next()}, loss).loss < .01);
  CHECK(error_of([&] {
          fit(net, adam, train, loss, {.metrics = {{"mae", mean_absolute}}, .progress = false});
        }) ==
        "fit and evaluate: metrics are computed from output and target, and the loss gives none: let it "
        "return a "
        "BatchLoss{loss, output, target}");
  auto with_output = [](const Net& net, const Graph& graph) {
    const Variable y = net(graph.nodes[0]);
    return BatchLoss{square(mean(y) - graph.target), y, full(y.shape(), graph.target), y.size()};
  };
  const std::vector<Graph> graphs{{{ones({1, 2})}, .5}, {{ones({2, 2})}, .5}};
  const Score score = evaluate(net, graphs, with_output, {{"mae", mean_absolute}});
  CHECK(score.samples == 1 + 2);
  CHECK(score.metrics.at("mae") < .1);
}

TEST_CASE("metrics are means over the samples; one called accuracy takes the place of that of classes") {
  auto of = [](std::vector<float> numbers) {
    const Array x({long(numbers.size()), 1}, numbers);
    return std::array{x, zeros_like(x)};
  };
  const Score score =
      evaluate([](const Variable& x) { return x; }, std::vector{of({1, 1, 1}), of({5})}, mse_loss,
               {{"mae", mean_absolute},
                {"accuracy", [](const Variable& y, const Array&) { return double(y.size()); }}});
  CHECK(score.metrics.at("mae") == 2);
  CHECK(score.accuracy == 2.5);
  CHECK(score.loss == 7);
  CHECK(error_of([&] {
          evaluate(Net(), std::vector{of({1})}, mse_loss, {{"loss", mean_absolute}});
        }) == "evaluate: a metric cannot be called loss, which is reported anyway");
  CHECK(error_of([&] {
          evaluate([](const Variable& x) { return x; }, std::vector{of({1, 2})}, mse_loss,
                   {{"f", [](const Variable& y, const Array&) { return y; }}});
        }) == "fit and evaluate: the metric f is not one number");
}

TEST_CASE("callbacks run before and after each step, and every optimizer takes a schedule") {
  const UpdateRule rule{"own",
                        [](const Variable& p, const Variable& g, double lr, auto&) { return p - g * lr; }};
  const Schedule once = [](long step) { return step == 0 ? 1. : 0.; };
  using Make = std::function<Optimizer(const Parameters&)>;
  const std::vector<Make> all{[&](auto& p) { return SGD(p, {.schedule = once}); },
                              [&](auto& p) { return Momentum(p, {.schedule = once}); },
                              [&](auto& p) { return Nesterov(p, {.schedule = once}); },
                              [&](auto& p) { return AdaGrad(p, {.schedule = once}); },
                              [&](auto& p) { return RMSprop(p, {.schedule = once}); },
                              [&](auto& p) { return Adam(p, {.schedule = once}); },
                              [&](auto& p) { return AdamW(p, {.schedule = once}); },
                              [&](auto& p) { return Muon(p, {.schedule = once}); },
                              [&](auto& p) { return Optimizer(p, rule, {.schedule = once}); }};
  for (auto& make : all) {
    struct {
      Linear fc{2, 1, {.bias = false}};
      Variable operator()(const Variable& x) const { return fc(x); }
    } net;
    Optimizer optimizer = make(parameters(net));
    Loader train(parabola(30), {.batch = 10});
    std::vector<std::string> bits{all_bits(net)};
    std::vector<long> calls;
    fit(net, optimizer, train,
        {.loss = mse_loss,
         .progress = false,
         .before_step = [&](long step) { calls.push_back(step); },
         .after_step =
             [&](long step) {
               calls.push_back(-step);
               bits.push_back(all_bits(net));
             }});
    CHECK(calls == std::vector<long>{0, -1, 1, -2, 2, -3});
    CHECK(bits[1] != bits[0]);
    CHECK(bits[2] == bits[1]);
    CHECK(bits[3] == bits[1]);
  }
}
