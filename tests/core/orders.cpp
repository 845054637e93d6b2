// Derivatives of higher order against formulas, and chains of 200,000 operations.
#include <algorithm>
#include <functional>
#include <tuple>

#include <xgrad/core/tape/tape.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

/// f and its first three derivatives at the points, each by differentiating the one before.
template <class F>
std::vector<Array> derivatives(F f, const Array& points, int orders = 3) {
  const Variable x(points, requires_grad);
  std::vector<Array> result;
  Variable y = f(x);
  for (int order = 0; order <= orders; ++order) {
    result.push_back(y.data());
    if (order < orders) y = grad(y, {x}, {.create_graph = true})[0];
  }
  return result;
}
Array by(const Array& points, double (*f)(double)) {
  auto v = values(points);
  for (double& x : v) x = f(x);
  return Array(points.shape(), v);
}
const Array points = array<double>({-2, -.7, 0, .3, 1.9});

Variable chain(Variable x, long length, double factor) {
  for (long i = 0; i < length; ++i) x = x * factor;
  return x;
}

/// a^b, differentiated m times by a and n times by b.
double power_derivative(double a, double b, int m, int n) {
  std::vector<double> terms(std::size_t(n) + 1);  // of a^(b - j) log(a)^i, by i
  terms[std::size_t(n)] = 1;
  for (int j = 0; j < m; ++j)
    for (std::size_t i = 0; i < terms.size(); ++i)
      terms[i] = terms[i] * (b - j) + (i + 1 < terms.size() ? double(i + 1) * terms[i + 1] : 0);
  double sum = 0;
  for (std::size_t i = 0; i < terms.size(); ++i) sum += terms[i] * std::pow(std::log(a), double(i));
  return sum * std::pow(a, b - m);
}

}  // namespace

TEST_CASE("orders: tanh") {
  const auto d = derivatives([](auto& x) { return tanh(x); }, points);
  CHECK(distance(d[1], by(points, [](double x) { return 1 - std::tanh(x) * std::tanh(x); })) < 1e-12);
  CHECK(distance(d[2], by(points, [](double x) {
                   const double y = std::tanh(x);
                   return -2 * y * (1 - y * y);
                 })) < 1e-12);
  CHECK(distance(d[3], by(points, [](double x) {
                   const double y = std::tanh(x);
                   return (1 - y * y) * (6 * y * y - 2);
                 })) < 1e-12);
}

TEST_CASE("orders: sin(x) exp(x)") {
  const auto d = derivatives([](auto& x) { return sin(x) * exp(x); }, points, 4);
  CHECK(distance(d[1], by(points, [](double x) { return std::exp(x) * (std::sin(x) + std::cos(x)); })) <
        1e-12);
  CHECK(distance(d[2], by(points, [](double x) { return 2 * std::exp(x) * std::cos(x); })) < 1e-12);
  CHECK(distance(d[3], by(points, [](double x) { return 2 * std::exp(x) * (std::cos(x) - std::sin(x)); })) <
        1e-12);
  CHECK(distance(d[4], by(points, [](double x) { return -4 * std::exp(x) * std::sin(x); })) < 1e-12);
}

TEST_CASE("orders: the fifth derivative of x^7, on arrays that are computed lazily") {
  const Array many = random_array({5000});
  const auto d = derivatives(
      [](auto& x) {
        const Variable x3 = x * x * x;
        return x3 * x3 * x;
      },
      many, 5);
  CHECK(distance(d[5], by(many, [](double x) { return 2520 * x * x; })) < 1e-11);
}

TEST_CASE("orders: mixed derivatives do not depend on their order") {
  const Variable a(array<double>({.4, 1.1}), requires_grad), b(array<double>({-.6, .8}), requires_grad);
  const Variable y = tanh(a * b) + square(a) * b;
  auto mixed = [&](const Variable& first, const Variable& second) {
    return grad(grad(y, {first}, {.create_graph = true})[0], {second})[0].data();
  };
  CHECK(distance(mixed(a, b), mixed(b, a)) < 1e-14);
}

TEST_CASE("orders: powers are differentiated four times by base and exponent, in every order") {
  const std::vector<double> bases = {.7, 1.3, 2}, exponents = {1.6, -.4, 2.5};
  for (unsigned sequence = 0; sequence < 16; ++sequence) {
    const Variable a(Array({3}, bases), requires_grad), b(Array({3}, exponents), requires_grad);
    Variable y = square(pow(a, b));  // a^(2 b)
    int by_base = 0, by_exponent = 0;
    for (int order = 0; order < 4; ++order) {
      const bool base = sequence >> order & 1;
      ++(base ? by_base : by_exponent);
      y = grad(y, {base ? a : b}, {.create_graph = true})[0];
      for (std::size_t i = 0; i < bases.size(); ++i) {
        const double expected =
            std::pow(2, by_exponent) * power_derivative(bases[i], 2 * exponents[i], by_base, by_exponent);
        INFO("sequence " << sequence << ", order " << order);
        CHECK(std::abs(values(y.data())[i] - expected) <= 1e-11 * (1 + std::abs(expected)));
      }
    }
  }
}

TEST_CASE("orders: the norm of a gradient in a loss") {
  const Variable w(random_array({3, 2}), requires_grad), x(random_array({5, 3}, 2));
  auto penalty = [&](const Variable& w) {
    return sum(square(grad(sum(tanh(matmul(x, w))), {w}, {.create_graph = true})[0]));
  };
  const Array g = grad(penalty(w), {w})[0].data();
  for (long k : {0l, 5l}) {
    Variable high(w.data(), requires_grad), low(w.data(), requires_grad);
    high.mutable_data().mutable_data<double>()[k] += 1e-5;
    low.mutable_data().mutable_data<double>()[k] -= 1e-5;
    CHECK(std::abs(g.data<double>()[k] - (penalty(high).item() - penalty(low).item()) / 2e-5) < 1e-8);
  }
}

TEST_CASE("orders: what selects elements is differentiated five times") {
  const Array some =
      array<double>({.9, -.4, .5, -.2, .7, -.8, 1.1, .6, -.3, .8, -.6, .4, -.9, 1.05, .3, -.5});
  auto where_positive = [](double x) { return x > 0; };
  auto largest_of_four = [](double x) { return x == .9 || x == 1.1 || x == .8 || x == 1.05; };
  const std::vector<std::tuple<const char*, Variable (*)(const Variable&), bool (*)(double)>> selections = {
      {"relu", relu, where_positive},
      {"maximum", [](auto& x) { return maximum(x, 0); }, where_positive},
      {"where", [](auto& x) { return where(x > 0, x, 0); }, where_positive},
      {"clip", [](auto& x) { return clip(x, 0, 2); }, where_positive},
      {"leaky_relu", [](auto& x) { return leaky_relu(x, 0); }, where_positive},
      {"max",
       [](auto& x) {
         return max(reshape(x, {4, 4}), 1);
       },
       largest_of_four},
      {"max_pool2d",
       [](auto& x) {
         return max_pool2d(reshape(x, {4, 1, 2, 2}), 2);
       },
       largest_of_four},
      {"take",
       [](auto& x) {
         return take(x, array<std::int64_t>({0, 6, 9, 13}));
       },
       largest_of_four},
      {"gather",
       [](auto& x) {
         return gather(x, 0, array<std::int64_t>({0, 6, 9, 13}));
       },
       largest_of_four},
  };
  for (auto& [name, select, selected] : selections) {
    INFO(name);
    const Variable x(some, requires_grad);
    // With y = x^n the gradient of y^2 / 2n is x^(2n - 1); each gradient is that of the one before.
    Variable y = square(select(x));
    for (double n : {2., 3., 5., 9., 17.}) y = grad(square(y) / (2 * n), {x}, {.create_graph = true})[0];
    auto expected = values(some);
    for (double& v : expected) v = selected(v) ? std::pow(v, 33) : 0;
    CHECK(distance(y.data(), Array(some.shape(), expected)) < 1e-11);
  }
}

TEST_CASE("orders: products are differentiated by both factors and the gradient, in every order") {
  const Conv2dOptions conv{.stride = 2, .padding = 1, .groups = 2};
  const ConvTranspose2dOptions transposed{.stride = 2, .padding = 1, .groups = 2};
  using V = const Variable&;
  struct Product {
    const char* name;
    std::function<Variable(V, V)> product;
    Shape x_shape, w_shape;
  };
  const std::vector<Product> products = {
      {"mul", [](V x, V w) { return x * w; }, {2, 3}, {3}},
      {"matmul", [](V x, V w) { return matmul(x, w); }, {2, 3, 4}, {4, 2}},
      {"linear", [](V x, V w) { return linear(x, w); }, {2, 3}, {4, 3}},
      {"conv2d", [&](V x, V w) { return conv2d(x, w, {}, conv); }, {2, 4, 5, 5}, {2, 2, 3, 3}},
      {"conv_transpose2d",
       [&](V x, V w) { return conv_transpose2d(x, w, {}, transposed); },
       {2, 4, 3, 3},
       {4, 1, 3, 3}},
  };
  for (auto& [name, product, x_shape, w_shape] : products) {
    const Array x_way = random_array(x_shape, 4), w_way = random_array(w_shape, 5);
    const Array y = product(x_way, w_way).data(), y_way = random_array(y.shape(), 6);
    const double expected = sum(product(x_way, w_way) * Variable(y_way)).item();
    int order[] = {0, 1, 2};
    do {
      // The sum of g product(x, w), which is linear in each, moves by what it is for the ways that they go.
      const Variable v[] = {{random_array(x_shape, 1), requires_grad},
                            {random_array(w_shape, 2), requires_grad},
                            {random_array(y.shape(), 3), requires_grad}};
      const Array ways[] = {x_way, w_way, y_way};
      Variable moved = sum(product(v[0], v[1]) * v[2]);
      for (int k : order) moved = sum(grad(moved, {v[k]}, {.create_graph = true})[0] * Variable(ways[k]));
      INFO(name << " by " << order[0] << order[1] << order[2]);
      CHECK(std::abs(moved.item() - expected) < 1e-12 * (1 + std::abs(expected)));
    } while (std::next_permutation(order, order + 3));
  }
}

TEST_CASE("orders: a chain of 200,000 is built, differentiated and freed") {
  const long before = live_nodes(), length = 200'000;
  const double factor = 1 + 1e-6;
  {
    Variable x(1., requires_grad);
    Variable y = chain(x, length, factor);
    CHECK(live_nodes() > before + length);
    y.backward();
    CHECK(std::abs(x.grad().item() / std::pow(factor, double(length)) - 1) < 1e-9);
  }
  CHECK(live_nodes() == before);
}

TEST_CASE("orders: a chain of 200,000 is differentiated twice") {
  const long before = live_nodes(), length = 200'000;
  {
    const Variable x(1., requires_grad), c(1., requires_grad);
    Variable y = x;
    for (long i = 0; i < length; ++i) y = y * c;  // x c^n
    const Variable g = grad(y, {x}, {.create_graph = true})[0];
    CHECK(g.item() == 1);
    y = Variable();
    CHECK(grad(g, {c})[0].item() == double(length));
  }
  CHECK(live_nodes() == before);
}

TEST_CASE("orders: a long chain of results that wait is differentiated") {
  const long before = live_nodes();
  {
    Variable x(ones({5000}, DType::f64), requires_grad);
    sum(chain(x, 20'000, 1.)).backward();
    CHECK(values(x.grad()) == std::vector<double>(5000, 1));
  }
  CHECK(live_nodes() == before);
}
