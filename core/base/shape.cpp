// Shapes: broadcasting, axes and strides.
#include <xgrad/core/base/shape.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <xgrad/core/base/error.hpp>

namespace xgrad {

void Shape::push_back(long dim) { insert(rank_, dim); }

void Shape::insert(int axis, long dim) {
  expect(rank_ < max_rank, "shape: an array has at most {} axes", max_rank);
  expect(dim >= -1, "shape: negative length {} for axis {}", dim, axis);
  std::copy_backward(dims_.begin() + axis, dims_.begin() + rank_, dims_.begin() + rank_ + 1);
  dims_[axis] = dim;
  ++rank_;
}

void Shape::erase(int axis) {
  std::copy(dims_.begin() + axis + 1, dims_.begin() + rank_, dims_.begin() + axis);
  dims_[--rank_] = 0;
}

void Shape::too_large() const { fail("shape: {} has more elements than a long can hold", *this); }

void check_shape(const char* op, const Shape& shape, long width) {
  long bytes = width;
  for (long length : shape) {
    expect(length >= 0, "{}: shape {} has a negative length", op, shape);
    expect(length == 0 || (!__builtin_mul_overflow(bytes, length, &bytes) && bytes <= max_array_bytes),
           "{}: an array of shape {} would be too large", op, shape);
  }
}

std::string Shape::str() const {
  return rank_ == 1 ? fmt::format("({},)", dims_[0]) : fmt::format("({})", fmt::join(begin(), end(), ", "));
}

std::string element_name(const Shape& shape, long position) {
  std::string name;
  for (int axis = shape.rank(); axis-- > 0; position /= shape[axis])
    name = fmt::format("{}{}{}", position % shape[axis], name.empty() ? "" : ", ", name);
  return "[" + name + "]";
}

Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape result = longer;
  for (int i = 1; i <= shorter.rank(); ++i) {
    long x = longer[longer.rank() - i], y = shorter[shorter.rank() - i];
    expect(x == y || x == 1 || y == 1, "{}: shapes {} and {} do not broadcast", op, a, b);
    result[longer.rank() - i] = x == 1 ? y : x;
  }
  return result;
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  for (int i = 1; i <= from.rank(); ++i) {
    long x = from[from.rank() - i];
    if (x != 1 && x != to[to.rank() - i]) return false;
  }
  return true;
}

int normalize_axis(const char* op, int axis, int rank) {
  expect(axis >= -rank && axis < rank, "{}: axis {} is out of range for {} axes", op, axis, rank);
  return axis < 0 ? axis + rank : axis;
}

Axes normalize_axes(const char* op, const Axes& axes, int rank) {
  Axes result;
  if (axes.empty())
    for (int i = 0; i < rank; ++i) result.push_back(i);
  for (int axis : axes) result.push_back(normalize_axis(op, axis, rank));
  std::sort(result.begin(), result.end());
  auto twin = std::adjacent_find(result.begin(), result.end());
  expect(twin == result.end(), "{}: axis {} is given twice", op, twin == result.end() ? 0 : *twin);
  return result;
}

Shape keep_axes(Shape shape, const Axes& axes) {
  for (int axis : axes) shape[axis] = 1;
  return shape;
}

Shape drop_axes(const Shape& shape, const Axes& axes) {
  Shape result;
  for (int i = 0; i < shape.rank(); ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) result.push_back(shape[i]);
  return result;
}

Strides contiguous_strides(const Shape& shape) {
  Strides strides{};
  long step = 1;
  for (int i = shape.rank(); i-- > 0; step *= shape[i]) strides[i] = step;
  return strides;
}

Strides broadcast_strides(const Shape& shape, const Shape& domain) {
  Strides strides{}, own = contiguous_strides(shape);
  for (int i = 1; i <= shape.rank(); ++i)
    if (shape[shape.rank() - i] != 1) strides[domain.rank() - i] = own[shape.rank() - i];
  return strides;
}

}  // namespace xgrad
