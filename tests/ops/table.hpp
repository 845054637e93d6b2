#pragma once
// The table of ops: a row names an op, calls it, and says in plain loops what it should give. To test an op,
// add a row to the family it belongs to; tests/ops/rows.cpp checks values and gradients of all of them.
#include <optional>
#include <string>

#include <xgrad/core/array/random.hpp>
#include <xgrad/core/tape/gradcheck.hpp>
#include "tests/ops/reference.hpp"

namespace xgrad::tests {

using Shapes = std::vector<Shape>;
/// Draws inputs (f64) of the given shapes.
using Draw = std::vector<Array> (*)(Generator&, const Shapes&);

std::vector<Array> normal(Generator& g, const Shapes& shapes);
/// In [0.4, 2.5).
std::vector<Array> positive(Generator& g, const Shapes& shapes);
/// In [0.1, 0.9).
std::vector<Array> unit(Generator& g, const Shapes& shapes);
/// No two alike, none near 0, over [-2, 2]: for what has kinks where inputs meet.
std::vector<Array> apart(Generator& g, const Shapes& shapes);
/// Every third element 0.
std::vector<Array> with_zeros(Generator& g, const Shapes& shapes);
/// -1, 0 and 1, so that many are equal.
std::vector<Array> alike(Generator& g, const Shapes& shapes);
/// Normal, but the first or the last input is positive.
std::vector<Array> first_positive(Generator& g, const Shapes& shapes);
std::vector<Array> last_positive(Generator& g, const Shapes& shapes);

struct Row {
  std::string op;    ///< as the header declares it
  std::string what;  ///< what this row is about, where an op has several
  TestFunction f;
  std::function<Grid(const Grids&)> reference;
  std::vector<Shapes> shapes;  ///< of the inputs, once for each time the row is checked
  Draw draw = normal;
  bool differentiable = true;
  std::optional<DType> dtype = {};  ///< of the result, where it is not that of the first input
};
using Rows = std::vector<Row>;

/// All rows of all families.
const Rows& table();

Rows elementwise_rows();
Rows reduce_rows();
Rows shape_rows();
Rows index_rows();
Rows matmul_rows();
Rows image_rows();
Rows norm_rows();
Rows loss_rows();

/// Inputs of a row at the shapes number `k`, the same each time.
std::vector<Array> inputs_of(const Row& row, std::size_t k);
/// Indices below `bound` that repeat and are in no order.
Array places(const Shape& shape, long bound);
/// "" when all elements of y are within tolerance max(1, |reference|) of the reference, else what differs.
std::string difference(const Array& y, const Grid& reference, double tolerance);

}  // namespace xgrad::tests
