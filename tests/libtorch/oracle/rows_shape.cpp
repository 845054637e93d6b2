// Reductions, shape and index operations of the oracle's table.
#include "tests/libtorch/oracle/row.hpp"

namespace xgrad::tests::oracle {
namespace {

std::vector<long> longs(const Shape& shape) { return {shape.begin(), shape.end()}; }
Shape shape_of(const std::vector<long>& n) { return Shape(n.begin(), n.end()); }

/// Another shape of as many elements, which begins with the last axis.
Arguments reshaped(Generator& g, const Shapes& s) {
  Shape shape = s[0];
  if (shape.rank() > 1 && g.below(2)) {
    const long last = shape[shape.rank() - 1];
    shape.erase(shape.rank() - 1);
    shape.insert(0, last);
  } else {
    shape = {s[0].size()};
  }
  return {.n = longs(shape)};
}
Arguments permuted(Generator& g, const Shapes& s) {
  Arguments a;
  for (auto axis : g.permutation(s[0].rank())) a.axes.push_back(int(axis));
  return a;
}
Arguments some_start(Generator& g, const Shapes& s) { return {.n = {g.below(s[0].rank())}}; }
Arguments place(Generator& g, const Shapes& s) { return {.n = {g.below(s[0].rank() + 1)}}; }
Shapes with_ones(Generator& g, const Shape& first) {
  Shape shape = first;
  if (shape.rank() < 5) shape.insert(int(g.below(shape.rank() + 1)), 1);
  return {shape};
}
Arguments the_ones(Generator&, const Shapes& s) {
  Arguments a;
  for (int i = 0; i < s[0].rank() && a.axes.empty(); ++i)
    if (s[0][i] == 1) a.axes.push_back(i);
  return a;
}
Shapes joined(Generator& g, const Shape& first) {
  Shape shape = first.rank() ? first : Shape{2}, other = shape;
  other[0] = g.below(4);
  return {shape, other};
}
Shapes alike(Generator&, const Shape& first) { return {first, first}; }
Arguments sliced(Generator& g, const Shapes& s) {
  const int axis = some_axis(g, s[0]);
  const long n = s[0][axis < 0 ? axis + s[0].rank() : axis];
  return {.n = {axis, g.below(2 * n + 3) - n - 1, g.below(2 * n + 3) - n - 1, 1 + g.below(3)}};
}
Arguments parts(Generator& g, const Shapes& s) {
  const int axis = int(g.below(s[0].rank()));
  const long first = g.below(s[0][axis] + 1);
  return {.n = {axis, first, s[0][axis] - first}};
}
Arguments padded(Generator& g, const Shapes&) {
  return {.n = {g.below(3), g.below(3)}, .r = {double(g.below(3)) - 1}};
}
Arguments smaller(Generator& g, const Shapes& s) {
  Shape shape = s[0];
  for (int i = 0; i < shape.rank(); ++i)
    if (g.below(2)) shape[i] = 1;
  return {.n = longs(Shape(shape.begin() + (shape.rank() && shape[0] == 1), shape.end()))};
}
Shapes to_repeat(Generator& g, const Shape& first) { return {partner(g, first)}; }
Arguments larger(Generator& g, const Shapes& s) {
  Shape shape = s[0];
  for (int i = 0; i < shape.rank(); ++i)
    if (shape[i] == 1) shape[i] = g.below(4) ? 1 + g.below(4) : 0;
  if (shape.rank() < 5 && g.below(3) == 0) shape.insert(0, 1 + g.below(3));
  return {.n = longs(shape)};
}
/// Lengths that are nowhere longer than x's except along an axis.
Arguments gathered(Generator& g, const Shapes& s) {
  const int axis = int(g.below(s[0].rank()));
  Shape shape = s[0];
  for (int i = 0; i < shape.rank(); ++i) shape[i] = i == axis ? g.below(5) : 1 + g.below(shape[i]);
  return {.n = {axis}, .index = indices(g, shape, s[0][axis])};
}
Shapes scattered(Generator& g, const Shape& first) {
  const Shape x = of_rank(g, first, 1, 8);
  Shape source = x;
  for (int i = 0; i < x.rank(); ++i) source[i] = 1 + g.below(x[i]);
  return {x, source};
}
Arguments scatter(Generator& g, const Shapes& s) {
  const int axis = int(g.below(s[0].rank()));
  return {.n = {axis}, .index = indices(g, s[1], s[0][axis])};
}
Arguments taken(Generator& g, const Shapes& s) {
  const int axis = int(g.below(s[0].rank()));
  return {.n = {axis}, .index = indices(g, {g.below(6)}, s[0][axis])};
}
Shapes matrix(Generator& g, const Shape& first) { return {of_rank(g, first, 2, 2)}; }
Arguments looked_up(Generator& g, const Shapes& s) {
  return {.index = indices(g, {2, 1 + g.below(3)}, s[0][0])};
}
Arguments labels(Generator& g, const Shapes& s) {
  return {.n = {s[0][1]}, .index = indices(g, {s[0][0]}, s[0][1])};
}

}  // namespace

std::vector<Row> shape_rows() {
  return {
      ROW("sum", same, axes, sum(x[0], a.axes, a.flag), t[0].sum(dims(a, t[0]), a.flag)),
      ROW("mean", filled, axes, mean(x[0], a.axes, a.flag), t[0].mean(dims(a, t[0]), a.flag)),
      ROW("var", filled, axes, var(x[0], a.axes, a.flag), t[0].var(dims(a, t[0]), false, a.flag), centres),
      ROW("max", filled, axes, max(x[0], a.axes, a.flag), t[0].amax(dims(a, t[0]), a.flag)),
      ROW("min", filled, axes, min(x[0], a.axes, a.flag), t[0].amin(dims(a, t[0]), a.flag)),
      ROW("prod", ranked, axis, prod(x[0], int(a.n[0]), a.flag), t[0].prod(a.n[0], a.flag), saturates),
      ROW("logsumexp", filled, axes, logsumexp(x[0], a.axes, a.flag),
          torch::logsumexp(t[0], dims(a, t[0]), a.flag), saturates),
      ROW("cumsum", ranked, axis, cumsum(x[0], int(a.n[0])), t[0].cumsum(a.n[0])),
      ROW("argmax", filled_ranked, axis,
          gather(x[0], int(a.n[0]), argmax(x[0].data(), int(a.n[0]), keepdims)),
          t[0].gather(a.n[0], t[0].argmax(a.n[0], true))),
      ROW("reshape", same, reshaped, reshape(x[0], shape_of(a.n)), t[0].reshape(a.n)),
      ROW("flatten", ranked, some_start, flatten(x[0], int(a.n[0])), t[0].flatten(a.n[0])),
      ROW("transpose", same, permuted, transpose(x[0], a.axes), t[0].permute(dims(a, t[0]))),
      ROW("squeeze", with_ones, the_ones, squeeze(x[0], a.axes),
          a.axes.empty() ? t[0].squeeze() : t[0].squeeze(a.axes[0])),
      ROW("unsqueeze", same, place, unsqueeze(x[0], int(a.n[0])), t[0].unsqueeze(a.n[0])),
      ROW("concat", joined, none, concat({x[0], x[1]}, 0), torch::cat({t[0], t[1]}, 0)),
      ROW("stack", alike, place, stack({x[0], x[1]}, int(a.n[0])), torch::stack({t[0], t[1]}, a.n[0])),
      ROW("split", ranked, parts,
          concat(
              {split(x[0], {a.n[1], a.n[2]}, int(a.n[0]))[1], split(x[0], {a.n[1], a.n[2]}, int(a.n[0]))[0]},
              int(a.n[0])),
          torch::cat({t[0].split_with_sizes({a.n[1], a.n[2]}, a.n[0])[1],
                      t[0].split_with_sizes({a.n[1], a.n[2]}, a.n[0])[0]},
                     a.n[0])),
      ROW("slice", ranked, sliced, slice(x[0], int(a.n[0]), a.n[1], a.n[2], a.n[3]),
          t[0].slice(a.n[0], a.n[1], a.n[2], a.n[3])),
      ROW("pad", ranked, padded, pad(x[0], {{a.n[0], a.n[1]}}, a.r[0]),
          torch::constant_pad_nd(t[0], {a.n[0], a.n[1]}, a.r[0])),
      ROW("flip", same, axes, flip(x[0], a.axes), t[0].flip(dims(a, t[0]))),
      ROW("sum_to", same, smaller, sum_to(x[0], shape_of(a.n)), t[0].sum_to_size(a.n)),
      ROW("broadcast_to", to_repeat, larger, broadcast_to(x[0], shape_of(a.n)), t[0].expand(a.n)),
      ROW("add_gradients", alike, none, add_gradients(x[0], x[1]), t[0] + t[1]),
      ROW("cast", same, none, x[0] * cast(cast(x[0] > 0, DType::i64), x[0].dtype()),
          t[0] * (t[0] > 0).to(torch::kLong).to(torch::kDouble)),
      ROW("gather", filled_ranked, gathered, gather(x[0], int(a.n[0]), a.index),
          t[0].gather(a.n[0], tensor(a.index))),
      ROW("scatter_add", scattered, scatter, scatter_add(x[0], int(a.n[0]), a.index, x[1]),
          t[0].scatter_add(a.n[0], tensor(a.index), t[1])),
      ROW("take", filled_ranked, taken, take(x[0], a.index, int(a.n[0])),
          t[0].index_select(a.n[0], tensor(a.index))),
      ROW("embedding", matrix, looked_up, embedding(x[0], a.index), torch::embedding(t[0], tensor(a.index))),
      ROW("one_hot", matrix, labels, where(one_hot(a.index, a.n[0], x[0].dtype()), x[0], square(x[0])),
          torch::where(torch::one_hot(tensor(a.index), a.n[0]) != 0, t[0], torch::square(t[0]))),
  };
}

}  // namespace xgrad::tests::oracle
