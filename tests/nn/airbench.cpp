// The fast network and what it needs: whitening, Muon, learning rates by group, freezing.
#include <xgrad/nn/models/airbench.hpp>

#include <cmath>

#include <xgrad/nn/optim.hpp>
#include <xgrad/nn/whitening.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/gradcheck.hpp"

using namespace xgrad;
using tests::error_of;

TEST_CASE("whitening filters make the patches of images uncorrelated") {
  Generator g(1);
  Array images = g.normal({50, 3, 8, 8});
  float* x = images.mutable_data<float>();
  for (long i = 1; i < images.size(); ++i)
    x[i] = .7f * x[i - 1] + x[i] + .3f;  // neighbours resemble each other
  const Array filters = whitening_filters(images, 2, 0);
  REQUIRE(filters.shape() == Shape{24, 3, 2, 2});
  const Variable y = conv2d(Variable(images), Variable(filters));  // (50, 24, 7, 7)
  const Variable rows = reshape(transpose(y, {1, 0, 2, 3}), {24, -1});
  const Array moments = (matmul(rows, transpose(rows)) / double(rows.shape()[1])).data();
  for (long i = 0; i < 24; ++i)
    for (long j = 0; j < 24; ++j) {
      const double expected = i == j ? 1 : std::abs(i - j) == 12 ? -1 : 0;
      CHECK(std::abs(moments.data<float>()[i * 24 + j] - expected) < 2e-3);
    }
  CHECK(error_of([&] { whitening_filters(images, 9); }) ==
        "whitening_filters: (50, 3, 8, 8) has no patches of 9x9");
  CHECK(error_of([&] { whitening_filters(images, 2, 0, 13); }) ==
        "whitening_filters: patches of 12 numbers have no 13 directions");
  CHECK(error_of([] { Airbench({.whitening = 7}); }) ==
        "Airbench: 7 channels of whitening are not an even number up to 24");
  CHECK(error_of([] { Airbench({.first_convolutions = 3}); }) ==
        "Airbench: a group has 1 or 2 convolutions, not 3");
}

TEST_CASE("the airbench network has its identity filters, 24 whitening filters and a shift without a scale") {
  manual_seed(1);
  Airbench net({.widths = {4, 8, 8}});
  net.whiten(default_generator().normal({10, 3, 32, 32}));
  CHECK_FALSE(net.whitening.weight.requires_grad());
  CHECK(net.whitening.bias.requires_grad());
  CHECK_FALSE(net.groups[0].norm1.weight.defined());
  CHECK(net.groups[0].norm1.bias.defined());
  const float* w = net.groups[1].conv2->weight.data().data<float>();
  for (long f = 0; f < 8; ++f)
    for (long i = 0; i < 72; ++i) CHECK(w[f * 72 + i] == (i == f * 9 + 4 ? 1.f : 0.f));
  CHECK(net(Variable(default_generator().normal({2, 3, 32, 32}))).shape() == Shape{2, 10});
  CHECK(std::abs(var(net.head.weight).item() - 1) < 1e-5);

  const Airbench shorter({.widths = {4, 8, 8}, .first_convolutions = 1});
  CHECK(parameter_count(net) - parameter_count(shorter) == 4 * 4 * 9 + 4);
  CHECK(shorter(Variable(default_generator().normal({2, 3, 32, 32}))).shape() == Shape{2, 10});
}

TEST_CASE("the airbench network's loss has second-order gradients that agree with differences") {
  manual_seed(2);
  const long first_convolutions = GENERATE(1, 2);
  Airbench net({.widths = {3, 4, 4}, .first_convolutions = first_convolutions, .classes = 3});
  to(net, DType::f64);
  Generator g(3);
  const Array images = g.normal({3, 3, 32, 32}, 0, 1, DType::f64);
  const Array labels({3}, std::vector<std::int64_t>{0, 2, 1});
  auto& shift = net.groups[1].norm2->bias;
  auto& filter = net.groups[2].conv1.weight;
  const TestFunction loss = [&](const std::vector<Variable>& x) {
    Airbench copy = net;
    static_cast<Variable&>(copy.groups[1].norm2->bias) = x[0];
    static_cast<Variable&>(copy.groups[2].conv1.weight) = x[1];
    static_cast<Variable&>(copy.whitening.bias) = x[2];
    return cross_entropy(copy(Variable(images)), labels,
                         {.label_smoothing = .2, .reduction = Reduction::sum});
  };
  CHECK_THAT(loss, tests::GradientsMatch({shift.data(), filter.data(), net.whitening.bias.data()},
                                         {.step = 1e-5, .tolerance = 1e-5, .max_elements = 6}));
}

TEST_CASE("Muon moves a weight by the nearest orthogonal matrix", "[names]") {
  manual_seed(4);
  for (const Shape& shape : std::vector<Shape>{{8, 8}, {4, 16}, {16, 4}, {8, 2, 3, 3}}) {
    INFO(shape.str());
    const Array start = default_generator().normal(shape, 0, 1, DType::f64),
                g = default_generator().normal(shape, 0, 1, DType::f64);
    struct One {
      Parameter w;
    } model{Parameter(start)};
    Muon muon(parameters(model), {.lr = .5, .momentum = .6, .newton_steps = 30, .a = 1.5, .b = -.5, .c = 0});
    model.w.mutable_grad() = g;
    muon.step();
    // With these coefficients the iteration converges to U V' of the singular value decomposition: O O' = 1
    // on the shorter side, and O is symmetric with g: g O' is.
    const Variable o = reshape((Variable(start) - Variable(model.w.data())) / .5, {shape[0], -1});
    const Variable m = reshape(Variable(g), {shape[0], -1});
    const bool tall = o.shape()[0] > o.shape()[1];
    const Variable square_one = tall ? matmul(transpose(o), o) : matmul(o, transpose(o));
    const Variable symmetric = tall ? matmul(transpose(o), m) : matmul(m, transpose(o));
    const long n = square_one.shape()[0];
    for (long i = 0; i < n; ++i)
      for (long j = 0; j < n; ++j) {
        CHECK(std::abs(square_one.data().data<double>()[i * n + j] - (i == j)) < 1e-6);
        CHECK(std::abs(symmetric.data().data<double>()[i * n + j] -
                       symmetric.data().data<double>()[j * n + i]) < 1e-5);
      }
  }
  struct One {
    Parameter b{zeros({3})};
  } vector;
  CHECK(error_of([&] { Muon(parameters(vector)); }) ==
        "muon: parameter b of shape (3,) is not a matrix; give it to another optimizer");
}

TEST_CASE("Muon's few steps bring all singular values near 1, and it can set the weight's norm first") {
  manual_seed(5);
  const Array start = default_generator().normal({6, 10}), g = default_generator().normal({6, 10});
  struct One {
    Parameter w;
  } model{Parameter(start)};
  Muon muon(parameters(model), {.lr = .1, .normalize = true});
  model.w.mutable_grad() = g;
  muon.step();
  const Variable from = Variable(start) * (std::sqrt(6.) / std::sqrt(sum(square(Variable(start))).item()));
  const Variable o = (from - Variable(model.w.data())) / .1;
  const double size = sum(square(o)).item();  // the sum of the squared singular values
  CHECK(size > 6 * .45);
  CHECK(size < 6 * 1.5);
}

TEST_CASE("groups have rules and schedules; a frozen parameter stays and costs no gradient") {
  struct Two {
    Parameter a{ones({2, 2})}, b{ones({2})};
  } model;
  auto all = parameters(model);
  Muon optimizer({all[0]}, {.lr = .1});
  optimizer.add_groups(
      Momentum({all[1]}, {.lr = .5, .schedule = [](long step) { return step == 0 ? .5 : .25; }}));
  CHECK(optimizer.parameters().size() == 2);
  auto step = [&] {
    optimizer.zero_grad();
    (sum(square(model.a)) + sum(model.b)).backward();
    optimizer.step();
  };
  step();
  CHECK(model.b.data().data<float>()[0] == Approx(1 - .25));
  step();
  CHECK(model.b.data().data<float>()[0] == Approx(.75 - .125 * 1.9));
  const auto saved = optimizer.state();
  optimizer.load_state(saved);
  CHECK(optimizer.state().size() == saved.size());

  const float frozen = model.b.data().data<float>()[0];
  model.b.set_requires_grad(false);
  step();
  CHECK(model.b.data().data<float>()[0] == frozen);
  CHECK_FALSE(model.b.grad().defined());
}
