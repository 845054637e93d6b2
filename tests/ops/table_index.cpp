// Rows of indexing: elements and rows by number.
#include <xgrad/ops/index.hpp>
#include "tests/ops/table.hpp"

namespace xgrad::tests {
namespace {

/// An index for gathering from x along an axis, a little longer than x there, or much shorter.
Array index_for(const Shape& x, int axis) {
  Shape shape = x;
  shape[axis] = x[axis] == 0 ? 0 : x[axis] + 2;
  return places(shape, x[axis]);
}
Grid scattered(Grid y, int axis, const Grid& index, const Grid& source) {
  each_index(index.shape, [&](const Index& i) { y.at(with(i, axis, long(index(i)))) += source(i); });
  return y;
}
Grid rows_taken(const Grid& x, const Grid& index, int axis) {
  Shape shape(x.shape.begin(), x.shape.begin() + axis);
  for (long n : index.shape) shape.push_back(n);
  for (int a = axis + 1; a < x.rank(); ++a) shape.push_back(x.shape[a]);
  return grid(shape, [&](const Index& i) {
    const Index which(i.begin() + axis, i.begin() + axis + index.rank());
    Index from(i.begin(), i.begin() + axis);
    from.push_back(long(index(which)));
    from.insert(from.end(), i.begin() + axis + index.rank(), i.end());
    return x(from);
  });
}

Row gather_row(int axis) {
  return {"gather",
          axis ? "along the last axis" : "along the first axis",
          [=](auto& x) { return gather(x[0], axis, index_for(x[0].shape(), axis ? x[0].rank() - 1 : 0)); },
          [=](auto& x) {
            const Grid index(index_for(x[0].shape, axis ? x[0].rank() - 1 : 0));
            return grid(index.shape, [&](const Index& i) { return x[0](with(i, axis, long(index(i)))); });
          },
          {{{1}}, {{5}}, {{3, 4}}, {{2, 3, 4}}, {{0, 0}}, {{17, 33}}, {{60, 90}}}};
}
Row take_row(const char* what, Shape index, int axis) {
  return {"take",
          what,
          [=](auto& x) { return take(x[0], places(index, x[0].dim(axis)), axis); },
          [=](auto& x) {
            return rows_taken(x[0], Grid(places(index, x[0].dim(axis))),
                              axis < 0 ? axis + x[0].rank() : axis);
          },
          {{{1}}, {{5}}, {{3, 4}}, {{2, 3, 4}}, {{17, 33}}, {{60, 90}}}};
}

}  // namespace

Rows index_rows() {
  return {
      gather_row(0),
      gather_row(-1),
      {"gather",
       "with a small index",
       [](auto& x) {
         return gather(x[0], 1, places({2, 1}, x[0].dim(1)));
       },
       [](auto& x) {
         const Grid index(places({2, 1}, x[0].dim(1)));
         return grid(index.shape, [&](const Index& i) { return x[0](with(i, 1, long(index(i)))); });
       },
       {{{2, 3}}, {{4, 1}}, {{70, 80}}}},
      {"gather",
       "with an empty index",
       [](auto& x) {
         return gather(x[0], 0, places({0, 2}, 1));
       },
       [](auto&) {
         return grid({0, 2}, nullptr);
       },
       {{{3, 2}}, {{0, 4}}}},
      {"scatter_add",
       "",
       [](auto& x) { return scatter_add(x[0], 0, places(x[1].shape(), x[0].dim(0)), x[1]); },
       [](auto& x) { return scattered(x[0], 0, Grid(places(x[1].shape, x[0].dim(0))), x[1]); },
       {{{1}, {1}},
        {{3}, {7}},
        {{3, 4}, {5, 2}},
        {{2, 3, 4}, {4, 3, 4}},
        {{3, 2}, {0, 2}},
        {{60, 90}, {70, 90}}}},
      {"scatter_add",
       "along the last axis",
       [](auto& x) { return scatter_add(x[0], -1, places(x[1].shape(), x[0].dim(-1)), x[1]); },
       [](auto& x) { return scattered(x[0], -1, Grid(places(x[1].shape, x[0].dim(-1))), x[1]); },
       {{{3, 4}, {2, 9}}, {{2, 3, 4}, {2, 1, 1}}, {{60, 90}, {50, 80}}}},
      take_row("rows", {4}, 0),
      take_row("a table of columns", {2, 3}, -1),
      take_row("one", {}, 0),
      take_row("none", {0}, -1),
      {"take",
       "from empty rows",
       [](auto& x) { return take(x[0], places({2}, 3)); },
       [](auto& x) { return rows_taken(x[0], Grid(places({2}, 3)), 0); },
       {{{3, 0}}, {{5, 0, 2}}}},
      {"embedding",
       "",
       [](auto& x) {
         return embedding(x[0], places({2, 3}, x[0].dim(0)));
       },
       [](auto& x) {
         return rows_taken(x[0], Grid(places({2, 3}, x[0].dim(0))), 0);
       },
       {{{1, 1}}, {{5, 3}}, {{4, 0}}, {{33, 155}}}},
      {"one_hot",
       "",
       [](auto& x) { return Variable(one_hot(places(x[0].shape(), 5), 5, x[0].dtype())); },
       [](auto& x) {
         const Grid index(places(x[0].shape, 5));
         Shape shape = index.shape;
         shape.push_back(5);
         return grid(shape, [&](const Index& i) { return double(i.back() == long(index(without(i, -1)))); });
       },
       {{{}}, {{1}}, {{4}}, {{0}}, {{3, 2}}, {{17}}, {{5000}}},
       normal,
       false},
  };
}

}  // namespace xgrad::tests
