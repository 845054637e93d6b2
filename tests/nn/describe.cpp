// Models as text.
#include <xgrad/nn/describe.hpp>

#include <memory>
#include <optional>

#include <xgrad/nn/any_model.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/ops/activation.hpp>
#include "tests/catch.hpp"

using namespace xgrad;

namespace {

struct Block {
  Conv2d conv;
  BatchNorm norm;
  explicit Block(long in, long out) : conv(in, out, {.kernel = 3, .padding = 1, .bias = false}), norm(out) {}
  Variable operator()(const Variable& x) const { return relu(norm(conv(x))); }
  void each(auto&& f) { f("conv", conv), f("norm", norm); }
};
struct Net {
  std::vector<Block> blocks{Block(3, 8), Block(8, 8), Block(8, 8)};
  Sequential<Linear, Relu, Variable (*)(const Variable&)> head{Linear(8, 10), Relu{}, tanh};
  Dropout dropout{.p = .2};
  std::optional<Linear> extra = std::nullopt;
  Parameter scale{ones({3, 1})};
  Buffer count{zeros({1}, DType::i64)};
  AnyModel any = LeakyRelu{};
  double slope = .1;
  std::string title = "net";
};

}  // namespace

TEST_CASE("a model is written layer by layer, equal ones once") {
  CHECK(describe(Net()) == R"(Net(
  (blocks): vector(
    (0): Block(
      (conv): Conv2d(3, 8, kernel=3, padding=1, bias=false)
      (norm): BatchNorm(8)
    )
    (1-2): 2 x Block(
      (conv): Conv2d(8, 8, kernel=3, padding=1, bias=false)
      (norm): BatchNorm(8)
    )
  )
  (head): Sequential(
    (0): Linear(8, 10)
    (1): Relu()
    (2): function
  )
  (dropout): Dropout(p=0.2)
  (scale): Parameter(3, 1)
  (count): Buffer(1,) of i64
  (any): LeakyRelu(slope=0.01)
))");
}

TEST_CASE("a layer is written with the options that are not the default") {
  CHECK(describe(Linear(4, 8)) == "Linear(4, 8)");
  CHECK(describe(Linear(4, 8, {.bias = false})) == "Linear(4, 8, bias=false)");
  CHECK(describe(Conv2d(4, 8, {.kernel = {3, 5}, .stride = 2, .dilation = 2, .groups = 4})) ==
        "Conv2d(4, 8, kernel=(3, 5), stride=2, dilation=2, groups=4)");
  CHECK(describe(ConvTranspose2d(4, 8, {.kernel = 2, .stride = 2, .output_padding = 1, .groups = 2})) ==
        "ConvTranspose2d(4, 8, kernel=2, stride=2, output_padding=1, groups=2)");
  CHECK(describe(BatchNorm(8, book_batch_norm)) == "BatchNorm(8, eps=1e-06, unbiased=false)");
  CHECK(describe(BatchNorm(8, {.momentum = .2, .affine = false})) ==
        "BatchNorm(8, momentum=0.2, affine=false)");
  CHECK(describe(LayerNorm({4, 8})) == "LayerNorm((4, 8))");
  CHECK(describe(Embedding(100, 8)) == "Embedding(100, 8)");
  CHECK(describe(Dropout{.inverted = false}) == "Dropout(p=0.5, inverted=false)");
  CHECK(describe(Tanh{}) == "Tanh()");
  CHECK(describe(LeakyRelu{}) == "LeakyRelu(slope=0.01)");
}

TEST_CASE("what is shared is written once, and what a layer of one's own says is written") {
  struct Custom {
    Parameter weight{zeros({2})};
    std::string text() const { return "Custom(2)"; }
  };
  struct Tied {
    std::shared_ptr<Linear> in = std::make_shared<Linear>(2, 2), out = in, none = nullptr;
    Custom custom{};
    Linear array[2]{{2, 2}, {2, 2}};
    Parameter frozen{zeros({2}, DType::f64)};
  } net;
  set_requires_grad(net.frozen, false);
  CHECK(describe(net) == R"(Tied(
  (in): Linear(2, 2)
  (out): the same as in
  (custom): Custom(2)
  (array): array(
    (0-1): 2 x Linear(2, 2)
  )
  (frozen): Parameter(2,) of f64, frozen
))");
  struct Empty {
  } empty;
  CHECK(describe(empty) == "Empty()");
}
