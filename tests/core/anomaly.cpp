// DetectAnomaly names the operation, or the rule, that first made a NaN or an infinity.
#include <xgrad/core/tape/anomaly.hpp>

#include <xgrad/core/base/error.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"

namespace xgrad::tests {
namespace {

Variable leaf(const std::vector<float>& elements) {
  return Variable(Array({long(elements.size())}, elements), requires_grad);
}

}  // namespace

TEST_CASE("an operation that makes a NaN or an infinity is named with its shapes", "[core]") {
  const Variable x = leaf({4, -1, 0}), large = leaf({100, 1, 1});
  const DetectAnomaly detect;
  CHECK(error_of([&] { (void)(sqrt(x) * 2); }) ==
        "sqrt produced nan at [1] of its result of shape (3,), from shapes (3,)");
  CHECK(error_of([&] {
          (void)log(reshape(abs(x), {3, 1}));
        }) == "log produced -inf at [2, 0] of its result of shape (3, 1), from shapes (3, 1)");
  CHECK(error_of([&] { (void)(exp(large) + x); }).starts_with("exp produced inf at [0]"));
  CHECK(error_of([&] { (void)(x / (x * 0)); }).starts_with("div produced nan at [2]"));
  CHECK(error_of([&] { (void)sum(full({4}, 3e38)); }).starts_with("sum_to produced inf at [0]"));
}

TEST_CASE("what goes in is nobody's fault, but a NaN made of infinities is", "[core]") {
  const Variable x = leaf({INFINITY, -INFINITY, 1}), y = leaf({NAN, 0, 1});
  const DetectAnomaly detect;
  CHECK(error_of([&] { (void)(x + 1); }) == "");
  CHECK(error_of([&] { (void)where(y == 1, -INFINITY, y); }) == "");
  CHECK(error_of([&] { (void)softmax(leaf({-INFINITY, 1, 2})); }) == "");
  CHECK(error_of([&] { (void)logsumexp(leaf({-INFINITY, -INFINITY})); }) == "");
  CHECK(error_of([&] { (void)(x - x); }) ==
        "sub produced nan at [0] of its result of shape (3,), from shapes (3,), (3,)");
  CHECK(error_of([&] { (void)exp(y); }) == "");
}

TEST_CASE("a gradient rule that makes an infinity is named, and nothing is stored", "[core]") {
  const Variable x = leaf({4, 0});
  const Variable y = sum(sqrt(x));
  const DetectAnomaly detect;
  CHECK(error_of([&] { y.backward(); }) ==
        "sqrt: its gradient rule produced inf at [1] of its result of shape (2,), from shapes (2,)");
  CHECK_FALSE(x.grad().defined());
  CHECK(error_of([&] { (void)grad(y, {x}, {.create_graph = true}); }).starts_with("sqrt: its gradient rule"));
  const Variable a = leaf({0});
  CHECK(error_of([&] {
          (void)grad(a * 3e38 + a * 3e38, {a});
        }).starts_with("the sum of gradients produced inf"));
}

TEST_CASE("what the data had is not blamed on a rule, and what a hook makes is on the hook", "[core]") {
  const Variable x = leaf({1, NAN, INFINITY}), w = leaf({2});
  const DetectAnomaly detect;
  CHECK(error_of([&] { (void)grad(square(x * w), {w}); }) == "");
  CHECK(error_of([&] { (void)grad(square(x), {x}); }) == "");
  const Variable a = leaf({1});
  const Variable y = a * 2;
  Variable(y).register_hook([](const Variable&) { return Variable(array<float>({INFINITY})); });
  CHECK(error_of([&] { y.backward(); }).starts_with("a hook produced inf at [0]"));
}

TEST_CASE("gradients are added to all leaves or to none", "[core]") {
  const Variable a = leaf({1}), b = leaf({1});
  (a + b * 3e38).backward();
  const DetectAnomaly detect;
  CHECK(error_of([&] { (a + b * 3e38).backward(); }) != "");
  CHECK(a.grad().item() == 1);
}

TEST_CASE("detection ends with its block, also by an error", "[core]") {
  const Variable x = leaf({-1});
  CHECK(error_of([&] {
          const DetectAnomaly detect;
          (void)sqrt(x);
        }) != "");
  CHECK(error_of([&] { (void)sqrt(x); }) == "");
}

}  // namespace xgrad::tests
