// What the rows of the table share: the families together, how inputs are drawn, how results are compared.
#include "tests/ops/table.hpp"

#include <cmath>

#include <xgrad/core/base/error.hpp>

namespace xgrad::tests {

const Rows& table() {
  static const Rows rows = [] {
    Rows all;
    for (auto& family : {elementwise_rows(), reduce_rows(), shape_rows(), index_rows(), matmul_rows(),
                         image_rows(), norm_rows(), loss_rows()})
      all.insert(all.end(), family.begin(), family.end());
    return all;
  }();
  return rows;
}

namespace {

template <class F>
std::vector<Array> draw(const Shapes& shapes, F f) {
  std::vector<Array> result;
  for (auto& shape : shapes) result.push_back(f(shape));
  return result;
}

}  // namespace

std::vector<Array> normal(Generator& g, const Shapes& shapes) {
  return draw(shapes, [&](const Shape& s) { return g.normal(s, 0, 1, DType::f64); });
}
std::vector<Array> positive(Generator& g, const Shapes& shapes) {
  return draw(shapes, [&](const Shape& s) { return g.uniform(s, 0.4, 2.5, DType::f64); });
}
std::vector<Array> unit(Generator& g, const Shapes& shapes) {
  return draw(shapes, [&](const Shape& s) { return g.uniform(s, 0.1, 0.9, DType::f64); });
}
std::vector<Array> apart(Generator& g, const Shapes& shapes) {
  long n = 0, at = 0;
  for (auto& s : shapes) n += s.size();
  const auto order = g.permutation(n);
  const double middle = double(n / 2) - 0.5, gap = 4.0 / double(std::max(n, 8l));
  return draw(shapes, [&](const Shape& s) {
    Array x(s, DType::f64);
    double* p = x.mutable_data<double>();
    for (long i = 0; i < s.size(); ++i) p[i] = (double(order[std::size_t(at++)]) - middle) * gap;
    return x;
  });
}
std::vector<Array> with_zeros(Generator& g, const Shapes& shapes) {
  auto result = positive(g, shapes);
  for (Array& x : result)
    for (long i = 1; i < x.size(); i += 3) x.mutable_data<double>()[i] = 0;
  return result;
}
std::vector<Array> alike(Generator& g, const Shapes& shapes) {
  return draw(shapes, [&](const Shape& s) { return g.integers(s, -1, 2).cast(DType::f64); });
}
std::vector<Array> first_positive(Generator& g, const Shapes& shapes) {
  auto result = normal(g, shapes);
  result.front() = positive(g, {shapes.front()})[0];
  return result;
}
std::vector<Array> last_positive(Generator& g, const Shapes& shapes) {
  auto result = normal(g, shapes);
  result.back() = positive(g, {shapes.back()})[0];
  return result;
}

std::vector<Array> inputs_of(const Row& row, std::size_t k) {
  Generator g(17 + k);
  return row.draw(g, row.shapes[k]);
}

Array places(const Shape& shape, long bound) {
  Array result(shape, DType::i64);
  for (long i = 0; i < shape.size(); ++i)
    result.mutable_data<std::int64_t>()[i] = (i * 7 + i / 3 + 2) % bound;
  return result;
}

std::string difference(const Array& y, const Grid& reference, double tolerance) {
  if (!(y.shape() == reference.shape))
    return fmt::format("shape {} instead of {}", y.shape(), reference.shape);
  const Grid got(y);
  for (std::size_t i = 0; i < got.v.size(); ++i) {
    const double a = got.v[i], b = reference.v[i];
    if (std::isnan(a) != std::isnan(b) || std::abs(a - b) > tolerance * std::max(1.0, std::abs(b)))
      return fmt::format("element {} is {:.17g} instead of {:.17g}", i, a, b);
  }
  return "";
}

}  // namespace xgrad::tests
