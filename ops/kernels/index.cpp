// Gathering and scattering, each line or row on its own so that sums have a fixed order.
#include "ops/kernels/index.hpp"

#include <cstring>

#include "core/error.hpp"
#include "core/profile.hpp"
#include "core/threads.hpp"

namespace xgrad::kernels {
namespace {

/// Calls f(offset in x, offset in index) for the first element of each line of the index along the axis.
template <class F>
void each_line(const Shape& x, const Shape& index, int axis, F f) {
  const Strides in_x = contiguous_strides(x), in_index = contiguous_strides(index);
  const long length = index[axis], lines = length ? index.size() / length : 0;
  threads::for_ranges(lines, std::max(1l, (1l << 13) / std::max(1l, length)), [&](long first, long last) {
    for (long line = first; line < last; ++line) {
      long rest = line, at_x = 0, at_index = 0;
      for (int i = index.rank(); i-- > 0;) {
        if (i == axis) continue;
        at_x += rest % index[i] * in_x[std::size_t(i)];
        at_index += rest % index[i] * in_index[std::size_t(i)];
        rest /= index[i];
      }
      f(at_x, at_index);
    }
  });
}

/// The elements before, along and after an axis.
struct Rows {
  long outer = 1, length, inner = 1;
  Rows(const Shape& shape, int axis) : length(shape[axis]) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
};

}  // namespace

Array gather(const Array& x, int axis, const Array& index) {
  const profile::Scope scope("gather {}", x.shape());
  Array y(index.shape(), x.dtype());
  const long step_x = contiguous_strides(x.shape())[std::size_t(axis)];
  const long step_index = contiguous_strides(index.shape())[std::size_t(axis)], length = index.shape()[axis];
  const std::int64_t* at = index.data<std::int64_t>();
  dispatch(x.dtype(), [&]<class T>() {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    each_line(x.shape(), index.shape(), axis, [&](long in_x, long in_index) {
      for (long k = 0; k < length; ++k)
        out[in_index + k * step_index] = in[in_x + at[in_index + k * step_index] * step_x];
    });
  });
  return y;
}

Array scatter_add(Array x, int axis, const Array& index, const Array& source) {
  const profile::Scope scope("scatter_add {}", x.shape());
  Array y = x.copy();
  const long step_y = contiguous_strides(y.shape())[std::size_t(axis)];
  const long step_index = contiguous_strides(index.shape())[std::size_t(axis)], length = index.shape()[axis];
  const std::int64_t* at = index.data<std::int64_t>();
  dispatch(y.dtype(), [&]<class T>() {
    const T* in = source.data<T>();
    T* out = y.mutable_data<T>();
    each_line(y.shape(), index.shape(), axis, [&](long in_y, long in_index) {
      for (long k = 0; k < length; ++k) {
        T& place = out[in_y + at[in_index + k * step_index] * step_y];
        place = T(place + in[in_index + k * step_index]);
      }
    });
  });
  return y;
}

Array take(const Array& x, const Array& indices, int axis) {
  const profile::Scope scope("take {}", x.shape());
  Shape shape(x.shape().begin(), x.shape().begin() + axis);
  for (long n : indices.shape()) shape.push_back(n);
  for (int i = axis + 1; i < x.rank(); ++i) shape.push_back(x.shape()[i]);
  check_shape("take", shape, width(x.dtype()));
  Array y(shape, x.dtype());
  const Rows rows(x.shape(), axis);
  const long count = indices.size(), bytes = rows.inner * width(x.dtype());
  const std::int64_t* at = indices.data<std::int64_t>();
  const char* in = x.bytes();
  char* out = y.mutable_bytes();
  threads::for_ranges(rows.outer * count, std::max(1l, (1l << 16) / std::max(1l, bytes)),
                      [&](long first, long last) {
                        for (long i = first; i < last; ++i)
                          std::memcpy(out + i * bytes, in + (i / count * rows.length + at[i % count]) * bytes,
                                      std::size_t(bytes));
                      });
  return y;
}

Array take_add(const Array& rows, const Array& indices, int axis, const Shape& shape) {
  const profile::Scope scope("take {}, gradient", shape);
  Array y = zeros(shape, rows.dtype());
  const Rows to(shape, axis);
  const long count = indices.size();
  const std::int64_t* at = indices.data<std::int64_t>();
  dispatch(rows.dtype(), [&]<class T>() {
    const T* in = rows.data<T>();
    T* out = y.mutable_data<T>();
    threads::for_each(to.outer, [&](long o) {
      for (long k = 0; k < count; ++k) {
        const T* source = in + (o * count + k) * to.inner;
        T* target = out + (o * to.length + at[k]) * to.inner;
        for (long i = 0; i < to.inner; ++i) target[i] = T(target[i] + source[i]);
      }
    });
  });
  return y;
}

}  // namespace xgrad::kernels
