#pragma once
// A regression to train: the model and the data of the tests of fit().
#include <string>

#include <xgrad/core/array/random.hpp>
#include <xgrad/datasets/arrays.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/helpers.hpp"

namespace xgrad::tests {

struct Net {  // (N, 2) -> (N, 1)
  Linear fc1{2, 16}, fc2{16, 1};
  Variable operator()(const Variable& x) const { return fc2(tanh(fc1(x))); }
};

/// x (n, 2) and y (n, 1), the square of its length.
inline Arrays<2> parabola(long n, std::uint64_t seed = 1) {
  const Variable x(Generator(seed).uniform({n, 2}, -1, 1));
  return Arrays{x, sum(square(x), {1}, true)};
}

inline Variable mean_absolute(const Variable& y, const Variable& t) { return mean(abs(y - t)); }

std::string all_bits(const auto& model) {
  std::string all;
  for (auto& [name, array] : state(model)) all += bits(array);
  return all;
}

}  // namespace xgrad::tests
