#pragma once
// How rows of the table are written, and the shapes that operands may have.
#include <torch/torch.h>
#undef CHECK

#include <xgrad/ops/ops.hpp>
#include "tests/libtorch/oracle/program.hpp"

/// ROW(op, shapes of operands, arguments, xgrad's call, libtorch's call[, saturates or centres])
#define ROW(op, operands, arguments, ours, theirs, ...)                                            \
  Row {                                                                                            \
    op, #ours,                                                                                     \
        []([[maybe_unused]] const Variables& x, [[maybe_unused]] const Arguments& a) -> Variable { \
          return ours;                                                                             \
        },                                                                                         \
        []([[maybe_unused]] const Tensors& t, [[maybe_unused]] const Arguments& a) -> at::Tensor { \
          return theirs;                                                                           \
        },                                                                                         \
        operands, arguments, __VA_ARGS__                                                           \
  }

namespace xgrad::tests::oracle {

inline constexpr Inexact saturates = Inexact::saturated, centres = Inexact::centred;
inline constexpr auto none = nullptr;

inline Shapes same(Generator&, const Shape& first) { return {first}; }
/// Two that broadcast: axes dropped, made 1, or put before.
inline Shape partner(Generator& g, const Shape& shape) {
  Shape result(shape.begin() + g.below(shape.rank() + 1) * g.below(2), shape.end());
  for (int i = 0; i < result.rank(); ++i)
    if (g.below(4) == 0) result[i] = 1;
  if (g.below(6) == 0 && result.rank() == shape.rank() && shape.rank() < 5) result.insert(0, 1 + g.below(3));
  return result;
}
inline Shapes two(Generator& g, const Shape& first) {
  return {first, g.below(2) ? first : partner(g, first)};
}
inline Shapes three(Generator& g, const Shape& first) {
  Shape third(first.begin() + g.below(first.rank() + 1), first.end());
  return {first, g.below(2) ? first : partner(g, first), third};
}
/// A first operand of some rank: what there is, or a new shape.
inline Shape of_rank(Generator& g, const Shape& first, int least, int most) {
  if (first.rank() >= least && first.rank() <= most && first.size() > 0) return first;
  Shape shape;
  for (long rank = least + g.below(most - least + 1); rank > 0; --rank) shape.push_back(1 + g.below(5));
  return shape;
}
inline Shapes ranked(Generator& g, const Shape& first) {
  return {first.rank() ? first : of_rank(g, first, 1, 4)};
}
inline Shapes filled(Generator& g, const Shape& first) { return {of_rank(g, first, 0, 8)}; }
inline Shapes filled_ranked(Generator& g, const Shape& first) { return {of_rank(g, first, 1, 8)}; }

inline int some_axis(Generator& g, const Shape& shape) {
  return int(g.below(2 * shape.rank())) - shape.rank();
}
inline Arguments axis(Generator& g, const Shapes& s) {
  return {.flag = g.below(2) == 1, .n = {some_axis(g, s[0])}};
}
/// Some of the axes, or none, which stands for all.
inline Arguments axes(Generator& g, const Shapes& s) {
  Arguments a{.flag = g.below(2) == 1};
  for (int i = 0; i < s[0].rank(); ++i)
    if (g.below(2)) a.axes.push_back(g.below(2) ? i : i - s[0].rank());
  return a;
}
/// Axes as libtorch takes them: all of them where none is given.
inline std::vector<long> dims(const Arguments& a, const at::Tensor& t) {
  std::vector<long> all(a.axes.begin(), a.axes.end());
  if (all.empty())
    for (long i = 0; i < t.dim(); ++i) all.push_back(i);
  return all;
}
inline Array indices(Generator& g, const Shape& shape, long bound) {
  return g.integers(shape, 0, std::max(bound, 1l));
}
inline at::Tensor tensor(const Array& a) {
  const std::vector<long> shape(a.shape().begin(), a.shape().end());
  return torch::from_blob(const_cast<char*>(a.bytes()), shape,
                          a.dtype() == DType::i64 ? torch::kLong : torch::kDouble)
      .clone();
}

}  // namespace xgrad::tests::oracle
