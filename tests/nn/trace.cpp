// Programs of whole models: printed, drawn, counted and run on other batches.
#include <xgrad/core/tape/anomaly.hpp>
#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/nn/any_model.hpp>
#include <xgrad/nn/models/airbench.hpp>
#include <xgrad/nn/models/deep_convnet.hpp>
#include <xgrad/nn/models/mlp.hpp>
#include <xgrad/nn/models/resnet.hpp>
#include <xgrad/nn/models/simple_convnet.hpp>
#include <xgrad/nn/summary.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

Variable images(long n, long channels, long size) {
  return Variable(default_generator().normal({n, channels, size, size}));
}

/// Traces a call for two images and runs the program for three others, with gradients.
template <class M>
Program checked(M& net, long channels, long size) {
  manual_seed(3);
  const Program program = trace(net, images(2, channels, size));
  INFO(program.text());
  auto gradients = [&](auto forward) {
    for (auto& p : parameters(net)) p.value.clear_grad();
    manual_seed(4);
    const Variable y = forward(images(3, channels, size));
    sum(square(y)).backward();
    std::vector<std::vector<double>> all{values(y.data())};
    for (auto& p : parameters(net))
      if (p.value.grad().defined()) all.push_back(values(p.value.grad()));
    return all;
  };
  CHECK(gradients([&](auto x) { return program({x})[0]; }) == gradients([&](auto x) { return net(x); }));
  return program;
}

long count(const Program& program, const std::string& op) {
  return std::ranges::count_if(program.operations, [&](auto& o) { return o.name == op; });
}

}  // namespace

TEST_CASE("trace: models of the book and the posts run again on a batch of another size") {
  DeepConvNet deep({.widths = {4, 6, 8}, .hidden = 10});
  SimpleConvNet simple(3, 32);
  MLP mlp({12, 8, 5}, {.batch_norm = true, .dropout = .5});
  ResNet resnet;
  Airbench airbench({.widths = {8, 8, 8}});
  auto all = [&] {
    const Program program = checked(deep, 3, 32);
    CHECK(count(program, "conv2d") == 6);
    CHECK(count(program, "max_pool2d") == 3);
    CHECK(count(program, "dropout") == 2);
    checked(simple, 3, 32);
    CHECK(count(checked(mlp, 3, 2), "batch_norm") == 1);
    const Program residual = checked(resnet, 3, 32);
    CHECK(count(residual, "conv2d") == 19);
    CHECK(count(residual, "batch_norm") == 19);
    CHECK(residual.operations.back().layer == "fc");
    checked(airbench, 3, 32);
  };
  all();
  EvalMode eval;
  all();
}

TEST_CASE("trace: a program tells operations, operands, attributes, results and layers", "[names]") {
  struct Net {
    Conv2d conv{3, 4, {.kernel = 3, .padding = 1, .bias = false}};
    Linear fc{4, 2};
    Variable operator()(const Variable& x) const { return fc(mean(relu(conv(x)) * 2, {2, 3})); }
  } net;
  const Program program = trace(net, images(2, 3, 8));
  CHECK(
      program.text() ==
      "program (x: f32 (2, 3, 8, 8))\n"
      "  %2: f32 (2, 4, 8, 8) = conv2d(x, conv.weight, none; stride=(1, 1), padding=(1, 1), dilation=(1, 1), "
      "groups=1, direct=false)  # conv\n"
      "  %3: f32 (2, 4, 8, 8) = relu(%2)\n"
      "  %5: f32 (2, 4, 8, 8) = mul(%3, 2)\n"
      "  %6: f32 (2, 4) = mean(%5; axes=(2, 3), keepdims=false)\n"
      "  %9: f32 (2, 2) = linear(%6, fc.weight, fc.bias)  # fc\n"
      "  return %9\n");
  CHECK(*program.operations[0].attribute<std::vector<long>>("padding") == std::vector<long>{1, 1});
  CHECK(program.operations[0].attribute<long>("padding") == nullptr);
  CHECK_THAT(program.graphviz(),
             Catch::Contains(R"x("conv\nconv2d\nweight (4, 3, 3, 3)\nf32 (2, 4, 8, 8)")x"));
  CHECK(error_of([&] { program({}); }) == "program: 0 inputs were given, 1 expected");
}

TEST_CASE("trace: what several layers are called", "[names]") {
  struct Pair {
    Sequential<Linear, Variable (*)(const Variable&), Linear> inner{Linear(2, 3), relu, Linear(3, 2)};
    Parameter scale{ones({2})};
    Variable operator()(const Variable& x) const { return inner(x) * scale; }
  };
  Sequential net{Pair{}, silu, Pair{}};
  const Program program = trace(net, Variable(ones({1, 2})));
  std::vector<std::string> layers;
  for (auto& op : program.operations) layers.push_back(op.layer);
  CHECK(layers == std::vector<std::string>{"0.inner.0", "0.inner.1", "0.inner.2", "0", "1", "2.inner.0",
                                           "2.inner.1", "2.inner.2", "2"});
  AnyModel any = net;
  CHECK(trace(any, Variable(ones({1, 2}))).text() == program.text());
}

TEST_CASE("trace: gradients, labels and detached values are part of the program") {
  const Variable x(array<float>({1, 2, 3}), requires_grad), other(array<float>({4, -1}), requires_grad);
  auto penalty = [](const Variable& v) {
    const Variable y = sum(exp(v));
    const Variable g = grad(y, {v}, {.create_graph = true})[0];
    return sum(square(g)) * v.detach();
  };
  Program program;
  {
    const Trace trace;
    const Variable y = penalty(x);
    program = trace.program({x}, {y});
  }
  const Variable again = program({other})[0], direct = penalty(other);
  CHECK(values(again.data()) == values(direct.data()));
  CHECK(values(grad(again, {other})[0].data()) == values(grad(direct, {other})[0].data()));

  const Variable logits(array<float>({1, 2, 3}).reshape({1, 3}));
  const Variable labels(array<std::int64_t>({2}));
  const Trace trace;
  const Variable loss = cross_entropy(logits, labels.data());
  const Array best = argmax(logits, 1);
  const Program both = trace.program({logits, labels}, {loss, Variable(best)});
  const Variable wrong(array<std::int64_t>({0}));
  const auto results = both({Variable(array<float>({3, 1, 1}).reshape({1, 3})), wrong});
  CHECK(results[0].item() ==
        cross_entropy(Variable(array<float>({3, 1, 1}).reshape({1, 3})), wrong.data()).item());
  CHECK(results[1].item() == 0);
}

TEST_CASE("trace: what leads nowhere is left out, and what was not traced is an error") {
  const Variable x(ones({2}), requires_grad), early = x * 2;
  const Trace trace;
  const Variable y = exp(x), unused = sin(x);
  {
    const Trace inner;
    const Variable z = y + 1;
    CHECK(inner.program({y}, {z}).operations.size() == 1);
  }
  CHECK(trace.program({x}, {y}).operations.size() == 1);
  CHECK(trace.program({x}, {reshape(x, {2})}).operations.size() == 1);
  y.backward();
  CHECK(error_of([&] { trace.program({x}, {early}); }) ==
        "trace: an output of shape (2,) was not computed from operations while the trace was alive");
  CHECK(error_of([&] { trace.program({x}, {Variable(x.grad())}); }).starts_with("trace: an output of shape"));
  CHECK(error_of([&] { trace.program({Variable()}, {y}); }) == "trace: an input is undefined");
  CHECK(tracing());
}

TEST_CASE("trace: an operation of one's own shows, and says what it needs to be called again") {
  auto cube = [](const Variable& x) {
    return elementwise("cube", [](auto v) { return v * v * v; },
                       {{x, [=](auto& gy) { return gy * x * x * 3; }}});
  };
  const Variable x(array<double>({1, 2}));
  Trace trace;
  const Variable y = cube(x) + 1;
  const Program program = trace.program({x}, {y});
  REQUIRE(program.operations.size() == 2);
  CHECK(program.operations[0].name == "cube");
  CHECK(error_of([&] { program({x}); }) ==
        "cube: a program cannot call it again; begin it with `if (tracing()) return traced(\"cube\", ...)`");
}

TEST_CASE("trace: messages name the layer", "[names]") {
  struct Net {
    Conv2d first{3, 4};
    std::vector<Linear> heads = repeat<Linear>(2, 4, 2);
    Variable operator()(const Variable& x) const { return heads[1](first(x)); }
  } net;
  const Variable x(ones({1, 3, 8, 8}));
  const std::string plain = error_of([&] { net(x); });
  CHECK(plain.starts_with("linear: "));
  const Named named(names_of(net));
  CHECK(error_of([&] { net(x); }) == "heads.1: " + plain);
  CHECK(Named::running() == "");
  DetectAnomaly detect;
  net.first.weight.set_data(full(net.first.weight.shape(), 3e38));
  CHECK_THAT(error_of([&] { net.first(x); }), Catch::StartsWith("first: conv2d produced inf"));
  const Variable tiny(full({1, 3, 8, 8}, 1e-38), requires_grad);
  CHECK_THAT(error_of([&] { sum(net.first(tiny)).backward(); }),
             Catch::StartsWith("first: conv2d: its gradient rule produced inf"));
}

TEST_CASE("summary: frozen layers, layers that are called twice or never, and whitening filters", "[names]") {
  struct Net {
    Linear a{4, 4}, b{4, 2}, unused{7, 3};
    Variable operator()(const Variable& x) const { return b(a(relu(a(x)))); }
  } net;
  set_requires_grad(net.a, false);
  const Summary s = summary(net, {3, 4});
  CHECK(s.parameters == 20 + 10 + 24);
  CHECK(s.frozen == 20);
  REQUIRE(s.layers.size() == 4);
  CHECK(s.layers[0].name == "a");
  CHECK(s.layers[0].parameters == 20);
  CHECK(s.layers[0].operations == "linear relu");
  CHECK(s.layers[1].name == "a");
  CHECK(s.layers[1].parameters == 0);
  CHECK(s.layers[1].multiply_adds == 3 * 4 * 4);
  CHECK(s.layers[3].name == "unused");
  CHECK(s.layers[3].parameters == 24);
  CHECK_THAT(s.text(), Catch::Contains("(not called)") && Catch::Contains("(20 frozen)"));

  Airbench airbench({.widths = {8, 8, 8}});
  const Summary before = summary(airbench, {1, 3, 32, 32});
  airbench.whiten(default_generator().normal({200, 3, 32, 32}));
  const Summary after = summary(airbench, {1, 3, 32, 32});
  CHECK(after.parameters == before.parameters);
  CHECK(after.frozen == 24 * 3 * 2 * 2);
  CHECK(after.multiply_adds == before.multiply_adds);
  CHECK(after.layers[0].name == "whitening");
  CHECK(after.layers[0].multiply_adds == 31 * 31 * 24 * 12);
  CHECK(after.layers[0].parameters == 24 * 13);
}
