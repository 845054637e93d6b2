// Walks along one axis, line by line.
#include <xgrad/ops/kernels/scan.hpp>

#include <xgrad/core/array/wide_sum.hpp>
#include <xgrad/core/base/profile.hpp>
#include <xgrad/core/base/threads.hpp>

namespace xgrad::kernels {
namespace {

/// An array seen as (outer, length, inner) around an axis.
struct AlongAxis {
  long outer = 1, length, inner = 1;
  AlongAxis(const Shape& shape, int axis) : length(shape[axis]) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
  /// Calls f(offset of the line's first element, number of the line) for each line.
  template <class F>
  void each(F f) const {
    if (length == 0) return;  // of an empty array there may be any number of lines
    threads::for_ranges(outer * inner, std::max(1l, (1l << 14) / std::max(1l, length)),
                        [&](long first, long last) {
                          for (long i = first; i < last; ++i) f(i / inner * length * inner + i % inner, i);
                        });
  }
};

}  // namespace

Array cumsum(const Array& x, int axis) {
  const profile::Scope scope("cumsum {}", x.shape());
  evaluate(x);
  Array y(x.shape(), x.dtype());
  const AlongAxis lines(x.shape(), axis);
  dispatch_arithmetic(x.dtype(), [&]<class T>() {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    lines.each([&](long at, long) {
      WideSum<T> sum;
      for (long k = at; k < at + lines.length * lines.inner; k += lines.inner) {
        sum.add(in[k]);
        out[k] = rounded<T>(sum);
      }
    });
  });
  return y;
}

Array argmax(const Array& x, int axis) {
  const profile::Scope scope("argmax {}", x.shape());
  Shape shape = x.shape();
  shape[axis] = 1;
  Array y(shape, DType::i64);
  const AlongAxis lines(x.shape(), axis);
  std::int64_t* out = y.mutable_data<std::int64_t>();
  dispatch_arithmetic(x.dtype(), [&]<class T>() {
    const T* in = x.data<T>();
    lines.each([&](long at, long line) {
      long best = 0;
      for (long k = 1; k < lines.length; ++k) {
        const T candidate = in[at + k * lines.inner], largest = in[at + best * lines.inner];
        if (candidate > largest || (candidate != candidate && largest == largest)) best = k;
      }
      out[line] = best;
    });
  });
  return y;
}

}  // namespace xgrad::kernels
