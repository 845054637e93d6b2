// Indexing: two pairs of adjoint primitives.
#include <xgrad/ops/index.hpp>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/number.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/attributes.hpp>
#include <xgrad/ops/kernels/index.hpp>

namespace xgrad {
namespace {

/// The indices as i64.
Array checked_index(const char* op, const Variable& given, long length) {
  const Array index = integers(op, "indices", given.data());
  const std::int64_t* data = index.data<std::int64_t>();
  for (long i = 0; i < index.size(); ++i)
    expect(data[i] >= 0 && data[i] < length, "{}: index {} at position {} is out of range for length {}", op,
           data[i], i, length);
  return index;
}

Array checked_gather(const char* op, const Variable& x, int axis, const Variable& index) {
  expect(index.rank() == x.rank(), "{}: index of shape {} does not have the rank of {}", op, index.shape(),
         x.shape());
  for (int i = 0; i < x.rank(); ++i)
    expect(i == axis || index.shape()[i] <= x.shape()[i], "{}: index of shape {} does not fit into {}", op,
           index.shape(), x.shape());
  return checked_index(op, index, x.shape()[axis]);
}

/// Rows that belong at the indices along an axis.
struct ScatteredRows : Scatter {
  Array rows, indices;
  int axis;
  Shape whole;

  ScatteredRows(const Array& rows, const Array& indices, int axis, const Shape& whole)
      : rows(rows), indices(indices), axis(axis), whole(whole) {
    evaluate(rows);
  }
  void write(char* out) const override { kernels::take_add(rows, indices, axis, whole, out); }
  void add_to(char* sum) const override { kernels::add_take_add(rows, indices, axis, whole, sum); }
};

/// Zeros of the given shape with rows added at the indices: the adjoint of take.
Variable take_add(const Variable& rows, const Array& indices, int axis, const Shape& shape) {
  const Array y = lazy::scattered("take_add", shape, rows.dtype(),
                                  std::make_unique<ScatteredRows>(rows.data(), indices, axis, shape));
  return record("take_add", keep_number(rows.data(), y),
                {{rows, [=](auto& gy) { return take(gy, indices, axis); }}});
}

Variable take_rows(const char* op, const Variable& x, const Variable& given, int axis) {
  const Array indices = checked_index(op, given, x.shape()[axis]);
  return record("take", keep_number(x.data(), kernels::take(x.data(), indices, axis)),
                {{x, [=, shape = x.shape()](auto& gy) { return take_add(gy, indices, axis, shape); }}});
}

}  // namespace

Variable gather(const Variable& x, Axis axis, const Variable& indices) {
  if (tracing())
    return traced(
        "gather", [](auto& v, auto& i, auto& a) { return gather(v, a.axis, i); }, detail::Along{axis}, x,
        indices);
  axis = normalize_axis("gather", axis, x.rank());
  const Array index = checked_gather("gather", x, axis, indices);
  return record("gather", keep_number(x.data(), kernels::gather(x.data(), axis, index)),
                {{x, [=, shape = x.shape()](auto& gy) {
                    return scatter_add(Variable(zeros(shape, gy.dtype())), axis, index, gy);
                  }}});
}

Variable scatter_add(const Variable& x, Axis axis, const Variable& indices, const Variable& source) {
  if (tracing())
    return traced(
        "scatter_add", [](auto& v, auto& i, auto& s, auto& a) { return scatter_add(v, a.axis, i, s); },
        detail::Along{axis}, x, indices, source);
  axis = normalize_axis("scatter_add", axis, x.rank());
  const Array index = checked_gather("scatter_add", x, axis, indices);
  expect(source.shape() == index.shape(), "scatter_add: source of shape {} for an index of shape {}",
         source.shape(), index.shape());
  Variable to = x, from = source;
  adapt("scatter_add", to, from);
  expect(from.dtype() == to.dtype(), "scatter_add: dtypes {} and {} differ", to.dtype(), from.dtype());
  expect(to.dtype() == arithmetic(to.dtype()), "scatter_add: not defined for {}; cast first", to.dtype());
  const Array y = kernels::scatter_add(to.data(), axis, index, from.data());
  return record(
      "scatter_add", keep_number(to.data(), from.data(), y),
      {{to, [](auto& gy) { return gy; }}, {from, [=](auto& gy) { return gather(gy, axis, index); }}});
}

Variable take(const Variable& x, const Variable& indices, Axis axis) {
  if (tracing()) return traced("take", take, detail::Along{axis}, x, indices);
  return take_rows("take", x, indices, normalize_axis("take", axis, x.rank()));
}

Variable embedding(const Variable& weight, const Variable& indices) {
  if (tracing()) return traced("embedding", embedding, weight, indices);
  expect(weight.rank() == 2, "embedding: the weight must be (vocabulary, features), not {}", weight.shape());
  return take_rows("embedding", weight, indices, 0);
}

Array one_hot(const Variable& given, long classes, DType dtype) {
  if (tracing()) return traced("one_hot", one_hot, detail::Classes{classes, dtype}, given);
  expect(classes >= 0, "one_hot: the number of classes {} is negative", classes);
  const Array indices = checked_index("one_hot", given, classes);
  Shape shape = indices.shape();
  shape.push_back(classes);
  check_shape("one_hot", shape, width(dtype));
  Array y = zeros(shape, dtype);
  dispatch(dtype, [&]<class T>() {
    T* out = y.mutable_data<T>();
    for (long i = 0; i < indices.size(); ++i)
      out[i * classes + indices.data<std::int64_t>()[i]] = convert<T>(1);
  });
  return y;
}

}  // namespace xgrad
