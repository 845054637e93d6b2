// Shape operations. All but reshape are one strided copy, whose adjoint is the same copy the other way.
#include <xgrad/ops/shape.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/core/tape/number.hpp>
#include <xgrad/core/tape/traced.hpp>
#include <xgrad/ops/attributes.hpp>
#include <xgrad/ops/kernels/copy.hpp>

namespace xgrad {
namespace {

/// Which elements a slice takes: along axis i, `shape[i]` of them from start[i] by steps of step[i].
struct Section {
  Strides start{}, step{};
  Shape shape;
  explicit Section(const Shape& whole) : shape(whole) { step.fill(1); }
};

Variable embed(const Variable& x, const Shape& whole, const Section& section, double value = 0);

/// Gives all one dtype: that of what is not a number, promoted where there are several.
void adapt_all(const char* op, std::vector<Variable>& xs) {
  const auto first = std::find_if_not(xs.begin(), xs.end(), [](auto& x) { return x.data().is_number(); });
  if (first == xs.end()) return;
  DType dtype = first->dtype();
  for (auto& x : xs)
    if (!x.data().is_number() && x.dtype() != dtype) dtype = promote(dtype, x.dtype());
  for (auto& x : xs) x = x.data().is_number() ? adapt(op, x, dtype) : cast(x, dtype);
}

/// Elements of an array, copied when somebody needs them in a row.
struct Strided : StridedRead {
  Shape shape;
  void write(char* out) const override {
    kernels::copy(shape, width(source.dtype()), source.bytes(), offset, strides, out, 0,
                  contiguous_strides(shape));
  }
};
/// How many elements at the end of the shape lie in a row.
long contiguous_run(const Shape& shape, const Strides& strides) {
  long run = 1;
  for (int i = shape.rank(); i-- > 0 && (shape[i] == 1 || strides[std::size_t(i)] == run);) run *= shape[i];
  return run;
}
/// Elements of x from `offset` on. Pending where steps can read them in place, and where they are so many of
/// x's that it may stay in memory for them.
Array strided(const char* op, const Array& x, const Shape& shape, long offset, const Strides& strides) {
  auto read = std::make_unique<Strided>();
  read->source = x;
  read->offset = offset;
  read->strides = strides;
  read->shape = shape;
  evaluate(x);
  constexpr long shortest_run = 32, largest_part = 4;
  if (contiguous_run(shape, strides) >= shortest_run && shape.size() * largest_part >= x.size())
    return lazy::strided(op, shape, std::move(read));
  Array y(shape, x.dtype());
  read->write(y.mutable_bytes());
  return y;
}

/// The elements in the section.
Variable take_section(const Variable& x, const Section& section) {
  const Array data = x.data();
  Strides from = contiguous_strides(x.shape());
  long offset = 0;
  for (int i = 0; i < x.rank(); ++i) {
    offset += section.start[std::size_t(i)] * from[std::size_t(i)];
    from[std::size_t(i)] *= section.step[std::size_t(i)];
  }
  const Array y = strided("slice", data, section.shape, offset, from);
  return record("slice", keep_number(data, y),
                {{x, [=, whole = x.shape()](auto& gy) { return embed(gy, whole, section); }}});
}

/// An array in a section of a larger one.
struct Embedded : Scatter {
  Array x;
  Shape whole;
  Strides to;
  long offset = 0;

  Embedded(const Array& x, const Shape& whole, const Section& section)
      : x(x), whole(whole), to(contiguous_strides(whole)) {
    evaluate(x);
    for (int i = 0; i < whole.rank(); ++i) {
      offset += section.start[std::size_t(i)] * to[std::size_t(i)];
      to[std::size_t(i)] *= section.step[std::size_t(i)];
    }
  }
  void write(char* out) const override {
    auto clear = [=](long first, long last) { std::memset(out + first, 0, std::size_t(last - first)); };
    if (x.shape() != whole) threads::for_ranges(whole.size() * width(x.dtype()), 1l << 17, clear);
    copy_to(out);
  }
  void copy_to(char* out) const {
    kernels::copy(x.shape(), width(x.dtype()), x.bytes(), 0, contiguous_strides(x.shape()), out, offset, to);
  }
  void add_to(char* sum) const override {
    kernels::add(x.shape(), x.dtype(), x.bytes(), 0, contiguous_strides(x.shape()), sum, offset, to);
  }
};

/// An array of the given shape with x in the section and `value` elsewhere: the adjoint of take_section when
/// that is 0.
Variable embed(const Variable& x, const Shape& whole, const Section& section, double value) {
  const Array data = x.data();
  auto embedded = std::make_unique<Embedded>(data, whole, section);
  Array y;
  if (value == 0 && !std::signbit(value)) {
    y = lazy::scattered("pad", whole, x.dtype(), std::move(embedded));
  } else {
    y = full(whole, value, x.dtype());
    embedded->copy_to(y.mutable_bytes());
  }
  return record("pad", keep_number(data, y), {{x, [=](auto& gy) { return take_section(gy, section); }}});
}

/// The arrays one after another along an axis counted from the first.
Variable join(const char* op, std::vector<Variable> xs, int axis) {
  adapt_all(op, xs);
  Shape shape = xs[0].shape();
  shape[axis] = 0;
  for (auto& x : xs) {
    Shape other = x.shape();
    expect(other.rank() == shape.rank(), "{}: shapes {} and {} have different ranks", op, xs[0].shape(),
           x.shape());
    shape[axis] += other[axis];
    check_shape(op, shape, width(x.dtype()));
    other[axis] = shape[axis];
    expect(other == shape, "{}: shapes {} and {} differ outside axis {}", op, xs[0].shape(), x.shape(), axis);
  }
  Array y(shape, xs[0].dtype());
  const Strides to = contiguous_strides(shape);
  std::vector<Edge> edges;
  bool numbers = true;
  long at = 0;
  for (auto& x : xs) {
    const long length = x.shape()[axis];
    kernels::copy(x.shape(), width(x.dtype()), x.data().bytes(), 0, contiguous_strides(x.shape()),
                  y.mutable_bytes(), at * to[std::size_t(axis)], to);
    numbers &= x.data().is_number();
    edges.emplace_back(x, [=](auto& gy) { return slice(gy, axis, at, at + length); });
    at += length;
  }
  Value::of(y)->is_number = numbers;
  return record("concat", y, std::span<Edge>(edges));
}

}  // namespace

Variable reshape(const Variable& x, const Shape& shape) {
  if (tracing()) return traced("reshape", reshape, detail::Into{shape}, x);
  if (x.shape() == shape) return x;
  return record("reshape", x.data().reshape(shape),
                {{x, [from = x.shape()](auto& gy) { return reshape(gy, from); }}});
}

Variable flatten(const Variable& x, int start) {
  if (tracing()) return traced("flatten", flatten, detail::From{start}, x);
  start = x.rank() == start ? start : normalize_axis("flatten", start, x.rank());
  Shape shape(x.shape().begin(), x.shape().begin() + start);
  long rest = 1;
  for (int i = start; i < x.rank(); ++i) rest *= x.shape()[i];
  shape.push_back(rest);
  return reshape(x, shape);
}

Variable transpose(const Variable& x, const Axes& order) {
  if (tracing()) return traced("transpose", transpose, detail::Order{order}, x);
  Axes axes = order;
  if (order.empty())
    for (int i = x.rank(); i-- > 0;) axes.push_back(i);
  expect(int(axes.size()) == x.rank(), "transpose: {} axes are given for shape {}", axes.size(), x.shape());
  for (int& axis : axes) axis = normalize_axis("transpose", axis, x.rank());
  normalize_axes("transpose", axes, x.rank());  // none may be given twice
  if (std::is_sorted(axes.begin(), axes.end())) return x;
  Shape shape;
  Strides from{}, own = contiguous_strides(x.shape());
  Axes inverse(axes.size());
  for (int i = 0; i < x.rank(); ++i) {
    const int axis = axes[std::size_t(i)];
    shape.push_back(x.shape()[axis]);
    from[std::size_t(i)] = own[std::size_t(axis)];
    inverse[std::size_t(axis)] = i;
  }
  const Array data = x.data();
  const Array y = strided("transpose", data, shape, 0, from);
  return record("transpose", keep_number(data, y), {{x, [=](auto& gy) { return transpose(gy, inverse); }}});
}

Variable squeeze(const Variable& x, const Axes& axes) {
  if (tracing()) return traced("squeeze", squeeze, detail::Order{axes}, x);
  Axes dropped;
  if (axes.empty()) {
    for (int i = 0; i < x.rank(); ++i)
      if (x.shape()[i] == 1) dropped.push_back(i);
  } else {
    dropped = normalize_axes("squeeze", axes, x.rank());
  }
  for (int axis : dropped)
    expect(x.shape()[axis] == 1, "squeeze: axis {} of shape {} does not have length 1", axis, x.shape());
  return reshape(x, drop_axes(x.shape(), dropped));
}

Variable unsqueeze(const Variable& x, Axis axis) {
  if (tracing()) return traced("unsqueeze", unsqueeze, detail::Along{axis}, x);
  Shape shape = x.shape();
  shape.insert(normalize_axis("unsqueeze", axis, x.rank() + 1), 1);
  return reshape(x, shape);
}

Variable concat(const std::vector<Variable>& xs, Axis axis) {
  if (tracing()) return traced("concat", concat, detail::Along{axis}, xs);
  expect(!xs.empty(), "concat: at least one input is needed");
  return join("concat", xs, normalize_axis("concat", axis, xs[0].rank()));
}

Variable stack(const std::vector<Variable>& xs, Axis axis) {
  if (tracing()) return traced("stack", stack, detail::Along{axis}, xs);
  expect(!xs.empty(), "stack: at least one input is needed");
  axis = normalize_axis("stack", axis, xs[0].rank() + 1);
  std::vector<Variable> expanded;
  for (auto& x : xs) {
    expect(x.shape() == xs[0].shape(), "stack: shapes {} and {} differ", xs[0].shape(), x.shape());
    expanded.push_back(unsqueeze(x, axis));
  }
  return join("stack", expanded, axis);
}

Variables split(const Variable& x, const std::vector<long>& lengths, Axis axis) {
  if (tracing()) return traced("split", split, detail::Lengths{lengths, axis}, x);
  axis = normalize_axis("split", axis, x.rank());
  long total = 0;
  for (long length : lengths) {
    expect(length >= 0, "split: negative length {}", length);
    expect(!__builtin_add_overflow(total, length, &total),
           "split: the lengths add up to more than axis {} of shape {} has", axis, x.shape());
  }
  expect(total == x.shape()[axis], "split: the lengths add up to {}, but axis {} of shape {} has {}", total,
         axis, x.shape(), x.shape()[axis]);
  std::vector<Variable> parts;
  long at = 0;
  for (long length : lengths) {
    parts.push_back(slice(x, axis, at, at + length));
    at += length;
  }
  return parts;
}

Variable slice(const Variable& x, Axis axis, long start, long stop, long step) {
  if (tracing()) return traced("slice", slice, detail::Range{axis, start, stop, step}, x);
  axis = normalize_axis("slice", axis, x.rank());
  expect(step > 0, "slice: step {} is not positive; use flip to reverse", step);
  const long length = x.shape()[axis];
  auto position = [&](long p) { return std::clamp(p < 0 ? p + length : p, 0l, length); };
  start = position(start);
  stop = std::max(start, position(stop));
  if (start == 0 && stop == length && step == 1) return x;
  Section section(x.shape());
  section.start[std::size_t(axis)] = start;
  section.shape[axis] = stop == start ? 0 : (stop - start - 1) / step + 1;
  if (section.shape[axis] > 1) section.step[std::size_t(axis)] = step;  // else it may be longer than the axis
  return take_section(x, section);
}

Variable pad(const Variable& x, const std::vector<std::pair<long, long>>& widths, double value) {
  if (tracing()) return traced("pad", pad, detail::Widths{widths, value}, x);
  expect(int(widths.size()) <= x.rank(), "pad: {} pairs are given for shape {}", widths.size(), x.shape());
  Section section(x.shape());
  Shape whole = x.shape();
  const int first = x.rank() - int(widths.size());
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const auto [before, after] = widths[i];
    expect(before >= 0 && after >= 0, "pad: negative width ({}, {})", before, after);
    section.start[std::size_t(first) + i] = before;
    long& length = whole[first + int(i)];
    expect(
        !__builtin_add_overflow(length, before, &length) && !__builtin_add_overflow(length, after, &length),
        "pad: ({}, {}) is too large for shape {}", before, after, x.shape());
  }
  check_shape("pad", whole, width(x.dtype()));
  expect(can_hold(x.dtype(), value), "pad: {} cannot hold {}; cast the array first", x.dtype(), value);
  return embed(x, whole, section, value);
}

Variable flip(const Variable& x, const Axes& axes) {
  if (tracing()) return traced("flip", flip, detail::Order{axes}, x);
  Section section(x.shape());
  for (int axis : normalize_axes("flip", axes, x.rank())) {
    section.start[std::size_t(axis)] = std::max(0l, x.shape()[axis] - 1);
    section.step[std::size_t(axis)] = -1;
  }
  return take_section(x, section);
}

}  // namespace xgrad
