#pragma once
// What the ops are held against: plain loops over doubles, index by index, that call no op.
#include <functional>
#include <vector>

#include <xgrad/core/array/array.hpp>

namespace xgrad::tests {

using Index = std::vector<long>;

/// Doubles in row-major order.
struct Grid {
  Shape shape;
  std::vector<double> v;

  Grid() = default;
  explicit Grid(const Array& array);
  long dim(int axis) const { return shape[axis < 0 ? axis + shape.rank() : axis]; }
  int rank() const { return shape.rank(); }
  double operator()(const Index& i) const;
  double& at(const Index& i);
  /// The element that an index of a larger shape meets when this grid is broadcast to it.
  double spread(const Index& i) const;
  double& spread(const Index& i);
  /// 0 outside, as where images are padded.
  double or_zero(const Index& i) const;
};
using Grids = std::vector<Grid>;

/// Calls f for each index of a shape, in order.
void each_index(const Shape& shape, const std::function<void(const Index&)>& f);
/// The grid whose element at each index i is f(i).
Grid grid(const Shape& shape, const std::function<double(const Index&)>& f);
/// The shape that all broadcast to, aligned at the last axis.
Shape common_shape(const std::vector<Shape>& shapes);
/// f of the elements of each line along the axes (all when there are none), in row-major order.
Grid along(const Grid& x, Axes axes, bool keepdims,
           const std::function<double(const std::vector<double>&)>& f);
/// The element number i of a line becomes f(line, i).
Grid lines(const Grid& x, int axis, const std::function<double(const std::vector<double>&, std::size_t)>& f);

/// f for each element, broadcast.
template <class F, class... G>
Grid each(F f, const G&... x) {
  return grid(common_shape({x.shape...}), [&](const Index& i) { return f(x.spread(i)...); });
}

inline Index with(Index i, int axis, long at) {
  i[std::size_t(axis < 0 ? axis + int(i.size()) : axis)] = at;
  return i;
}
inline Index without(Index i, int axis) {
  i.erase(i.begin() + (axis < 0 ? axis + int(i.size()) : axis));
  return i;
}
double total(const std::vector<double>& v);
double average(const std::vector<double>& v);
double log_sum_exp(const std::vector<double>& v);

}  // namespace xgrad::tests
