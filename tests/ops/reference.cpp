// Plain loops over doubles.
#include "tests/ops/reference.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace xgrad::tests {
namespace {

/// The place of an index in a row-major array; -1 outside.
long place(const Shape& shape, const Index& i) {
  long at = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const long k = i[std::size_t(axis)];
    if (k < 0 || k >= shape[axis]) return -1;
    at = at * shape[axis] + k;
  }
  return at;
}

/// Moves an index to the next element.
void advance(const Shape& shape, Index& i) {
  for (int axis = shape.rank(); axis-- > 0;) {
    if (++i[std::size_t(axis)] < shape[axis]) return;
    i[std::size_t(axis)] = 0;
  }
}

Axes positive(const Axes& axes, int rank) {
  Axes result;
  for (int axis : axes) result.push_back(axis < 0 ? axis + rank : axis);
  if (axes.empty())
    for (int axis = 0; axis < rank; ++axis) result.push_back(axis);
  return result;
}

}  // namespace

Grid::Grid(const Array& array) : shape(array.shape()) {
  const Array doubles = array.cast(DType::f64);
  v.assign(doubles.data<double>(), doubles.data<double>() + doubles.size());
}

double Grid::operator()(const Index& i) const { return v.at(std::size_t(place(shape, i))); }

double& Grid::at(const Index& i) { return v.at(std::size_t(place(shape, i))); }

double& Grid::spread(const Index& i) {
  long at = 0;
  const std::size_t skip = i.size() - std::size_t(shape.rank());
  for (int axis = 0; axis < shape.rank(); ++axis)
    at = at * shape[axis] + (shape[axis] == 1 ? 0 : i[skip + std::size_t(axis)]);
  return v.at(std::size_t(at));
}

double Grid::spread(const Index& i) const { return const_cast<Grid&>(*this).spread(i); }

double Grid::or_zero(const Index& i) const {
  const long at = place(shape, i);
  return at < 0 ? 0 : v[std::size_t(at)];
}

void each_index(const Shape& shape, const std::function<void(const Index&)>& f) {
  Index i(std::size_t(shape.rank()));
  for (long n = shape.size(); n-- > 0; advance(shape, i)) f(i);
}

Grid grid(const Shape& shape, const std::function<double(const Index&)>& f) {
  Grid result;
  result.shape = shape;
  each_index(shape, [&](const Index& i) { result.v.push_back(f(i)); });
  return result;
}

Shape common_shape(const std::vector<Shape>& shapes) {
  int rank = 0;
  for (auto& s : shapes) rank = std::max(rank, s.rank());
  Shape result;
  for (int axis = 0; axis < rank; ++axis) result.push_back(1);
  for (auto& s : shapes)
    for (int k = 1; k <= s.rank(); ++k)
      if (s[s.rank() - k] != 1) result[rank - k] = s[s.rank() - k];
  return result;
}

Grid along(const Grid& x, Axes axes, bool keepdims,
           const std::function<double(const std::vector<double>&)>& f) {
  axes = positive(axes, x.rank());
  Shape kept = x.shape, result;
  for (int axis : axes) kept[axis] = 1;
  for (int axis = 0; axis < x.rank(); ++axis)
    if (keepdims || std::find(axes.begin(), axes.end(), axis) == axes.end()) result.push_back(kept[axis]);
  std::vector<std::vector<double>> groups(std::size_t(kept.size()));
  each_index(x.shape, [&](Index i) {
    const double element = x(i);
    for (int axis : axes) i[std::size_t(axis)] = 0;
    groups[std::size_t(place(kept, i))].push_back(element);
  });
  Grid y;
  y.shape = result;
  for (auto& group : groups) y.v.push_back(f(group));
  return y;
}

Grid lines(const Grid& x, int axis, const std::function<double(const std::vector<double>&, std::size_t)>& f) {
  axis = axis < 0 ? axis + x.rank() : axis;
  return grid(x.shape, [&](const Index& i) {
    std::vector<double> line;
    for (long k = 0; k < x.dim(axis); ++k) line.push_back(x(with(i, axis, k)));
    return f(line, std::size_t(i[std::size_t(axis)]));
  });
}

double total(const std::vector<double>& v) { return std::accumulate(v.begin(), v.end(), 0.0); }
double average(const std::vector<double>& v) { return total(v) / double(v.size()); }
double log_sum_exp(const std::vector<double>& v) {
  const double top = *std::max_element(v.begin(), v.end());
  double sum = 0;
  for (double e : v) sum += std::exp(e - top);
  return top + std::log(sum);
}

}  // namespace xgrad::tests
