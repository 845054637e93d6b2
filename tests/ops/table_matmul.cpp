// Rows of matrix products: matrices, vectors, stacks of either, transposed or not.
#include <xgrad/ops/matmul.hpp>
#include "tests/ops/table.hpp"

namespace xgrad::tests {
namespace {

Grid transposed(const Grid& x) {
  Shape s = x.shape;
  std::swap(s[s.rank() - 2], s[s.rank() - 1]);
  return grid(s, [&](Index i) {
    std::swap(i[i.size() - 2], i[i.size() - 1]);
    return x(i);
  });
}
Grid product(const Grid& a, const Grid& b) {
  Shape shape =
      common_shape({Shape(a.shape.begin(), a.shape.end() - 2), Shape(b.shape.begin(), b.shape.end() - 2)});
  shape.push_back(a.dim(-2));
  shape.push_back(b.dim(-1));
  return grid(shape, [&](const Index& i) {
    double sum = 0;
    for (long k = 0; k < a.dim(-1); ++k) sum += a.spread(with(i, -1, k)) * b.spread(with(i, -2, k));
    return sum;
  });
}
Grid reshaped(Grid x, const Shape& shape) {
  x.shape = shape;
  return x;
}

Row transposing(bool ta, bool tb, std::vector<Shapes> shapes) {
  return {"matmul",
          ta && tb ? "both transposed"
          : ta     ? "the left one transposed"
                   : "the right one transposed",
          [=](auto& x) { return matmul(x[0], x[1], {.transpose_a = ta, .transpose_b = tb}); },
          [=](auto& x) { return product(ta ? transposed(x[0]) : x[0], tb ? transposed(x[1]) : x[1]); },
          std::move(shapes)};
}
Row linear_row(bool biased, std::vector<Shapes> shapes) {
  return {"linear", biased ? "" : "without bias",
          [=](auto& x) { return biased ? linear(x[0], x[1], x[2]) : linear(x[0], x[1]); },
          [=](auto& x) {
            Shape shape = x[0].shape;
            shape[shape.rank() - 1] = x[1].dim(0);
            return grid(shape, [&](const Index& i) {
              double sum = biased ? x[2]({i.back()}) : 0;
              for (long k = 0; k < x[1].dim(1); ++k) sum += x[0](with(i, -1, k)) * x[1]({i.back(), k});
              return sum;
            });
          },
          std::move(shapes)};
}

}  // namespace

Rows matmul_rows() {
  return {
      {"matmul",
       "",
       [](auto& x) { return matmul(x[0], x[1]); },
       [](auto& x) { return product(x[0], x[1]); },
       {{{1, 1}, {1, 1}},
        {{2, 3}, {3, 4}},
        {{17, 33}, {33, 5}},
        {{1, 7}, {7, 1}},
        {{0, 3}, {3, 2}},
        {{2, 0}, {0, 3}},
        {{2, 3}, {3, 0}},
        {{130, 70}, {70, 50}},
        {{80, 200}, {200, 210}},
        {{33, 1500}, {1500, 30}}}},
      {"matmul",
       "of stacks",
       [](auto& x) { return matmul(x[0], x[1]); },
       [](auto& x) { return product(x[0], x[1]); },
       {{{2, 2, 3}, {2, 3, 4}},
        {{3, 2}, {5, 2, 3}},
        {{5, 2, 3}, {3, 2}},
        {{2, 1, 2, 3}, {3, 3, 2}},
        {{1, 2, 3}, {4, 3, 1}},
        {{0, 2, 3}, {3, 2}},
        {{2, 2, 0}, {2, 0, 3}},
        {{7, 33, 17}, {1, 17, 20}},
        {{17, 20, 30}, {17, 30, 10}}}},
      {"matmul",
       "of vectors",
       [](auto& x) { return matmul(x[0], x[1]); },
       [](auto& x) {
         return reshaped(product(reshaped(x[0], {1, x[0].dim(0)}), reshaped(x[1], {x[1].dim(0), 1})), {});
       },
       {{{1}, {1}}, {{17}, {17}}, {{0}, {0}}, {{5000}, {5000}}}},
      {"matmul",
       "of a row and matrices",
       [](auto& x) { return matmul(x[0], x[1]); },
       [](auto& x) {
         Shape shape = x[1].shape;
         shape.erase(shape.rank() - 2);
         return reshaped(product(reshaped(x[0], {1, x[0].dim(0)}), x[1]), shape);
       },
       {{{3}, {3, 4}}, {{3}, {2, 3, 4}}, {{3}, {2, 1, 3, 1}}, {{0}, {0, 2}}}},
      {"matmul",
       "of matrices and a column",
       [](auto& x) { return matmul(x[0], x[1]); },
       [](auto& x) {
         return reshaped(product(x[0], reshaped(x[1], {x[1].dim(0), 1})),
                         Shape(x[0].shape.begin(), x[0].shape.end() - 1));
       },
       {{{4, 3}, {3}}, {{2, 4, 3}, {3}}, {{2, 0}, {0}}, {{100, 70}, {70}}}},
      transposing(true, false,
                  {{{3, 2}, {3, 4}},
                   {{5, 3, 2}, {3, 4}},
                   {{33, 17}, {2, 33, 5}},
                   {{0, 2}, {0, 3}},
                   {{90, 80}, {90, 60}},
                   {{1030, 40}, {1030, 31}}}),
      transposing(false, true,
                  {{{2, 3}, {4, 3}},
                   {{2, 3}, {5, 4, 3}},
                   {{2, 17, 33}, {5, 33}},
                   {{2, 0}, {3, 0}},
                   {{90, 80}, {60, 80}},
                   {{40, 2049}, {20, 2049}}}),
      transposing(true, true,
                  {{{3, 2}, {4, 3}},
                   {{2, 3, 2}, {2, 4, 3}},
                   {{1, 33, 17}, {3, 5, 33}},
                   {{80, 90}, {60, 80}},
                   {{1100, 31}, {33, 1100}}}),
      {"matmul",
       "of a vector, where there is nothing to transpose",
       [](auto& x) { return matmul(x[0], x[1], {.transpose_a = true, .transpose_b = true}); },
       [](auto& x) {
         return x[0].rank() == 1
                    ? reshaped(product(reshaped(x[0], {1, x[0].dim(0)}), transposed(x[1])), {x[1].dim(0)})
                    : reshaped(product(transposed(x[0]), reshaped(x[1], {x[1].dim(0), 1})), {x[0].dim(1)});
       },
       {{{3}, {4, 3}}, {{3, 4}, {3}}}},
      linear_row(true, {{{2, 3}, {4, 3}, {4}},
                        {{3}, {4, 3}, {4}},
                        {{2, 5, 3}, {1, 3}, {1}},
                        {{0, 3}, {2, 3}, {2}},
                        {{2, 0}, {3, 0}, {3}},
                        {{2, 3}, {0, 3}, {0}},
                        {{64, 33}, {70, 33}, {70}}}),
      linear_row(false, {{{1, 1}, {1, 1}}, {{17, 33}, {5, 33}}, {{2, 2, 3}, {4, 3}}}),
  };
}

}  // namespace xgrad::tests
