// pow against the C library's.
#include <cmath>

#include "tests/catch.hpp"
#include "tests/ops/values.hpp"

namespace xgrad::tests {

TEST_CASE("pow is the C library's in all special cases, and exact for squares", "[ops]") {
  const std::vector<double> bases{0,  -0., 1,     -1,   2,     -2,  .5,  -.5,  3,
                                  -3, 10,  1e-40, 1e30, -1e30, 1.1, inf, -inf, nan};
  const std::vector<double> exponents{0,       -0., 1,   -1,   2,   -2,   3,     -3,  .5,   -.5,
                                      1.0 / 3, 10,  100, -100, 127, 1e10, 1e300, inf, -inf, nan};
  auto check = [&]<class T>() {
    for (double a : bases)
      for (double b : exponents) {
        const Variable x(Array({1}, std::vector<T>{T(a)})), y(Array({1}, std::vector<T>{T(b)}));
        const T got = pow(x, y).template to_vector<T>()[0],
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
  CHECK(pow(x, mixed).item(2) == pow(x, 2).item(2));
}

}  // namespace xgrad::tests
