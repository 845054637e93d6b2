#pragma once
// Sums that keep their digits, however many terms they have: f32 in double, f64 with what its additions lost
// (private to the library).
#include <type_traits>

namespace xgrad {

/// A sum that is added up as it is. V is a number or a pack of them.
template <class V>
struct PlainSum {
  V total{};
  void add(V x) { total = V(total + x); }
  void add(const PlainSum& other) { add(other.total); }
};

/// A sum with the errors of its additions beside it, which are numbers themselves (Knuth's two-sum, added up
/// as by Ogita, Rump and Oishi, 2005): as exact as one in twice the digits that is rounded at the end.
template <class V>
struct CompensatedSum {
  V total{}, lost{};
  void add(V x) {
    const V sum = total + x, added = sum - total;
    lost += (total - (sum - added)) + (x - added);
    total = sum;
  }
  void add(const CompensatedSum& other) {
    add(other.total);
    lost += other.lost;
  }
};

/// What terms of T are added up in, term by term: the sum of n has an error below u |sum| + n^2 u^2 sum |x|,
/// u being half of T's unit in the last place at 1. Integers are exact, up to overflow.
template <class T>
using WideSum =
    std::conditional_t<std::is_same_v<T, float>, PlainSum<double>,
                       std::conditional_t<std::is_same_v<T, double>, CompensatedSum<double>, PlainSum<T>>>;

/// The sum as a T. What is lost of an infinite sum is a NaN.
template <class T>
T rounded(const WideSum<T>& sum) {
  if constexpr (std::is_same_v<T, double>) {
    const T exact = sum.total + sum.lost;
    return exact == exact ? exact : sum.total;
  } else {
    return T(sum.total);
  }
}

}  // namespace xgrad
