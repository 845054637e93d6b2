// Strided copies, in blocks where both sides are walked across the grain.
#include <xgrad/ops/kernels/copy.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/profile.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/ops/kernels/simd.hpp>

namespace xgrad::kernels {
namespace {

struct Axis {
  long length, from, to;
};

/// The axes of length above 1, with neighbours merged that both sides walk evenly.
std::vector<Axis> collapse(const Shape& shape, const Strides& from, const Strides& to) {
  std::vector<Axis> axes;
  for (std::size_t i = 0; i < std::size_t(shape.rank()); ++i) {
    const long n = shape[int(i)];
    if (n == 1) continue;
    if (!axes.empty() && axes.back().from == from[i] * n && axes.back().to == to[i] * n)
      axes.back() = {axes.back().length * n, from[i], to[i]};
    else
      axes.push_back({n, from[i], to[i]});
  }
  return axes;
}

template <class T>
void copy_line(const Axis& axis, const T* from, T* to) {
  if (axis.from == 1 && axis.to == 1) {
    std::memcpy(to, from, std::size_t(axis.length) * sizeof(T));
  } else {
    for (long i = 0; i < axis.length; ++i) to[i * axis.to] = from[i * axis.from];
  }
}

/// The transposed of sixteen rows of sixteen, for elements of four bytes.
void transpose_block(const std::uint32_t* from, long from_step, std::uint32_t* to, long to_step) {
  Pack a[lanes];
  for (long i = 0; i < lanes; ++i) a[i] = *reinterpret_cast<const LoosePack*>(from + i * from_step);
  transpose(a);
  for (long i = 0; i < lanes; ++i) *reinterpret_cast<LoosePack*>(to + i * to_step) = a[i];
}

/// A matrix whose two sides run across each other: blocks that fit the cache lines of both.
template <class T>
void copy_plane(const Axis& rows, const Axis& columns, const T* from, T* to) {
  long side = 32;
  if constexpr (sizeof(T) == 4) {
    side = lanes;
    if (rows.from == 1 && columns.to == 1) {
      for (long r = 0; r < rows.length; r += side)
        for (long c = 0; c < columns.length; c += side) {
          const Axis height{std::min(side, rows.length - r), rows.from, rows.to};
          const Axis width{std::min(side, columns.length - c), columns.from, columns.to};
          const T* source = from + r + c * columns.from;
          T* target = to + r * rows.to + c;
          if (height.length == side && width.length == side)
            transpose_block(source, columns.from, target, rows.to);
          else
            for (long i = 0; i < height.length; ++i)
              for (long j = 0; j < width.length; ++j) target[i * rows.to + j] = source[i + j * columns.from];
        }
      return;
    }
  }
  for (long r = 0; r < rows.length; r += side)
    for (long c = 0; c < columns.length; c += side)
      for (long i = r; i < std::min(r + side, rows.length); ++i)
        for (long j = c; j < std::min(c + side, columns.length); ++j)
          to[i * rows.to + j * columns.to] = from[i * rows.from + j * columns.from];
}

/// Calls f(from, to) for each combination of positions along the axes; `each` is the elements of a call.
template <class T, class F>
void for_lines(const std::vector<Axis>& axes, long each, const T* from, T* to, F f) {
  long outer = 1;
  for (auto& axis : axes) outer *= axis.length;
  threads::for_ranges(outer, std::max(1l, (1l << 15) / std::max(1l, each)), [&](long first, long last) {
    for (long i = first; i < last; ++i) {
      const T* source = from;
      T* target = to;
      long rest = i;
      for (std::size_t k = axes.size(); k-- > 0; rest /= axes[k].length) {
        source += rest % axes[k].length * axes[k].from;
        target += rest % axes[k].length * axes[k].to;
      }
      f(source, target);
    }
  });
}

template <class T>
void copy(std::vector<Axis> axes, const T* from, T* to) {
  if (axes.empty()) {
    *to = *from;
    return;
  }
  const Axis inner = axes.back();
  axes.pop_back();
  // The axis along which the source is contiguous goes next to the innermost one.
  Axis across{1, 0, 0};
  if (inner.from != 1)
    if (auto it = std::find_if(axes.begin(), axes.end(), [](auto& a) { return a.from == 1; });
        it != axes.end()) {
      across = *it;
      axes.erase(it);
    }
  for_lines(axes, inner.length * across.length, from, to, [&](const T* source, T* target) {
    if (across.length == 1)
      copy_line(inner, source, target);
    else
      copy_plane(across, inner, source, target);
  });
}

template <class T>
void add_line(const Axis& axis, const T* from, T* to) {
  if (axis.from == 1 && axis.to == 1)
    for (long i = 0; i < axis.length; ++i) to[i] += from[i];
  else
    for (long i = 0; i < axis.length; ++i) to[i * axis.to] += from[i * axis.from];
}

}  // namespace

void copy(const Shape& shape, long width, const void* from, long from_offset, const Strides& from_strides,
          void* to, long to_offset, const Strides& to_strides) {
  if (shape.size() == 0) return;
  const profile::Scope scope("copy {}", shape);
  auto axes = collapse(shape, from_strides, to_strides);
  auto run = [&]<class T>(T) {
    copy(std::move(axes), static_cast<const T*>(from) + from_offset, static_cast<T*>(to) + to_offset);
  };
  switch (width) {
    case 1:
      return run(std::uint8_t());
    case 2:
      return run(std::uint16_t());
    case 4:
      return run(std::uint32_t());
    case 8:
      return run(std::uint64_t());
  }
  fail("copy: no element has {} bytes", width);
}

void add(const Shape& shape, DType dtype, const void* from, long from_offset, const Strides& from_strides,
         void* to, long to_offset, const Strides& to_strides) {
  if (shape.size() == 0) return;
  const profile::Scope scope("add {}", shape);
  auto axes = collapse(shape, from_strides, to_strides);
  if (axes.empty()) axes.push_back({1, 0, 0});
  const Axis inner = axes.back();
  axes.pop_back();
  dispatch_floating(dtype, [&]<class T>() {
    for_lines(axes, inner.length, static_cast<const T*>(from) + from_offset, static_cast<T*>(to) + to_offset,
              [&](const T* source, T* target) { add_line(inner, source, target); });
  });
}

}  // namespace xgrad::kernels
