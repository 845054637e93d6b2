// Gradients in the tails, at infinities and behind branches that were not selected: relative errors, both
// orders.
#include <numbers>

#include "tests/catch.hpp"
#include "tests/ops/values.hpp"

namespace xgrad::tests {
namespace {

constexpr DType both[] = {DType::f32, DType::f64};
double units(DType dtype, double n) { return n * (dtype == DType::f32 ? 0x1p-23 : 0x1p-52); }

using Unary = Variable (*)(const Variable&);
struct Tail {
  const char* name;
  Unary f;
  V x, first, second;
};

double logistic_density(double x) {
  const double e = std::exp(-std::abs(x));
  return e / ((1 + e) * (1 + e));
}
V each(double (*f)(double), V x) {
  for (double& v : x) v = f(v);
  return x;
}

/// The mixed second derivatives of f, da first and db first.
std::pair<V, V> mixed(Variable (*f)(const Variable&, const Variable&), const V& at_a, const V& at_b) {
  const Variable a = leaf(at_a), b = leaf(at_b);
  const auto g = grad(f(a, b), {a, b}, {.create_graph = true});
  auto by = [](const Variable& y, const Variable& x) {
    return y.requires_grad() ? gradient(y, x) : V(std::size_t(x.size()), 0);
  };
  return {by(g[0], b), by(g[1], a)};
}

}  // namespace

TEST_CASE("derivatives keep their digits where they are small", "[ops]") {
  const V x{20, 10, 1, .3, -1, -10, -20, -40};
  const Tail tails[] = {
      {"sigmoid", sigmoid, x, each(logistic_density, x),
       each([](double v) { return -logistic_density(v) * std::tanh(v / 2); }, x)},
      {"tanh", tanh, x, each([](double v) { return 4 * logistic_density(2 * v); }, x),
       each([](double v) { return -8 * logistic_density(2 * v) * std::tanh(v); }, x)},
      {"softplus", softplus, x, each([](double v) { return 1 / (1 + std::exp(-v)); }, x),
       each(logistic_density, x)},
      {"expm1", expm1, x, each(std::exp, x), each(std::exp, x)},
      {"erf",
       erf,
       {3, 5, -7, 9},
       each([](double v) { return 2 * std::numbers::inv_sqrtpi * std::exp(-v * v); }, {3, 5, -7, 9}),
       each([](double v) { return -4 * v * std::numbers::inv_sqrtpi * std::exp(-v * v); }, {3, 5, -7, 9})},
  };
  for (DType dtype : both)
    for (auto& t : tails) {
      INFO(t.name << " in " << name(dtype));
      const Variable at = leaf(t.x, dtype);
      CHECK(same(gradient(t.f(at), at), t.first, units(dtype, 5)));
      CHECK(same(second_gradient(t.f(at), at), t.second, units(dtype, 9)));
    }
}

TEST_CASE("powers have the same mixed derivatives in either order", "[ops]") {
  const V a{23, 23, .5, 2, 1e-3, 7}, b{0, 2, 0, -1, 3, 1};
  V expected;
  for (std::size_t i = 0; i < a.size(); ++i)
    expected.push_back(std::pow(a[i], b[i] - 1) * (1 + b[i] * std::log(a[i])));
  const auto [ab, ba] = mixed(pow, a, b);
  CHECK(same(ab, expected, 1e-14));
  CHECK(same(ba, expected, 1e-14));
  for (auto f : {mul, div, maximum, minimum, strong_mul, strong_div}) {
    const auto [xy, yx] = mixed(f, {3, 0, -2, 5}, {2, 4, 7, 1});
    CHECK(same(xy, yx, 1e-15));
  }
  // Where b - 1 is rounded, log a times the rounding must not be lost.
  const Variable base = leaf({1e300}), exponent = leaf({.3});
  CHECK(same(gradient(pow(base, exponent), base), {.3 * std::exp(std::log(1e300) * -.7)}, 1e-12));
  const Variable at_zero = leaf({-1, 0, 1, 2});
  CHECK(same(gradient(pow(leaf({0, 0, 0, 0}), at_zero), at_zero), {-inf, 0, 0, 0}));
}

TEST_CASE("confident predictions keep the digits of their loss, its gradient and curvature", "[ops]") {
  for (DType dtype : both) {
    const V x{10, 14, 18, 40};
    V loss, slope, curvature;
    for (double v : x) {
      loss.push_back(std::log1p(std::exp(-v)));
      slope.push_back(-1 / (1 + std::exp(v)));
      curvature.push_back(logistic_density(v));
    }
    const Variable logits = leaf(x, dtype), ones(xgrad::ones({4}, dtype));
    const Variable y = binary_cross_entropy_with_logits(logits, ones, Reduction::none);
    CHECK(same(values(y), loss, units(dtype, 4)));
    CHECK(same(gradient(y, logits), slope, units(dtype, 4)));
    CHECK(same(second_gradient(y, logits), curvature, units(dtype, 8)));
    const Variable zero = leaf({0, 0, 0}, dtype), targets = leaf({0, .25, 1}, dtype);
    CHECK(values(grad(binary_cross_entropy_with_logits(zero, targets), {zero})[0] * 3) == V{.5, .25, -.5});

    // The same for two classes, by labels, by probabilities, and as log-probabilities.
    const Variable pair = stack({logits, Variable(zeros({4}, dtype))}, 1);
    const Array labels = zeros({4}, DType::i64);
    Array target({4, 2}, std::vector<double>{1, 0, 1, 0, 1, 0, 1, 0});
    for (const Variable& z :
         {cross_entropy(pair, labels, {.reduction = Reduction::none}),
          cross_entropy(pair, Variable(target.cast(dtype)), {.reduction = Reduction::none}),
          -squeeze(slice(log_softmax(pair, 1), 1, 0, 1))}) {
      CHECK(same(values(z), loss, units(dtype, 4)));
      CHECK(same(gradient(z, logits), slope, units(dtype, 6)));
      CHECK(same(second_gradient(z, logits), curvature, units(dtype, 12)));
    }
    const Variable p = squeeze(slice(softmax(pair, 1), 1, 0, 1));
    CHECK(same(gradient(p, logits), curvature, units(dtype, 6)));
    CHECK(same(gradient(logsumexp(pair, 1), logits), each([](double v) { return 1 / (1 + std::exp(-v)); }, x),
               units(dtype, 4)));
    CHECK(same(second_gradient(logsumexp(pair, 1), logits), curvature, units(dtype, 6)));
  }
}

TEST_CASE("losses are right at infinite logits", "[ops]") {
  for (DType dtype : both) {
    const Variable x = leaf({inf, inf, -inf, -inf}, dtype), t = leaf({0, 1, 0, 1}, dtype);
    const Variable y = binary_cross_entropy_with_logits(x, t, Reduction::none);
    CHECK(values(y) == V{inf, 0, 0, inf});
    CHECK(gradient(y, x) == V{1, 0, 0, -1});
    const Variable logits = leaf({-inf, 0}, dtype);
    const Variable rows = reshape(logits, {1, 2}), p(Array({1, 2}, V{0, 1}).cast(dtype));
    CHECK(values(cross_entropy(rows, p)) == V{0});
    CHECK(gradient(cross_entropy(rows, p), logits) == V{0, 0});
    CHECK(gradient(cross_entropy(rows, array<std::int64_t>({1})), logits) == V{0, 0});
  }
}

TEST_CASE("what is not selected leaves the gradient alone", "[ops]") {
  for (DType dtype : both) {
    const Variable x = leaf({-1, 4}, dtype), zero = leaf({0, 0}, dtype), large = leaf({800, .5}, dtype);
    CHECK(gradient(sqrt(clip(x, 0, 9)), x) == V{0, .25});
    CHECK(second_gradient(sqrt(clip(x, 0, 9)), x) == V{0, -.03125});
    CHECK(gradient(maximum(sqrt(sum(square(zero))), 1e-10), zero) == V{0, 0});
    CHECK(gradient(clip(exp(large), 0, 1), large) == V{0, 0});
    CHECK(gradient(where(x > 0, log(x), 0), x) == V{0, .25});
    CHECK(gradient(where(x > 0, sqrt(x), x), x) == V{1, .25});
    CHECK(gradient(max(concat({log(zero), Variable(ones({1}, dtype))})), zero) == V{0, 0});
    CHECK(gradient(abs(sqrt(zero)), zero) == V{0, 0});
    CHECK(gradient(dropout(exp(large), 1), large) == V{0, 0});
  }
}

TEST_CASE("rows of minus infinity and infinite entries have gradients", "[ops]") {
  for (DType dtype : both) {
    const Variable none = leaf({-inf, -inf}, dtype), one = leaf({inf, 0, 800}, dtype),
                   low = leaf({-inf}, dtype);
    CHECK(values(logsumexp(none)) == V{-inf});
    CHECK(gradient(logsumexp(none), none) == V{0, 0});
    CHECK(second_gradient(logsumexp(none), none) == V{0, 0});
    CHECK(values(logsumexp(one)) == V{inf});
    CHECK(gradient(logsumexp(one), one) == V{1, 0, 0});
    CHECK(values(softmax(one)) == V{1, 0, 0});
    CHECK(values(log_softmax(one)) == V{0, -inf, -inf});
    for (Unary f : {gelu, silu}) {
      CHECK(values(f(low)) == V{0});
      CHECK(gradient(f(low), low) == V{0});
      CHECK(second_gradient(f(low), low) == V{0});
    }
  }
}

TEST_CASE("the gradient of a maximum of NaN is NaN, and that of -0 is that of 0", "[ops]") {
  for (DType dtype : both) {
    const Variable x = leaf({nan, 1, 1}, dtype), y = leaf({1, nan, 1}, dtype);
    for (auto f : {maximum, minimum}) {
      CHECK(same(gradient(f(x, y), x), {nan, nan, .5}));
      CHECK(same(gradient(f(x, y), y), {nan, nan, .5}));
    }
    CHECK(same(gradient(max(x), x), {nan, nan, nan}));
    CHECK(same(gradient(min(x), x), {nan, nan, nan}));
    CHECK(same(gradient(clip(x, 0, 2), x), {nan, 1, 1}));
    CHECK(same(gradient(abs(x), x), {nan, 1, 1}));
    // A NaN that is not used does not matter.
    CHECK(same(gradient(where(x == x, 1, maximum(x, y)), y), {nan, 0, 0}));
    const Variable zero = leaf({-0., 0}, dtype);
    CHECK(gradient(sqrt(zero), zero) == V{inf, inf});
    CHECK(std::signbit(values(-zero)[1]));
    CHECK_FALSE(std::signbit(values(-zero)[0]));
  }
}

TEST_CASE("the strong product has the other factor as its derivative, at 0 too", "[ops]") {
  const Variable a = leaf({0, inf, 0, nan, 2}), b = leaf({inf, 0, nan, 0, 3});
  CHECK(values(strong_mul(a, b)) == V{0, 0, 0, 0, 6});
  CHECK(same(gradient(strong_mul(a, b), a), {inf, 0, nan, 0, 3}));
  CHECK(same(values(strong_div(a, leaf({0, inf, nan, 5, 4}))), {0, 0, 0, nan, .5}));
  CHECK(same(values(a * b), {nan, nan, nan, nan, 6}));
}

TEST_CASE("the gradient penalty of a critic that is constant has gradient 0, not NaN", "[ops]") {
  const Variable x(ones({2, 3}), requires_grad), w(zeros({3, 1}), requires_grad);
  const Variable score = sum(relu(matmul(x, w)));
  const Variable g = grad(score, {x}, {.create_graph = true})[0];
  const Variable penalty = mean(square(sqrt(sum(square(g), 1)) - 1));
  CHECK(values(penalty) == V{1});
  CHECK(gradient(score + 10 * penalty, w) == V{0, 0, 0});
}

TEST_CASE("variances of rows that are not selected, or are constant, leave the gradient alone", "[ops]") {
  for (DType dtype : both) {
    const Variable wild = leaf({inf, 1}, dtype), equal = leaf({3, 3, 3}, dtype);
    CHECK(gradient(where(wild == 0, var(wild), 5), wild) == V{0, 0});
    CHECK(gradient(sqrt(var(equal)), equal) == V{0, 0, 0});
    const Variable x = leaf({inf, 1, 2, 3, 4, 7}, dtype), rows = reshape(x, {2, 3});
    CHECK(gradient(slice(var(rows, 1), 0, 1, 2), x)[0] == 0);
    CHECK(gradient(slice(layer_norm(rows), 0, 1, 2), x)[1] == 0);
    CHECK(gradient(slice(batch_norm(transpose(rows), {}, {}).y, 1, 1, 2), x)[2] == 0);
  }
}

TEST_CASE("values keep their NaN where gradients have a strong zero", "[ops]") {
  for (DType dtype : both) {
    const Variable zero = leaf({0}, dtype), unknown = leaf({nan}, dtype);
    CHECK(same(values(binary_cross_entropy_with_logits(zero, unknown)), {nan}));
    CHECK(same(values(leaky_relu(unknown, 0)), {nan}));
    CHECK(std::signbit(values(leaky_relu(leaf({-0.}, dtype)))[0]));
    const Variable logits = reshape(leaf({200, 0}, dtype), {1, 2});
    CHECK(same(values(cross_entropy(logits, Variable(Array({1, 2}, V{nan, 0}).cast(dtype)))), {nan}));
    CHECK(same(values(cross_entropy(reshape(leaf({nan, 0}, dtype), {1, 2}), Variable(zeros({1, 2}, dtype)))),
               {nan}));
    // All of the probability spread: the label's own loss has no weight, be it infinite.
    const Variable masked = reshape(leaf({-inf, 0}, dtype), {1, 2});
    CHECK(values(cross_entropy(masked, array<std::int64_t>({0}), {.label_smoothing = 1})) == V{inf});
  }
}

TEST_CASE("mixed derivatives of powers at 0, and where a power alone would over- or underflow", "[ops]") {
  const auto [ab, ba] = mixed(pow, {0, 0, 0, -0., -0., 0}, {.5, 1, 0, .5, -.5, 2});
  CHECK(same(ab, {-inf, -inf, inf, -inf, inf, 0}));
  CHECK(same(ba, ab));
  const std::vector<std::pair<float, float>> points{{1e-24f, 2},    {1e-30f, 1.5f}, {1e-25f, 1.9f},
                                                    {1e-15f, 3.1f}, {1e25f, 1.6f},  {1e30f, 1.5f}};
  for (auto [base, exponent] : points) {
    const Variable a = leaf({base}, DType::f32), b = leaf({exponent}, DType::f32);
    const double expected =
        std::pow(double(base), double(exponent) - 1) * (1 + exponent * std::log(double(base)));
    const auto g = grad(pow(a, b), {a, b}, {.create_graph = true});
    INFO(base << " to the " << exponent);
    CHECK(same(gradient(g[0], b), {expected}, units(DType::f32, 4)));
    CHECK(same(gradient(g[1], a), {expected}, units(DType::f32, 4)));
  }
}

TEST_CASE("the book's cross-entropy keeps its digits where the prediction is confident", "[ops]") {
  for (DType dtype : both)
    for (double logit : {14., 18., 20.}) {
      const Variable x = reshape(leaf({logit, 0}, dtype), {1, 2});
      const double eps = dtype == DType::f32 ? double(float(1e-7)) : 1e-7;
      const Variable loss = cross_entropy(x, array<std::int64_t>({0}), {.epsilon = 1e-7});
      CHECK(same(values(loss), {-std::log1p(eps - 1 / (1 + std::exp(logit)))}, units(dtype, 64)));
    }
}

TEST_CASE("the weight gradient of a convolution does not saturate", "[ops]") {
  Array x = ones({1, 1, 4000, 4000});
  x.mutable_data<float>()[0] = 0x1p32f;
  const Variable w(ones({1, 1, 1, 1}), requires_grad);
  const double exact = 0x1p32 + 4000. * 4000 - 1;
  // As products of matrices: (256 + n / 256) u, n being the columns that are multiplied at a time.
  CHECK(same(values(grad(conv2d(Variable(x), w), {w})[0]), {exact}, units(DType::f32, 384)));
}

}  // namespace xgrad::tests
