// Gathering and scattering, each line or row on its own so that sums have a fixed order.
#include <xgrad/ops/kernels/index.hpp>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <span>
#include <utility>

#include <xgrad/core/array/wide_sum.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/profile.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/ops/kernels/scratch.hpp>

namespace xgrad::kernels {
namespace {

/// The lines of an index along an axis.
class IndexLines {
 public:
  IndexLines(const Shape& x, const Shape& index, int axis)
      : index_(index), axis_(axis), in_x_(contiguous_strides(x)), in_index_(contiguous_strides(index)) {}

  /// Calls f(first, last) for ranges of them, on all threads.
  template <class F>
  void each_range(F f) const {
    const long length = index_[axis_], lines = length ? index_.size() / length : 0;
    threads::for_ranges(lines, std::max(1l, (1l << 13) / std::max(1l, length)), f);
  }
  /// The offsets in x and in the index of a line's first element.
  std::pair<long, long> first(long line) const {
    long at_x = 0, at_index = 0;
    for (int i = index_.rank(); i-- > 0;) {
      if (i == axis_) continue;
      at_x += line % index_[i] * in_x_[std::size_t(i)];
      at_index += line % index_[i] * in_index_[std::size_t(i)];
      line /= index_[i];
    }
    return {at_x, at_index};
  }

 private:
  Shape index_;
  int axis_;
  Strides in_x_, in_index_;
};

/// The elements before, along and after an axis.
struct Rows {
  long outer = 1, length, inner = 1;
  Rows(const Shape& shape, int axis) : length(shape[axis]) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
};

/// The positions of each index among the indices, in order.
class InverseIndex {
 public:
  InverseIndex(const Array& indices, long length) : first_(length + 1), positions_(indices.size()) {
    const std::int64_t* at = indices.data<std::int64_t>();
    std::fill_n(first_.data(), length + 1, 0l);
    for (long k = 0; k < indices.size(); ++k) ++first_[at[k]];
    std::partial_sum(first_.data(), first_ + length + 1, first_.data());
    for (long k = indices.size(); k-- > 0;) positions_[--first_[at[k]]] = k;
  }
  std::span<const long> of(long index) const {
    return {positions_ + first_[index], positions_ + first_[index + 1]};
  }

 private:
  Scratch<long> first_, positions_;
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
    const IndexLines lines(x.shape(), index.shape(), axis);
    lines.each_range([&](long first, long last) {
      for (long line = first; line < last; ++line) {
        const auto [in_x, in_index] = lines.first(line);
        for (long k = 0; k < length; ++k)
          out[in_index + k * step_index] = in[in_x + at[in_index + k * step_index] * step_x];
      }
    });
  });
  return y;
}

Array scatter_add(Array x, int axis, const Array& index, const Array& source) {
  const profile::Scope scope("scatter_add {}", x.shape());
  Array y = x.copy();
  if (index.size() == 0) return y;
  const long step_y = contiguous_strides(y.shape())[std::size_t(axis)];
  const long step_index = contiguous_strides(index.shape())[std::size_t(axis)], length = index.shape()[axis];
  const std::int64_t* at = index.data<std::int64_t>();
  dispatch_arithmetic(y.dtype(), [&]<class T>() {
    const T* in = source.data<T>();
    T* out = y.mutable_data<T>();
    const IndexLines lines(y.shape(), index.shape(), axis);
    lines.each_range([&](long first, long last) {
      const Scratch<WideSum<T>> sums(y.shape()[axis]);  // of a line, where the index points
      for (long line = first; line < last; ++line) {
        const auto [in_y, in_index] = lines.first(line);
        for (long k = in_index, n = 0; n < length; ++n, k += step_index)
          sums[at[k]] = {out[in_y + at[k] * step_y]};
        for (long k = in_index, n = 0; n < length; ++n, k += step_index) sums[at[k]].add(in[k]);
        for (long k = in_index, n = 0; n < length; ++n, k += step_index)
          out[in_y + at[k] * step_y] = rounded<T>(sums[at[k]]);
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
  if (y.size() == 0) return y;  // made of any number of empty rows
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

namespace {

/// Calls store(a row of the result, the sums of what belongs there, how many those are).
template <class F>
void for_rows_of_sums(const Array& rows, const Array& indices, int axis, const Shape& shape, char* result,
                      F store) {
  const profile::Scope scope("take {}, gradient", shape);
  if (shape.size() == 0) return;
  const Rows to(shape, axis);
  const long count = indices.size();
  const InverseIndex inverse(indices, to.length);
  dispatch_arithmetic(rows.dtype(), [&]<class T>() {
    const T* in = rows.data<T>();
    T* out = reinterpret_cast<T*>(result);
    const long grain = std::max(1l, (1l << 14) / std::max(1l, to.inner));
    threads::for_ranges(to.outer * to.length, grain, [&](long first, long last) {
      const Scratch<WideSum<T>> sums(to.inner);
      for (long row = first; row < last; ++row) {
        const std::span here = inverse.of(row % to.length);
        T* sum = out + row * to.inner;
        if (here.empty()) {
          store(sum, static_cast<const WideSum<T>*>(nullptr), to.inner);
          continue;
        }
        std::fill_n(sums.data(), to.inner, WideSum<T>());
        for (long position : here) {
          const T* source = in + (row / to.length * count + position) * to.inner;
          for (long i = 0; i < to.inner; ++i) sums[i].add(source[i]);
        }
        store(sum, static_cast<const WideSum<T>*>(sums.data()), to.inner);
      }
    });
  });
}

}  // namespace

void take_add(const Array& rows, const Array& indices, int axis, const Shape& shape, char* out) {
  for_rows_of_sums(rows, indices, axis, shape, out, []<class T>(T* row, const WideSum<T>* sums, long n) {
    for (long i = 0; i < n; ++i) row[i] = sums ? rounded<T>(sums[i]) : T(0);
  });
}

void add_take_add(const Array& rows, const Array& indices, int axis, const Shape& shape, char* sum) {
  for_rows_of_sums(rows, indices, axis, shape, sum, []<class T>(T* row, const WideSum<T>* sums, long n) {
    for (long i = 0; sums && i < n; ++i) row[i] += rounded<T>(sums[i]);
  });
}

}  // namespace xgrad::kernels
