// Layers: shapes, modes, and the statistics of batch normalisation.
#include <xgrad/nn/layers.hpp>

#include <cmath>
#include <thread>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/mode.hpp>
#include <xgrad/nn/models/mlp.hpp>
#include <xgrad/nn/summary.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using tests::error_of;
using tests::same_bits;

namespace {

double at(const Array& a, long i) { return double(a.data<float>()[i]); }

}  // namespace

TEST_CASE("layers give the shapes that they promise") {
  const Variable images(zeros({2, 4, 9, 7}));
  CHECK(Linear(4, 3)(Variable(zeros({5, 6, 4}))).shape() == Shape{5, 6, 3});
  CHECK(Conv2d(4, 6, {.kernel = {3, 2}, .stride = 2, .padding = 1, .groups = 2})(images).shape() ==
        Shape{2, 6, 5, 4});
  CHECK(
      ConvTranspose2d(4, 6, {.kernel = 3, .stride = 2, .padding = 1, .output_padding = 1})(images).shape() ==
      Shape{2, 6, 18, 14});
  CHECK(BatchNorm(4)(images).shape() == images.shape());
  CHECK(LayerNorm({9, 7})(images).shape() == images.shape());
  CHECK(Embedding(10, 3)(zeros({4, 5}, DType::i64)).shape() == Shape{4, 5, 3});
  CHECK_FALSE(Linear(2, 2, {.bias = false}).bias.defined());
}

TEST_CASE("activations are layers too", "[names]") {
  const Variable x(array<double>({-3, -.5, 0, .5, 3}));
  auto same = [](const Variable& a, const Variable& b) { return same_bits(a.data(), b.data()); };
  CHECK(same(Relu{}(x), relu(x)));
  CHECK(same(Gelu{}(x), gelu(x)));
  CHECK(same(Silu{}(x), silu(x)));
  CHECK(same(Sigmoid{}(x), sigmoid(x)));
  CHECK(same(Softplus{}(x), softplus(x)));
  CHECK(same(Tanh{}(x), tanh(x)));
  CHECK(same(LeakyRelu{}(x), leaky_relu(x)));
  CHECK(same(LeakyRelu{.slope = .2}(x), leaky_relu(x, .2)));

  Sequential net{Linear(4, 8), Tanh{}, LeakyRelu{}, Linear(8, 1), Tanh{}};
  CHECK(parameters(net).size() == 4);
  std::vector<std::string> layers;
  for (auto& op : trace(net, Variable(ones({2, 4}))).operations) layers.push_back(op.layer + " " + op.name);
  CHECK(layers == std::vector<std::string>{"0 linear", "1 tanh", "2 leaky_relu", "3 linear", "4 tanh"});
  const Summary table = summary(net, {2, 4});
  REQUIRE(table.layers.size() == 2);
  CHECK(table.layers[0].operations == "linear tanh leaky_relu");
  CHECK(table.layers[1].operations == "linear tanh");
}

TEST_CASE("layers name what does not fit") {
  CHECK(error_of([] {
          Linear(4, 3)(Variable(zeros({5, 6})));
        }) == "linear: input (5, 6) does not fit weight (3, 4)");
  CHECK(error_of([] {
          Conv2d(3, 8)(Variable(zeros({2, 4, 9, 7})));
        }) == "conv2d: input has 4 channels but weight (8, 3, 3, 3) expects 3");
  CHECK(error_of([] { Conv2d(3, 8, {.groups = 2}); }) == "Conv2d: 3 channels do not split into 2 groups");
  CHECK(error_of([] { Embedding(10, 3)(full({1}, 10, DType::i64)); }) ==
        "embedding: index 10 at position 0 is out of range for length 10");
}

TEST_CASE("initialisers have the variances of their papers") {
  manual_seed(3);
  auto std_of = [](const Initializer& init) {
    const Variable w(init({200, 50, 3, 3}));
    return std::sqrt(var(w).item());
  };
  CHECK(std_of(he()) == Approx(std::sqrt(2. / 450)).epsilon(.02));
  CHECK(std_of(xavier()) == Approx(std::sqrt(2. / (450 + 1800))).epsilon(.02));
  CHECK(std_of(lecun()) == Approx(std::sqrt(1. / 450)).epsilon(.02));
  CHECK(std_of(normal(.01)) == Approx(.01).epsilon(.02));
  CHECK(std_of(uniform(-1, 1)) == Approx(1 / std::sqrt(3)).epsilon(.02));
  CHECK(std_of(uniform_fan_in()) == Approx(1 / std::sqrt(3. * 450)).epsilon(.02));
  CHECK(error_of([] { he()({3}); }) == "init: a weight of shape (3,) has no fan-in and fan-out");
}

TEST_CASE(
    "linear and convolution layers start as PyTorch's, weight and bias; with an initialiser the bias is 0") {
  manual_seed(3);
  auto check = [](const Parameter& weight, const Parameter& bias, double fan_in) {
    const double bound = 1 / std::sqrt(fan_in);
    for (const Parameter* p : {&weight, &bias}) {
      const double largest = max(abs(*p)).item();
      CHECK(largest <= bound);
      CHECK(largest > .95 * bound);
      CHECK(std::sqrt(var(*p).item()) == Approx(bound / std::sqrt(3)).epsilon(.1));
    }
  };
  const Linear fc(50, 400);
  check(fc.weight, fc.bias, 50);
  const Conv2d conv(8, 400, {.kernel = {3, 2}, .groups = 2});
  check(conv.weight, conv.bias, 4 * 6);
  const ConvTranspose2d up(8, 400, {.kernel = 2, .groups = 4});
  check(up.weight, up.bias, 100 * 4);  // of the weight (in, out / groups, KH, KW), as PyTorch counts
  for (const Parameter& bias : {Linear(3, 2, {.init = he()}).bias, Conv2d(3, 2, {.init = he()}).bias,
                                ConvTranspose2d(3, 2, {.init = he()}).bias})
    CHECK(max(abs(bias)).item() == 0);
}

TEST_CASE("a new convolutional network starts at the loss of a uniform guess") {
  double sum = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    manual_seed(seed);
    Sequential lenet{Conv2d(1, 6, {.kernel = 5}),
                     [](const Variable& x) { return max_pool2d(relu(x), 2); },
                     Conv2d(6, 16, {.kernel = 5}),
                     [](const Variable& x) { return max_pool2d(relu(x), 2); },
                     [](const Variable& x) { return flatten(x); },
                     Linear(256, 120),
                     Relu{},
                     Linear(120, 10)};
    const Variable images(default_generator().normal({64, 1, 28, 28}));
    sum += cross_entropy(lenet(images), default_generator().integers({64}, 0, 10)).item() / 5;
  }
  CHECK(sum == Approx(std::log(10)).margin(.02));
}

TEST_CASE("batch normalisation keeps running statistics, as PyTorch and as the book do") {
  const Variable x(
      Array({4, 1}, std::vector<float>{1, 2, 3, 6}));  // mean 3, biased variance 3.5, unbiased 14 / 3
  BatchNorm torch(1), book(1, book_batch_norm);
  for (int i = 0; i < 2; ++i) torch(x), book(x);
  CHECK(at(torch.running_mean.value, 0) == Approx(3 * .1 + 3 * .1 * .9));
  CHECK(at(torch.running_var.value, 0) == Approx(.81 + 14. / 3 * .19));
  CHECK(at(book.running_mean.value, 0) == Approx(3 * .19));
  CHECK(at(book.running_var.value, 0) == Approx(3.5 * .19));
  {
    EvalMode eval;
    const Variable y = book(x);
    CHECK(at(y.data(), 3) == Approx((6 - 3 * .19) / std::sqrt(3.5 * .19 + 1e-6)));
  }
  CHECK(at(torch(x).data(), 3) == Approx(3 / std::sqrt(3.5 + 1e-5)));
  CHECK(parameters(torch).size() == 2);
  BatchNorm plain(1, {.affine = false});
  CHECK(parameters(plain).empty());
  CHECK(at(plain(x).data(), 0) == Approx(-2 / std::sqrt(3.5 + 1e-5)));
}

TEST_CASE("dropout scales in training, the book's in evaluation") {
  manual_seed(5);
  const Variable x(ones({10000}));
  const Variable inverted = Dropout{.p = .2}(x), book = Dropout{.p = .2, .inverted = false}(x);
  CHECK(mean(inverted).item() == Approx(1).epsilon(.02));
  CHECK(max(inverted).item() == Approx(1.25));
  CHECK(mean(book).item() == Approx(.8).epsilon(.02));
  CHECK(max(book).item() == 1);
  EvalMode eval;
  CHECK(mean(Dropout{.p = .2}(x)).item() == 1);
  CHECK(mean(Dropout{.p = .2, .inverted = false}(x)).item() == Approx(.8));
}

TEST_CASE("EvalMode ends with its scope, also by an exception") {
  CHECK(training());
  try {
    EvalMode eval;
    CHECK_FALSE(training());
    throw 1;
  } catch (int) {
  }
  CHECK(training());
}

TEST_CASE("batch normalisation is not trained on one value a channel") {
  BatchNorm norm(3);
  for (const Shape& shape : {Shape{1, 3}, Shape{1, 3, 1}, Shape{1, 3, 1, 1}}) {
    const Variable x(full(shape, 2));
    CHECK(error_of([&] { norm(x); }) ==
          fmt::format("batch_norm: a batch of shape {} has only one value per channel, so its variance is "
                      "undefined; in evaluation, pass the statistics",
                      shape));
    EvalMode eval;
    CHECK(at(norm(x).data(), 0) == Approx(2));
  }
  CHECK(at(norm.running_var.value, 0) == 1);
  CHECK(norm(Variable(zeros({1, 3, 2}))).shape() == Shape{1, 3, 2});
  CHECK(norm(Variable(zeros({2, 3}))).shape() == Shape{2, 3});
}

TEST_CASE("options of layers and initialisers outside of their range are refused by name") {
  CHECK(error_of([] { BatchNorm(1, {.eps = -1}); }) == "BatchNorm: eps is -1, not in [0, inf)");
  CHECK(error_of([] { BatchNorm(1, {.momentum = 1.1}); }) == "BatchNorm: momentum is 1.1, not in [0, 1]");
  CHECK(error_of([] { BatchNorm(1, {.initial_variance = NAN}); }) ==
        "BatchNorm: initial_variance is nan, not in [0, inf)");
  CHECK(error_of([] { LayerNorm({2}, NAN); }) == "LayerNorm: eps is nan, not in [0, inf)");
  CHECK(error_of([] { Dropout{.p = 1.5}(Variable(ones({2}))); }) == "dropout: 1.5 is not a probability");
  CHECK(error_of([] { normal(-1); }) == "normal: std is -1, not in [0, inf)");
  CHECK(error_of([] { uniform(2, 1); }) == "uniform: [2, 1) is not a range");
}

TEST_CASE("options of models outside of their range are refused by name") {
  for (double p : {-1., 1.5, double(NAN)})
    CHECK(error_of([&] {
            MLP({2, 2}, {.dropout = p});
          }) == fmt::format("MLP: a dropout of {} is not a probability", p));
}

TEST_CASE("batch normalisation names the channels that do not fit, with and without parameters") {
  const std::string message = "batch_norm: input (4, 5) has 5 channels, the layer 3";
  for (bool affine : {true, false}) {
    BatchNorm norm(3, {.affine = affine});
    CHECK(error_of([&] { norm(Variable(ones({4, 5}))); }) == message);
    EvalMode eval;
    CHECK(error_of([&] { norm(Variable(ones({4, 5}))); }) == message);
    CHECK(error_of([&] { norm(Variable(ones({3}))); }).starts_with("batch_norm: (3,) of f32 is not (N, C"));
  }
}

TEST_CASE("models are made, and dropout draws, in several threads at once, each with its stream") {
  const Generator before = default_generator();
  auto make = [](std::uint64_t id) {
    const RandomStream stream(id);
    const Linear layer(20, 30);
    return Dropout{}(layer(Variable(ones({5, 20})))).data().copy();
  };
  manual_seed(4);
  std::vector<Array> together(4), alone(4);
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < 4; ++i) workers.emplace_back([&, i] { together[i] = make(1 + i); });
  for (auto& worker : workers) worker.join();
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(same_bits(make(1 + i), together[i]));
    for (std::size_t j = 0; j < i; ++j) CHECK_FALSE(same_bits(together[i], together[j]));
  }
  default_generator() = before;
}
