// Comparison. A number that no integer can be lies between two of them, or beyond all.
#include <cmath>

#include "core/elementwise.hpp"
#include "ops/arithmetic.hpp"

namespace xgrad {
namespace {

/// Which integers a comparison holds for, where the number that they are compared with is none of them.
enum class Those { none, below, above, all };

bool no_integer(const Variable& a, const Variable& b) {
  return a.dtype() == DType::i64 && b.data().is_number() && b.rank() == 0 && !can_hold(DType::i64, b.item());
}

Variable hold(const Variable& x, double number, Those those) {
  if (those == Those::below || those == Those::above) {
    if (const double floor = std::floor(number); can_hold(DType::i64, floor)) {
      const Variable bound(full({}, floor, DType::i64));
      return those == Those::below ? x <= bound : x > bound;
    }
    // Infinities are numbers in the order of their signs; nothing is below or above NaN.
    those = number == number && (number < 0) == (those == Those::above) ? Those::all : Those::none;
  }
  return Variable(full(x.shape(), those == Those::all, DType::i64));
}

template <class F>
Variable compare(const char* op, F f, const Variable& a, const Variable& b, Those those) {
  if (a.defined() && b.defined()) {
    if (no_integer(a, b)) return hold(a, b.item(), those);
    const Those mirrored = those == Those::below   ? Those::above
                           : those == Those::above ? Those::below
                                                   : those;
    if (no_integer(b, a)) return hold(b, a.item(), mirrored);
  }
  return elementwise_any(op, f, {{a}, {b}});
}

}  // namespace

Variable equal(const Variable& a, const Variable& b) {
  return compare(
      "equal", [](auto x, auto y) { return pack::mask(x, x == y); }, a, b, Those::none);
}
// xsimd's x != y is false where one is a NaN.
Variable not_equal(const Variable& a, const Variable& b) {
  return compare(
      "not_equal", [](auto x, auto y) { return pack::mask(x, !(x == y)); }, a, b, Those::all);
}
Variable less(const Variable& a, const Variable& b) {
  return compare(
      "less", [](auto x, auto y) { return pack::mask(x, x < y); }, a, b, Those::below);
}
Variable less_equal(const Variable& a, const Variable& b) {
  return compare(
      "less_equal", [](auto x, auto y) { return pack::mask(x, x <= y); }, a, b, Those::below);
}
Variable greater(const Variable& a, const Variable& b) {
  return compare(
      "greater", [](auto x, auto y) { return pack::mask(x, x > y); }, a, b, Those::above);
}
Variable greater_equal(const Variable& a, const Variable& b) {
  return compare(
      "greater_equal", [](auto x, auto y) { return pack::mask(x, x >= y); }, a, b, Those::above);
}

}  // namespace xgrad
