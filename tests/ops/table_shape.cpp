// Rows of shape operations: elements are moved, not changed.
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/shape.hpp>
#include "tests/ops/table.hpp"

namespace xgrad::tests {
namespace {

/// The same elements in another shape.
Grid reshaped(const Grid& x, const Shape& shape) {
  Grid y = x;
  y.shape = shape;
  return y;
}
/// The grids one after another along an axis.
Grid joined(const Grids& x, int axis) {
  Shape shape = x[0].shape;
  for (std::size_t k = 1; k < x.size(); ++k) shape[axis] += x[k].shape[axis];
  return grid(shape, [&](const Index& i) {
    long at = i[std::size_t(axis)];
    std::size_t k = 0;
    while (at >= x[k].shape[axis]) at -= x[k++].shape[axis];
    return x[k](with(i, axis, at));
  });
}
/// count elements along an axis, from `start` by `step`.
Grid taken(const Grid& x, int axis, long start, long count, long step) {
  Shape shape = x.shape;
  shape[axis] = count;
  return grid(shape, [&](const Index& i) { return x(with(i, axis, start + step * i[std::size_t(axis)])); });
}
/// Each element added where it would have come from by broadcasting.
Grid summed(const Grid& x, const Shape& shape) {
  Grid y = grid(shape, [](const Index&) { return 0.0; });
  each_index(x.shape, [&](const Index& i) { y.spread(i) += x(i); });
  return y;
}
Grid flipped(const Grid& x, const Axes& axes) {
  return grid(x.shape, [&](Index i) {
    for (int axis : axes) i[std::size_t(axis)] = x.dim(axis) - 1 - i[std::size_t(axis)];
    return x(i);
  });
}

// As inputs, the second of which only lends its shape.
const std::vector<Shapes> larger_smaller = {{{}, {}},
                                            {{5}, {}},
                                            {{3, 5}, {5}},
                                            {{3, 5}, {3, 1}},
                                            {{2, 3, 4}, {1, 3, 1}},
                                            {{0, 3}, {3}},
                                            {{2, 0}, {2, 1}},
                                            {{33, 155}, {155}},
                                            {{70, 80}, {70, 1}},
                                            {{1, 1}, {1}},
                                            {{6000}, {1}},
                                            {{17, 3, 100}, {3, 1}}};
std::vector<Shapes> smaller_larger() {
  std::vector<Shapes> result;
  for (auto& pair : larger_smaller) result.push_back({pair[1], pair[0]});
  return result;
}

}  // namespace

Rows shape_rows() {
  return {
      {"sum_to", "", [](auto& x) { return sum_to(x[0], x[1].shape()); },
       [](auto& x) { return summed(x[0], x[1].shape); }, larger_smaller},
      {"broadcast_to", "", [](auto& x) { return broadcast_to(x[0], x[1].shape()); },
       [](auto& x) { return grid(x[1].shape, [&](const Index& i) { return x[0].spread(i); }); },
       smaller_larger()},
      {"reshape",
       "",
       [](auto& x) {
         return reshape(x[0], {3, -1});
       },
       [](auto& x) {
         return reshaped(x[0], {3, x[0].shape.size() / 3});
       },
       {{{3}}, {{6}}, {{5, 3}}, {{2, 3, 4}}, {{3, 1}}, {{0}}, {{3, 1700}}}},
      {"reshape",
       "of one element",
       [](auto& x) {
         return reshape(reshape(x[0], {1, 1, 1}), {});
       },
       [](auto& x) { return reshaped(x[0], {}); },
       {{{}}, {{1}}, {{1, 1}}}},
      {"flatten",
       "",
       [](auto& x) { return flatten(x[0]); },
       [](auto& x) {
         Shape s{x[0].dim(0), 1};
         for (int axis = 1; axis < x[0].rank(); ++axis) s[1] *= x[0].dim(axis);
         return reshaped(x[0], s);
       },
       {{{5}}, {{3, 5}}, {{2, 3, 4}}, {{0, 3}}, {{3, 0, 2}}, {{50, 10, 11}}}},
      {"flatten",
       "from the first axis",
       [](auto& x) { return flatten(x[0], 0); },
       [](auto& x) { return reshaped(x[0], {x[0].shape.size()}); },
       {{{}}, {{5}}, {{2, 3}}, {{0, 3}}}},
      {"transpose",
       "reversed",
       [](auto& x) { return transpose(x[0]); },
       [](auto& x) {
         return grid(
             Shape(std::reverse_iterator(x[0].shape.end()), std::reverse_iterator(x[0].shape.begin())),
             [&](const Index& i) { return x[0](Index(i.rbegin(), i.rend())); });
       },
       {{{}}, {{5}}, {{3, 5}}, {{2, 3, 4}}, {{1, 7}}, {{0, 3}}, {{33, 155}}, {{2, 3, 2, 3}}}},
      {"transpose",
       "in a given order",
       [](auto& x) {
         return transpose(x[0], {2, -3, 1});
       },
       [](auto& x) {
         const Shape& s = x[0].shape;
         return grid({s[2], s[0], s[1]}, [&](const Index& i) { return x[0]({i[1], i[2], i[0]}); });
       },
       {{{2, 3, 4}}, {{1, 1, 1}}, {{2, 0, 3}}, {{17, 33, 10}}, {{3, 50, 40}}}},
      {"squeeze",
       "",
       [](auto& x) { return squeeze(x[0]); },
       [](auto& x) {
         Shape s;
         for (long n : x[0].shape)
           if (n != 1) s.push_back(n);
         return reshaped(x[0], s);
       },
       {{{}}, {{1}}, {{1, 3, 1}}, {{2, 3}}, {{1, 0}}, {{1, 17, 1}}, {{1, 5000}}}},
      {"squeeze",
       "given axes",
       [](auto& x) {
         return squeeze(x[0], {0, -1});
       },
       [](auto& x) { return reshaped(x[0], {x[0].dim(1)}); },
       {{{1, 1, 1}}, {{1, 4, 1}}, {{1, 0, 1}}}},
      {"unsqueeze",
       "",
       [](auto& x) { return unsqueeze(unsqueeze(x[0], 0), -1); },
       [](auto& x) {
         Shape s = x[0].shape;
         s.insert(0, 1);
         s.push_back(1);
         return reshaped(x[0], s);
       },
       {{{}}, {{1}}, {{4}}, {{2, 3}}, {{0}}, {{17}}, {{5000}}}},
      {"concat",
       "",
       [](auto& x) {
         return concat({x[0], x[1], x[2]});
       },
       [](auto& x) { return joined(x, 0); },
       {{{2}, {3}, {1}},
        {{1, 3}, {17, 3}, {2, 3}},
        {{0}, {2}, {0}},
        {{2, 0}, {1, 0}, {1, 0}},
        {{40, 50}, {33, 50}, {50, 50}}}},
      {"concat",
       "along the last axis, with itself",
       [](auto& x) {
         return concat({x[0], x[1], x[0]}, -1);
       },
       [](auto& x) {
         return joined({x[0], x[1], x[0]}, x[0].rank() - 1);
       },
       {{{1}, {1}}, {{3, 2}, {3, 4}}, {{2, 3, 0}, {2, 3, 5}}, {{50, 40}, {50, 33}}}},
      {"concat",
       "of one",
       [](auto& x) { return concat({x[0]}, 0); },
       [](auto& x) { return x[0]; },
       {{{3, 2}}, {{0}}}},
      {"stack",
       "",
       [](auto& x) {
         return stack({x[0], x[1]});
       },
       [](auto& x) {
         Shape s = x[0].shape;
         s.insert(0, 2);
         return grid(s, [&](const Index& i) { return x[std::size_t(i[0])](without(i, 0)); });
       },
       {{{}, {}}, {{1}, {1}}, {{3, 5}, {3, 5}}, {{0}, {0}}, {{50, 60}, {50, 60}}}},
      {"stack",
       "along a new last axis",
       [](auto& x) {
         return stack({x[0], x[1], x[0]}, -1);
       },
       [](auto& x) {
         Shape s = x[0].shape;
         s.push_back(3);
         return grid(s, [&](const Index& i) { return x[std::size_t(i.back() % 2)](without(i, -1)); });
       },
       {{{}, {}}, {{4}, {4}}, {{2, 3}, {2, 3}}, {{2, 0}, {2, 0}}}},
      {"split",
       "into one",
       [](auto& x) { return split(x[0], {x[0].dim(0)})[0]; },
       [](auto& x) { return x[0]; },
       {{{1}}, {{0}}, {{3, 2}}}},
      {"split",
       "",
       [](auto& x) {
         return mul(split(x[0], {2, 0, 2, 1}, -1)[2], split(x[0], {2, 2, 1}, -1)[0]);
       },
       [](auto& x) {
         const int last = x[0].rank() - 1;
         return each([](double a, double b) { return a * b; }, taken(x[0], last, 2, 2, 1),
                     taken(x[0], last, 0, 2, 1));
       },
       {{{5}}, {{3, 5}}, {{2, 3, 5}}, {{0, 5}}, {{1000, 5}}}},
      {"slice",
       "",
       [](auto& x) { return slice(x[0], 0, 1, -1); },
       [](auto& x) { return taken(x[0], 0, 1, std::max(0l, x[0].dim(0) - 2), 1); },
       {{{1}}, {{3}}, {{17}}, {{5, 3}}, {{2, 4}}, {{1, 4}}, {{4, 0}}, {{100, 70}}}},
      {"slice",
       "by steps, beyond the end",
       [](auto& x) { return slice(x[0], -1, 1, 1000, 3); },
       [](auto& x) { return taken(x[0], x[0].rank() - 1, 1, (x[0].dim(-1) + 1) / 3, 3); },
       {{{2}}, {{17}}, {{3, 5}}, {{2, 3, 4}}, {{0, 8}}, {{70, 99}}}},
      {"pad",
       "",
       [](auto& x) {
         return pad(x[0], {{1, 2}, {0, 3}});
       },
       [](auto& x) {
         Shape s = x[0].shape;
         s[s.rank() - 2] += 3, s[s.rank() - 1] += 3;
         return grid(s, [&](const Index& i) { return x[0].or_zero(with(i, -2, i[i.size() - 2] - 1)); });
       },
       {{{1, 1}}, {{3, 5}}, {{2, 3, 4}}, {{0, 2}}, {{70, 80}}}},
      {"pad",
       "with a value",
       [](auto& x) {
         return pad(x[0], {{2, 1}}, 5);
       },
       [](auto& x) {
         Shape s = x[0].shape;
         s[s.rank() - 1] += 3;
         return grid(s, [&](const Index& i) {
           const long k = i.back() - 2;
           return k < 0 || k >= x[0].dim(-1) ? 5 : x[0](with(i, -1, k));
         });
       },
       {{{1}}, {{0}}, {{5}}, {{3, 4}}, {{60, 90}}}},
      {"flip",
       "",
       [](auto& x) { return flip(x[0]); },
       [](auto& x) {
         Axes all;
         for (int axis = 0; axis < x[0].rank(); ++axis) all.push_back(axis);
         return flipped(x[0], all);
       },
       {{{}}, {{1}}, {{17}}, {{3, 5}}, {{0}}, {{2, 3, 4}}, {{70, 80}}}},
      {"flip",
       "along given axes",
       [](auto& x) {
         return flip(x[0], {0, -1});
       },
       [](auto& x) {
         return flipped(x[0], {0, x[0].rank() - 1});
       },
       {{{2, 3}}, {{2, 3, 4}}, {{0, 2}}, {{17, 33, 10}}}},
  };
}

}  // namespace xgrad::tests
