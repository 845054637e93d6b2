// Gradients that are 0 but for a part: they are added in place, and their zeros are never written.
#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/base/memory.hpp>
#include <xgrad/core/tape/anomaly.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

/// The gradient of x by backward(), which adds in place, and by grad() with create_graph, which does not.
std::pair<Array, Array> both_ways(const Array& value, const std::function<Variable(const Variable&)>& f) {
  Variable x(value, requires_grad);
  f(x).backward();
  const Variable g = grad(f(x), {x}, {.create_graph = true})[0];
  return {x.grad(), g.data()};
}

}  // namespace

TEST_CASE("scatter: gradients of slices, flips, rows and other uses add up in any order") {
  const Array value = random_array({6, 5, 4}), w = random_array({6, 5, 4}, 2);
  const Array indices = array<std::int64_t>({5, 0, 5, 2});
  using F = std::function<Variable(const Variable&)>;
  const F slices = [&](auto& x) {
    return sum(square(slice(x, 0, 1, 5, 2))) + sum(exp(slice(x, 2, 0, 1))) + sum(slice(x, 1, 2, 2));
  };
  const F rows = [&](auto& x) {
    return sum(square(take(x, indices, 0))) + sum(exp(take(x, array<std::int64_t>({1}), 1)));
  };
  const F flips = [&](auto& x) { return sum(flip(x, {0, 2}) * Variable(w)) + sum(square(flip(x, {1}))); };
  const F dense = [&](auto& x) { return sum(x * Variable(w)) + sum(x); };
  const std::vector<F> cases{slices,
                             rows,
                             flips,
                             [&](auto& x) { return slices(x) + dense(x); },
                             [&](auto& x) { return dense(x) + slices(x) + rows(x) + flips(x); },
                             [&](auto& x) { return rows(x) + dense(x) + slices(x); },
                             [&](auto& x) { return sum(slice(x, 0, 2, 3)); }};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO("case " << i);
    const auto [in_place, recorded] = both_ways(value, cases[i]);
    CHECK(distance(in_place, recorded) < 1e-14);
  }
}

TEST_CASE("scatter: what is added to is not written over where somebody else holds it") {
  Variable x(random_array({8, 3}), requires_grad);
  Variable middle = x * 2.;
  Array seen;
  middle.register_hook([&](const Variable& g) {
    seen = g.data();
    return Variable();
  });
  // The gradient of `whole` goes to both operands of the sum as it is: the slice's must not be added to it.
  const Variable whole = middle + x;
  (sum(square(whole)) + sum(slice(middle, 0, 1, 2)) + sum(slice(x, 0, 0, 1))).backward();
  for (long k = 0; k < 24; ++k) {
    const double base = 6 * x.data().data<double>()[k];
    CHECK(seen.data<double>()[k] == Approx(base + (k / 3 == 1)));
    CHECK(x.grad().data<double>()[k] == Approx(base + 2 * (base + (k / 3 == 1)) + (k / 3 == 0)));
  }
}

TEST_CASE("scatter: a sequence that is taken apart has one gradient, not one for each step") {
  constexpr long steps = 64, each = 10000;
  Variable x(random_array({steps, each}, 1, DType::f32), requires_grad);
  auto loss = [&] {
    Variable y(zeros({1, each}));
    for (auto& part : split(x, std::vector<long>(steps, 1), 0)) y = tanh(y + part);
    return sum(y);
  };
  loss().backward();
  x.clear_grad();
  Variable y = loss();
  const std::size_t before = memory::in_use();
  memory::reset_peak();
  std::move(y).backward();
  CHECK(memory::peak() < before + 2 * steps * each * sizeof(float));
}

TEST_CASE("scatter: the first anomaly is named where gradients are added") {
  const DetectAnomaly detect;
  Variable x(random_array({4, 3}), requires_grad);
  const Variable a = slice(x, 0, 0, 1), b = slice(x, 0, 1, 2);
  CHECK_THROWS_WITH((sum(a) + sum(log(b - b) * 0.)).backward(), Catch::Contains("log"));
  (sum(a) + sum(square(b))).backward();
  CHECK(x.grad().data<double>()[0] == 1);
  const Variable tiny(full({4, 3}, 1e-3, DType::f64), requires_grad);
  CHECK_THROWS_WITH((sum(slice(tiny, 0, 0, 2) * 1e308) + sum(slice(tiny, 0, 0, 1) * 1e308)).backward(),
                    Catch::StartsWith("the sum of gradients produced inf"));
}
