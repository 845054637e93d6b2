// Every row of the table: values, gradients to second order, empty inputs, f32, and equal bits however it is
// run.
#include <cmath>
#include <set>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/core/tape/trace.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/shape.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"
#include "tests/ops/public_ops.hpp"
#include "tests/ops/table.hpp"

namespace xgrad::tests {
namespace {

using Arrays = std::vector<Array>;

Arrays cast(Arrays arrays, DType dtype) {
  for (Array& a : arrays) a = a.cast(dtype);
  return arrays;
}
Grids grids(const Arrays& arrays) { return {arrays.begin(), arrays.end()}; }
std::vector<Variable> leaves(const Arrays& arrays) {
  std::vector<Variable> xs;
  for (auto& a : arrays) xs.emplace_back(a, requires_grad);
  return xs;
}
long size(const Arrays& arrays) {
  long n = 0;
  for (auto& a : arrays) n += a.size();
  return n;
}
/// Weights for the elements of a result, so that its gradient is not that of a mere sum.
Variable weights(const Variable& y) {
  Generator g(3);
  return Variable(g.normal(y.shape(), 0, 1, DType::f64).cast(y.dtype()));
}
/// Calls f(row, inputs) for all rows and shapes, in a section for each row.
template <class F>
void each_case(F f) {
  for (auto& row : table()) DYNAMIC_SECTION(row.op << " " << row.what) {
      for (std::size_t k = 0; k < row.shapes.size(); ++k) {
        std::string shapes;
        for (auto& s : row.shapes[k]) shapes += s.str();
        INFO(row.op << " " << row.what << " of " << shapes);
        f(row, inputs_of(row, k));
      }
    }
}

/// The value and the gradients of a case, as bytes.
std::string bits(const Row& row, const Arrays& inputs) {
  const auto xs = leaves(inputs);
  const Variable y = row.f(xs);
  Arrays all{y.data()};
  if (y.requires_grad())
    for (auto& g : grad(y, xs, {.grad_output = weights(y)})) all.push_back(g.data());
  std::string result;
  for (auto& a : all) result += tests::bits(a);
  return result;
}

}  // namespace

TEST_CASE("each op's values are those of its reference, in f64 and f32", "[ops]") {
  each_case([](const Row& row, const Arrays& inputs) {
    for (auto [dtype, tolerance] : {std::pair(DType::f64, 1e-10), {DType::f32, 1e-4}}) {
      const Arrays xs = cast(inputs, dtype);
      const Variable y = row.f({xs.begin(), xs.end()});
      CHECK(difference(y.data(), row.reference(grids(xs)), tolerance) == "");
      CHECK(y.dtype() == row.dtype.value_or(dtype));
      CHECK_FALSE(y.requires_grad());
    }
  });
}

TEST_CASE("each op's gradients agree with differences, first and second order", "[ops]") {
  each_case([](const Row& row, const Arrays& inputs) {
    if (!row.differentiable) {
      CHECK_FALSE(row.f(leaves(inputs)).requires_grad());
      return;
    }
    // Bent, so that linear ops too have a second gradient, through what their rules do with gy.
    double largest = 1;
    for (double v : Grid(row.f({inputs.begin(), inputs.end()}).data()).v)
      largest = std::max(largest, std::abs(v));
    const TestFunction bent = [&](auto& xs) {
      const Variable y = row.f(xs);
      return y + square(y) * (.5 / largest);
    };
    const GradcheckReport report = gradcheck(bent, inputs, {.max_elements = size(inputs) > 4000 ? 5 : 40});
    INFO(report.message);
    CHECK(report.passed);
  });
}

TEST_CASE("each op's gradients have their inputs' shapes, also of empty inputs", "[ops]") {
  each_case([](const Row& row, const Arrays& inputs) {
    if (!row.differentiable) return;
    for (DType dtype : {DType::f32, DType::f64}) {
      const auto xs = leaves(cast(inputs, dtype));
      const Variable y = row.f(xs);
      REQUIRE(y.requires_grad());
      const auto first = grad(y, xs, {.create_graph = true});
      for (std::size_t i = 0; i < xs.size(); ++i) {
        CHECK(first[i].shape() == xs[i].shape());
        CHECK(first[i].dtype() == dtype);
        if (!first[i].requires_grad()) continue;
        for (const auto second = grad(first[i], xs); auto& g : second) CHECK(g.data().bytes() != nullptr);
      }
    }
  });
}

TEST_CASE("each op's gradients in f32 are those in f64", "[ops]") {
  each_case([](const Row& row, const Arrays& inputs) {
    if (!row.differentiable) return;
    const auto singles = leaves(cast(inputs, DType::f32)),
               doubles = leaves(cast(cast(inputs, DType::f32), DType::f64));
    const Variable y = row.f(singles), z = row.f(doubles);
    const auto got = grad(y, singles, {.grad_output = weights(y)}),
               want = grad(z, doubles, {.grad_output = weights(z)});
    for (std::size_t i = 0; i < got.size(); ++i)
      CHECK(difference(got[i].data(), Grid(want[i].data()), 1e-3) == "");
  });
}

/// The elements in another order: inputs of the same kind.
Arrays reversed(Arrays arrays) {
  for (Array& a : arrays) a = reshape(flip(reshape(a, {a.size()})), a.shape()).data();
  return arrays;
}

/// What a row computes, as a program of its inputs.
Program program_of(const Row& row, const Arrays& inputs) {
  const auto xs = leaves(inputs);
  const Trace trace;
  const Variable y = row.f(xs);
  return trace.program(xs, {y});
}

TEST_CASE("each op is traced as it is called, and the program gives the same bits on other inputs", "[ops]") {
  each_case([](const Row& row, const Arrays& inputs) {
    const Program program = program_of(row, inputs);
    INFO(program.text());
    CHECK(std::ranges::any_of(program.operations, [&](auto& op) { return op.name == row.op; }));
    if (row.op == "dropout") return;  // by its own generator in the table, by the default one in a program
    const Row again{row.op, row.what, [&](auto& xs) { return program(xs)[0]; }, {}, {}};
    const Arrays others = reversed(inputs);
    CHECK((bits(again, others) == bits(row, others)));
  });
}

TEST_CASE("every op is traced", "[ops]") {
  std::set<std::string> left = public_ops();
  for (auto& row : table())
    for (auto& op : program_of(row, inputs_of(row, 0)).operations) left.erase(op.name);
  CHECK(left.empty());
}

TEST_CASE("neither fusion nor the number of threads changes a bit of any op", "[ops]") {
  const Restore restore;
  each_case([&](const Row& row, const Arrays& inputs) {
    for (DType dtype : {DType::f32, DType::f64}) {
      const Arrays xs = cast(inputs, dtype);
      threads::set(1);
      const std::string expected = bits(row, xs);
      for (int count : {2, 3}) {
        threads::set(count);
        CHECK((bits(row, xs) == expected));
      }
      lazy::set_fusion(false);
      CHECK((bits(row, xs) == expected));
      lazy::set_fusion(true);
    }
  });
}

}  // namespace xgrad::tests
