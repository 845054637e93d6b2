// Writing after use: an error that names the operation, where its rule needs what was there; nowhere else.
#include <xgrad/core/tape/tape.hpp>
#include <xgrad/core/xtensor.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

Variable leaf() { return Variable(array<double>({.5, 2}), requires_grad); }
void write(Variable& x, double value = 100) { x.mutable_data().mutable_data<double>()[0] = value; }
std::string message(const std::string& op, const std::string& shape = "(2,)") {
  return op + ": a Variable of shape " + shape + " that its gradient needs was written to after " + op +
         " used it. Where a result of an earlier training step is used again, such as the state of a "
         "recurrent "
         "network, detach it: h = h.detach(). Else call backward() before writing, or write to a copy";
}

}  // namespace

TEST_CASE("mutation: an input that the rule needs") {
  Variable x = leaf();
  const Variable y = sin(x);
  write(x);
  CHECK(error_of([&] { y.backward(); }) == message("sin"));
  CHECK(error_of([&] { grad(y, {x}); }) == message("sin"));
  CHECK_FALSE(x.grad().defined());
  Variable z = leaf();
  const Variable logarithm = log(z * 2);
  write(z);  // log needs z * 2, which is another
  CHECK(values(grad(logarithm, {z})[0]) == std::vector<double>{2, .5});
}

TEST_CASE("mutation: a constant that the rule needs") {
  const Variable x = leaf();
  Variable mask(array<double>({0, 1}));
  const Variable y = x * mask;
  write(mask);
  CHECK(error_of([&] { y.backward(); }) == message("mul"));
}

TEST_CASE("mutation: a result that the rule needs") {
  Variable x = leaf();
  for (auto op : {exp, relu, sqrt, gaussian}) {
    Variable y = op(x);
    const std::string name = y.op();
    write(y);
    CHECK(error_of([&] { y.backward(); }) == message(name));
  }
}

TEST_CASE("mutation: set_data counts as writing") {
  Variable x = leaf();
  const Variable y = x * x;
  x.set_data(array<double>({7, 7}));
  CHECK(error_of([&] { y.backward(); }) == message("mul"));
}

TEST_CASE("mutation: what no rule needs may be written") {
  Variable x = leaf(), b = leaf();
  Variable sum_ = x + b, difference = x - b, positive = relu(x), e = exp(x), scaled = x * 3, total = sum(x);
  write(x);
  write(b);
  write(sum_);
  write(difference);
  write(scaled);
  CHECK(values(grad(sum_, {x})[0]) == std::vector<double>{1, 1});
  CHECK(values(grad(difference, {b})[0]) == std::vector<double>{-1, -1});
  CHECK(values(grad(positive, {x})[0]) == std::vector<double>{1, 1});
  CHECK(values(grad(e, {x})[0]) == values(e));
  CHECK(values(grad(scaled, {x})[0]) == std::vector<double>{3, 3});
  CHECK(values(grad(total, {x})[0]) == std::vector<double>{1, 1});
}

TEST_CASE("mutation: writing before use, and after backward, is fine") {
  Variable x = leaf();
  write(x, 3);
  for (int step = 0; step < 3; ++step) {
    const Variable y = sum(x * x);
    x.clear_grad();
    y.backward();
    CHECK(x.grad().data<double>()[0] == 2 * x.data().data<double>()[0]);
    write(x, step);
  }
}

TEST_CASE("mutation: only the operations from before the writing are in error") {
  Variable x = leaf();
  const Variable before = x * x;
  write(x, 5);
  const Variable after = x * x;
  CHECK(values(grad(after, {x})[0]) == std::vector<double>{10, 4});
  CHECK(error_of([&] { grad(before + after, {x}); }) == message("mul"));
}

TEST_CASE("mutation: a gradient with create_graph remembers what it used") {
  Variable x = leaf();
  const Variable g = grad(x * x * x, {x}, {.create_graph = true})[0];
  write(x);
  CHECK(error_of([&] { grad(g, {x}); }) == message("strong_mul"));
  Variable fresh = leaf();
  const Variable y = fresh * fresh;
  write(fresh);
  CHECK(error_of([&] { grad(y, {fresh}, {.create_graph = true}); }) == message("mul"));
  CHECK(recording());
}

TEST_CASE("mutation: writing through another handle, an interior Variable, an xtensor view") {
  Variable x = leaf(), h = x * 1;
  const Variable y = square(h);
  Variable same = h;
  write(same);
  CHECK(error_of([&] { y.backward(); }) == message("square"));
  Variable z = leaf();
  const Variable w = square(z);
  as_mutable_xtensor<double>(z.mutable_data()) += 1;
  CHECK(error_of([&] { w.backward(); }) == message("square"));
}

TEST_CASE("mutation: a copy may be written") {
  Variable x = leaf();
  const Variable y = x * x;
  Array copy = x.data();
  copy.mutable_data<double>()[0] = 100;
  Variable detached = x.detach();
  write(detached);
  CHECK(values(grad(y, {x})[0]) == std::vector<double>{1, 4});
}

TEST_CASE("mutation: a rule may write what it makes itself") {
  const Variable x = leaf();
  const Variable y =
      record("reverse", array<double>({2, .5}), {{x, [](auto& gy) {
                                                    Variable g(zeros({2}, DType::f64));
                                                    for (int i : {0, 1})
                                                      g.mutable_data().template mutable_data<double>()[i] =
                                                          gy.data().template data<double>()[1 - i];
                                                    return g * 1;
                                                  }}});
  CHECK(values(grad(y, {x}, {.grad_output = Variable(array<double>({3, 4}))})[0]) ==
        std::vector<double>{4, 3});
}

TEST_CASE("mutation: results that still wait are not changed by writing") {
  Variable x(full({10'000}, 2, DType::f64), requires_grad);
  const Variable y = x + x;
  CHECK_FALSE(is_ready(y.data()));
  write(x);
  CHECK(y.data().data<double>()[0] == 4);
  CHECK(y.data().data<double>()[9999] == 4);
}
