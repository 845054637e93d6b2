#pragma once
// The cases of the accuracy job and of its test: each elementwise operation with its derivatives by MPFR,
// where it is tried, and the errors that are allowed.
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <xgrad/core/tape/variable.hpp>
#include "tests/accuracy/real.hpp"

namespace xgrad::tests {

/// What a result should be. Where it is a sum of terms that cancel, errors are in units of the largest term.
struct Term {
  Real value, largest;
  std::vector<Real> factors;  ///< that may be subnormal or overflow although the result does not
  Term(const Real& value) : value(value), largest(abs(value)) {}
  Term(double value) : Term(Real(value)) {}
  Term(const Real& a, const Real& b) : value(a + b), largest(max(abs(a), abs(b))) {}
  Term with(std::vector<Real> f) const {
    Term t = *this;
    t.factors = std::move(f);
    return t;
  }
};
/// The value, the first derivatives (for each input), and the second (for each pair of inputs).
using Terms = std::array<std::vector<Term>, 3>;
using Interval = std::pair<double, double>;

/// What the derivatives of all operations hold, in f32 and f64.
inline constexpr double first_bound = 4, second_bound = 8;

struct Case {
  std::string name;
  int inputs;
  std::function<Variable(const std::vector<Variable>&)> f;
  std::function<Terms(const std::vector<Real>&)> exact;
  std::vector<Interval> dense = {};  ///< where points are dense, beside those of all magnitudes and signs
  std::vector<double> near = {};     ///< where they are denser: roots, kinks
  std::array<double, 2> value_bound = {2, 2};  ///< in f32 and f64
  double limit = INFINITY;                     ///< points beyond are said apart
  bool positive = false;                       ///< whether the first input is

  double bound(int order, bool f64) const {
    return order == 0 ? value_bound[f64] : order == 1 ? first_bound : second_bound;
  }
};

/// All elementwise operations that have derivatives.
const std::vector<Case>& accuracy_cases();

/// The largest error of a kind, and where it was.
struct Worst {
  double ulps = 0;
  std::vector<double> at = {};
};
/// Those of value, first and second derivatives. A result is subnormal where the exact one with its terms is,
/// or a factor of it; its error is in units of the smallest subnormal number, times what the factor is
/// multiplied by. Beyond the limit of the case are also results with a factor that overflows.
struct Errors {
  std::array<Worst, 3> normal, subnormal, beyond;
};
/// Measured at about 8 n points for one input, n for two.
template <class T>
Errors measure(const Case& c, int n);

/// What a row-wise operation should give for one row, and the condition of each element: an error of u times
/// it is what rounding the input's digits alone may do.
struct RowResult {
  std::vector<Real> value, value_condition, gradient, gradient_condition;
};
struct RowCase {
  std::string name;
  std::function<Variable(const Variable&)> f;  ///< of rows (R, n)
  /// By a row, and the gradient of its results.
  std::function<RowResult(const std::vector<Real>& x, const std::vector<Real>& g)> exact;
  const char *value_condition, *gradient_condition;  ///< in words
};
/// Of the errors of rows, in units of u times the condition; u is 2^-24 in f32 and 2^-53 in f64.
inline constexpr double row_bound = 6;
constexpr int row_length = 33;

/// Softmax, losses, normalisation and moments.
const std::vector<RowCase>& row_cases();

/// The largest errors of value and gradient in units of u times the condition, over so many rows of each
/// kind: of some scales, with one large element, with ties, far from 0.
template <class T>
std::array<double, 2> measure(const RowCase& c, int rows);

}  // namespace xgrad::tests
