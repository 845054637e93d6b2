// The errors of elementary functions in units of the last place, against the C library in long double; `-s`
// shows them. docs/architecture.md quotes the bounds that are stated here.
#include <cmath>
#include <limits>
#include <numbers>

#include "ops/activation.hpp"
#include "ops/arithmetic.hpp"
#include "ops/math.hpp"
#include "tests/catch.hpp"

namespace xgrad::tests {
namespace {

constexpr double nan = NAN, inf = INFINITY;
using Exact = long double (*)(long double);

/// |got - exact| in units of the last place of the exact value as a T; 0 where both are NaN or the same
/// infinity.
template <class T>
double ulps(T got, long double exact) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) && std::isnan(got) ? 0 : inf;
  if (std::isinf(T(exact)) || std::isinf(got)) return T(exact) == got ? 0 : inf;
  const int last = std::max(std::ilogb(exact), Limits::min_exponent - 1) - Limits::digits + 1;
  return double(std::abs(exact - got) / std::ldexp(1.0L, last));
}

/// Points evenly over [low, high], over its parts near 0, and over all magnitudes in it.
template <class T>
std::vector<T> points(double low, double high) {
  std::vector<T> x;
  constexpr int n = 40000;
  for (double scale : {1.0, 1e-1, 1e-2})
    for (int i = 0; i <= n; ++i) {
      const T v = T((low + (high - low) * (double(i) / n)) * (low * high > 0 ? 1 : scale));
      if (v >= low && v <= high) x.push_back(v);
    }
  for (int i = 0; i <= n; ++i) {
    const double smallest = std::log(double(std::numeric_limits<T>::min())),
                 largest = std::log(std::max(-low, high));
    const double magnitude = std::exp(smallest + (largest - smallest) * i / n);
    for (T v : {T(magnitude), T(-magnitude)})
      if (v >= low && v <= high) x.push_back(v);
  }
  return x;
}

template <class T>
std::vector<T> apply(Variable (*f)(const Variable&), const std::vector<T>& x) {
  const Array y = f(Variable(Array({long(x.size())}, x))).data();
  return {y.data<T>(), y.data<T>() + y.size()};
}

template <class T>
double worst(Variable (*f)(const Variable&), Exact exact, double low, double high) {
  const std::vector<T> x = points<T>(low, high), y = apply(f, x);
  double result = 0, at = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (const double error = ulps(y[i], exact(x[i])); error > result) result = error, at = double(x[i]);
  UNSCOPED_INFO("worst at " << at);
  return result;
}

struct Claim {
  const char* name;
  Variable (*f)(const Variable&);
  Exact exact;
  double low_f32, high_f32, bound_f32, low_f64, high_f64, bound_f64;
};

}  // namespace

TEST_CASE("elementary functions are within the stated units of the last place", "[ops][accuracy]") {
  // Where the result is neither subnormal nor infinite: xsimd's exp gives 0 and inf one unit of the exponent
  // early.
  const Claim claims[] = {
      {"exp", exp, std::exp, -87.3, 88.3, 1.5, -708.3, 709.4, 1},
      {"log", log, std::log, 0, 3e38, 1, 0, 1e308, 1},
      {"log1p", log1p, std::log1p, -.99999, 3e38, 1, -.99999, 1e308, 1},
      {"expm1", expm1, std::expm1, -104, 88.3, 2.5, -746, 709.4, 2.5},
      {"tanh", tanh, std::tanh, -20, 20, 1.5, -40, 40, 1.5},
      {"erf", erf, std::erf, -10, 10, 5, -10, 10, 1.5},
      {"normal_cdf", normal_cdf,
       [](long double v) { return std::erfc(-v / std::numbers::sqrt2_v<long double>) / 2; }, -1, 10, 5, -1,
       10, 4},
      {"sigmoid", sigmoid, [](long double v) { return 1 / (1 + std::exp(-v)); }, -87.3, 104, 3, -708.3, 746,
       3},
      {"softplus", softplus,
       [](long double v) { return std::log1p(std::exp(-std::abs(v))) + std::max(v, 0.0L); }, -87.3, 1e30, 2.5,
       -708.3, 1e30, 2.5},
      {"sin", sin, std::sin, -1e4, 1e4, 3, -1e4, 1e4, 3},
      {"cos", cos, std::cos, -1e4, 1e4, 3, -1e4, 1e4, 3},
      {"sqrt", sqrt, std::sqrt, 0, 3e38, .5001, 0, 1e308, .5001},
      {"rsqrt", rsqrt, [](long double v) { return 1 / std::sqrt(v); }, 1e-37, 3e38, 1.6, 1e-300, 1e308, 1.6},
  };
  for (auto& c : claims) {
    INFO(c.name);
    CHECK(worst<float>(c.f, c.exact, c.low_f32, c.high_f32) <= c.bound_f32);
    CHECK(worst<double>(c.f, c.exact, c.low_f64, c.high_f64) <= c.bound_f64);
  }
}

TEST_CASE("elementary functions at their special values", "[ops][accuracy]") {
  struct Special {
    const char* name;
    Variable (*f)(const Variable&);
    std::vector<std::pair<double, double>> values;
  };
  const Special specials[] = {
      {"exp", exp, {{0, 1}, {-0., 1}, {inf, inf}, {-inf, 0}, {nan, nan}, {1e4, inf}, {-1e4, 0}, {1e-40, 1}}},
      {"log", log, {{0, -inf}, {-0., -inf}, {1, 0}, {inf, inf}, {-1, nan}, {-inf, nan}, {nan, nan}}},
      {"log1p",
       log1p,
       {{0, 0}, {-1, -inf}, {inf, inf}, {-2, nan}, {nan, nan}, {1e-30, 1e-30}, {-1e-30, -1e-30}}},
      {"expm1", expm1, {{0, 0}, {inf, inf}, {-inf, -1}, {nan, nan}, {1e-30, 1e-30}, {1e4, inf}, {-1e4, -1}}},
      {"tanh",
       tanh,
       {{0, 0}, {-0., -0.}, {inf, 1}, {-inf, -1}, {nan, nan}, {1e30, 1}, {-1e30, -1}, {1e-30, 1e-30}}},
      {"erf", erf, {{0, 0}, {inf, 1}, {-inf, -1}, {nan, nan}, {1e30, 1}, {-1e30, -1}}},
      {"normal_cdf", normal_cdf, {{0, .5}, {inf, 1}, {-inf, 0}, {nan, nan}, {1e30, 1}, {-1e30, 0}}},
      {"sigmoid", sigmoid, {{0, .5}, {inf, 1}, {-inf, 0}, {nan, nan}, {1e30, 1}, {-1e30, 0}}},
      {"softplus", softplus, {{inf, inf}, {-inf, 0}, {nan, nan}, {1e30, 1e30}, {-1e30, 0}}},
      {"sin", sin, {{0, 0}, {inf, nan}, {-inf, nan}, {nan, nan}, {1e-30, 1e-30}}},
      {"cos", cos, {{0, 1}, {inf, nan}, {-inf, nan}, {nan, nan}, {1e-30, 1}}},
      {"sqrt", sqrt, {{0, 0}, {-0., -0.}, {inf, inf}, {-1, nan}, {nan, nan}}},
      {"rsqrt", rsqrt, {{0, inf}, {inf, 0}, {-1, nan}, {nan, nan}}},
      {"abs", abs, {{-0., 0}, {-inf, inf}, {nan, nan}}},
      {"relu", relu, {{-0., 0}, {-inf, 0}, {inf, inf}, {nan, nan}}},
  };
  auto check = [&]<class T>(const Special& s) {
    for (auto [x, want] : s.values) {
      const T got = apply<T>(s.f, {T(x)})[0];
      INFO(s.name << "(" << x << ") in f" << 8 * sizeof(T) << " is " << got);
      CHECK((std::isnan(want) ? std::isnan(got) : got == T(want)));
      // Among others, so that the values of neighbours in a pack play no part.
      CHECK((std::isnan(want) ? std::isnan(apply<T>(s.f, {1, 2, T(x), -3})[2])
                              : apply<T>(s.f, {1, 2, T(x), -3})[2] == T(want)));
    }
  };
  for (auto& s : specials) check.operator()<float>(s), check.operator()<double>(s);
}

TEST_CASE("log is right for subnormal numbers", "[ops][accuracy]") {
  for (double x : {5e-324, 1e-320, 1e-310, 2.2e-308})
    CHECK(ulps(apply<double>(log, {x})[0], std::log((long double)x)) <= 1);
  for (float x : {1e-45f, 1e-42f, 1e-39f, 1.17e-38f})
    CHECK(ulps(apply<float>(log, {x})[0], std::log((long double)x)) <= 1);
}

TEST_CASE("pow is the C library's in all special cases, and exact for squares", "[ops][accuracy]") {
  const std::vector<double> bases{0,  -0., 1,     -1,   2,     -2,  .5,  -.5,  3,
                                  -3, 10,  1e-40, 1e30, -1e30, 1.1, inf, -inf, nan};
  const std::vector<double> exponents{0,       -0., 1,   -1,   2,   -2,   3,     -3,  .5,   -.5,
                                      1.0 / 3, 10,  100, -100, 127, 1e10, 1e300, inf, -inf, nan};
  auto check = [&]<class T>() {
    for (double a : bases)
      for (double b : exponents) {
        const Variable x(Array({1}, std::vector<T>{T(a)})), y(Array({1}, std::vector<T>{T(b)}));
        const T got = pow(x, y).data().template data<T>()[0],
                want = b == 2 ? T(a) * T(a) : std::pow(T(a), T(b));
        INFO("pow(" << a << ", " << b << ") in f" << 8 * sizeof(T) << " is " << got << " instead of "
                    << want);
        CHECK((std::isnan(want) ? std::isnan(got) : got == want && std::signbit(got) == std::signbit(want)));
      }
  };
  check.operator()<float>();
  check.operator()<double>();
  CHECK(pow(Variable(-3.0), 2).item() == 9);
  CHECK(pow(Variable(0.0), 0).item() == 1);
  CHECK(pow(Variable(-2.0), 3).item() == -8);
  CHECK(pow(Variable(2.0), -1).item() == .5);
  CHECK(std::isnan(pow(Variable(-2.0), .5).item()));
  // Squares among other exponents are the same squares.
  const Variable x(array<double>({1.1, 1.3, 1.7, 1.9})), mixed(array<double>({2, 3, 2, .5}));
  CHECK(pow(x, mixed).data().data<double>()[2] == pow(x, 2).data().data<double>()[2]);
}

}  // namespace xgrad::tests
