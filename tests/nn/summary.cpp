// Summaries of models, models of any type, and the models of the book and the posts.
#include <xgrad/nn/summary.hpp>

#include <xgrad/core/tape/graph.hpp>
#include <xgrad/nn/any_model.hpp>
#include <xgrad/nn/formats/checkpoint.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/models/deep_convnet.hpp>
#include <xgrad/nn/models/mlp.hpp>
#include <xgrad/nn/models/resnet.hpp>
#include <xgrad/nn/models/simple_convnet.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"

using namespace xgrad;
using tests::error_of;

TEST_CASE("summary tells layers, the data behind them, parameters and multiply-adds") {
  DeepConvNet net;
  const float before = net.conv1.weight.data().data<float>()[5];
  const Summary s = summary(net, {1, 3, 32, 32});
  CHECK(s.parameters == 5'350'986);  // as the posts have it
  CHECK(s.multiply_adds == Approx(156.97e6).epsilon(1e-4));
  REQUIRE(s.layers.size() == 8);
  CHECK(s.layers[1].name == "conv2");
  CHECK(s.layers[1].shape == Shape{1, 64, 16, 16});
  CHECK(s.layers[1].parameters == 64 * 64 * 9 + 64);
  CHECK(s.layers[1].multiply_adds == 64 * 32 * 32 * 64 * 9);
  CHECK(s.layers[1].operations == "conv2d relu max_pool2d");
  CHECK(s.layers[7].shape == Shape{1, 10});
  CHECK(s.text().find("156.97 M") != std::string::npos);
  CHECK(net.conv1.weight.data().data<float>()[5] == before);
}

TEST_CASE("the models have the sizes of their sources") {
  ResNet resnet;
  CHECK(summary(resnet, {1, 3, 32, 32}).parameters == 269'722);  // He et al.: 0.27 M
  CHECK(summary(resnet, {1, 3, 32, 32}).multiply_adds == Approx(40.55e6).epsilon(1e-3));
  DeepConvNet book(book_deep_convnet);
  CHECK(book.fc1.weight.shape() == Shape{50, 1024});
  CHECK(book(Variable(zeros({2, 1, 28, 28}))).shape() == Shape{2, 10});
  DeepConvNet small({.widths = {16, 32, 64}, .padding4 = 2, .hidden = 50});
  CHECK(small.fc1.weight.shape() == Shape{50, 1024});
  SimpleConvNet simple(3, 32);
  CHECK(simple.fc1.weight.shape() == Shape{100, 5880});
  CHECK(simple(Variable(zeros({2, 3, 32, 32}))).shape() == Shape{2, 10});
  MLP mlp({784, 50, 10}, {.batch_norm = true, .dropout = .5});
  CHECK(mlp(Variable(zeros({2, 1, 28, 28}))).shape() == Shape{2, 10});
  CHECK(mlp.norm.size() == 1);
  CHECK(error_of([] { MLP({3}); }) == "MLP: 1 widths are given; it needs those of the input and the output");
  CHECK(error_of([] { DeepConvNet({.size = 4}); }) == "DeepConvNet: images of 4 pixels are too small");
}

TEST_CASE("a model of any type has its parameters, state and answers") {
  MLP mlp({4, 3, 2}, {.batch_norm = true});
  AnyModel any = mlp;
  const AnyModel copy = any;
  CHECK(parameters(any).size() == parameters(mlp).size());
  const Variable x(default_generator().normal({5, 4}));
  EvalMode eval;
  CHECK(any(x).to_vector<float>() == mlp(x).to_vector<float>());
  MLP other({4, 3, 2}, {.batch_norm = true});
  load_state(any, {state(other), {}}, "there");
  CHECK(copy(x).to_vector<float>() == mlp(x).to_vector<float>());
  CHECK(any(x).to_vector<float>() == other(x).to_vector<float>());
  MLP wrong({4, 2});
  CHECK(error_of([&] { load_state(any, {state(wrong), {}}, "there"); }) != "");
  struct Net {
    AnyModel body, again;
    Linear head{2, 1};
  } net{any, any};  // each copy has parameters of its own
  const Parameters found = parameters(net);
  REQUIRE(found.size() == 2 * parameters(mlp).size() + 2);
  CHECK(found.front().name == "body." + parameters(mlp).front().name);
  CHECK(found.back().name == "head.bias");
}

TEST_CASE("the recorded graph can be listed and drawn") {
  const Variable a(ones({2}), requires_grad), y = a * a + a;
  const auto nodes = graph(y);
  REQUIRE(nodes.size() == 3);
  CHECK(nodes[0].op == "add");
  CHECK(nodes[0].node == y.node());
  CHECK(nodes[0].recorded > nodes[1].recorded);
  CHECK(nodes[2].inputs.empty());

  if (std::system("dot -V >/dev/null 2>&1")) return tests::skip("no Graphviz");
  tests::TemporaryFolder folder;
  MLP mlp({4, 3, 2});
  const auto svg = folder / "it's.svg";
  REQUIRE(write_graph(trace(mlp, Variable(zeros({1, 4}))), svg.string()));
  CHECK(std::filesystem::file_size(svg) > 500);
}
