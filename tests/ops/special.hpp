#pragma once
// The table of special values: what each public operation gives for zeros of both signs, ties, infinities,
// NaN, rows of minus infinity, one element and none, in value, gradient and second gradient, and who says so.
#include <functional>
#include <optional>
#include <string>

#include "tests/ops/values.hpp"

namespace xgrad::tests {

/// Who a row's expectations come from. Of IEEE (with the C standard's annex F) signs of zeros count.
enum class Authority { ieee, calculus, numpy, pytorch };

struct Special {
  std::string op;
  std::vector<V> inputs;  ///< vectors, which f may reshape
  std::function<Variable(const std::vector<Variable>&)> f;
  V value;
  /// The gradients of the sum of the result for each input, one after another; not compared where there are
  /// none, as of comparisons.
  std::optional<V> gradient = {};
  /// The gradients of the sum of all elements of the gradients.
  std::optional<V> second = {};
  Authority authority = Authority::calculus;
  std::string error = {};  ///< what the Error says, where there is one
};
using Specials = std::vector<Special>;

const Specials& special_values();
Specials special_elementwise();
Specials special_activations();
Specials special_reductions();
Specials special_moves();

/// A row of a function of one input.
inline Special row(const char* op, Variable (*f)(const Variable&), V x, V value,
                   std::optional<V> gradient = {}, std::optional<V> second = {},
                   Authority authority = Authority::calculus) {
  return {op,
          {std::move(x)},
          [=](auto& in) { return f(in[0]); },
          std::move(value),
          std::move(gradient),
          std::move(second),
          authority};
}
/// A row of a function of two inputs.
inline Special row(const char* op, Variable (*f)(const Variable&, const Variable&), V a, V b, V value,
                   std::optional<V> gradient = {}, std::optional<V> second = {},
                   Authority authority = Authority::calculus) {
  return {op,
          {std::move(a), std::move(b)},
          [=](auto& in) { return f(in[0], in[1]); },
          std::move(value),
          std::move(gradient),
          std::move(second),
          authority};
}

}  // namespace xgrad::tests
