// Max-pooling, plane by plane.
#include <xgrad/ops/kernels/pool.hpp>

#include <algorithm>

#include <xgrad/core/array/wide_sum.hpp>
#include <xgrad/core/base/profile.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/ops/kernels/pool2x2.hpp>
#include <xgrad/ops/kernels/scratch.hpp>

namespace xgrad::kernels {
namespace {

/// Calls f.operator()<T, P>() with the types of the elements and of the indices.
template <class F>
void dispatch_types(DType elements, DType indices, F f) {
  dispatch_floating(elements, [&]<class T>() {
    if (indices == DType::u8)
      f.template operator()<T, std::uint8_t>();
    else
      f.template operator()<T, std::int64_t>();
  });
}

/// Calls f(first plane, their number) for ranges of planes, on all threads.
template <class F>
void each_range(const Windows2d& s, F f) {
  threads::for_ranges(s.n * s.c, std::max(1l, (1l << 14) / std::max(1l, s.pixels())),
                      [&](long first, long last) { f(first, last - first); });
}

/// Calls f(output element, offset in the plane of its recorded index).
template <class P, class F>
void each_index(const Windows2d& s, const P* indices, F f) {
  for (long i = 0, k = 0; i < s.h.count; ++i)
    for (long j = 0; j < s.w.count; ++j, ++k) {
      const long index = long(indices[k]);
      f(k, s.offset(i, j, index / s.w.kernel, index % s.w.kernel));
    }
}

bool is_2x2(const Windows2d& s) {
  const auto halves = [](const Window& w) { return w.kernel == 2 && w.stride == 2 && w.padding == 0; };
  return halves(s.h) && halves(s.w);
}

void pool_2x2(const Windows2d& s, long planes, const float* x, float* y, std::uint8_t* indices) {
  long windows_left = planes * s.count();
  for (long plane = 0; plane < planes; ++plane, x += s.pixels())
    for (long i = 0; i < s.h.count; ++i, y += s.w.count, indices += s.w.count, windows_left -= s.w.count)
      pool_row_2x2(x + 2 * i * s.w.size, x + (2 * i + 1) * s.w.size, s.w.count, windows_left, y, indices);
}
void scatter_2x2(const Windows2d& s, long planes, const float* g, const std::uint8_t* indices, float* x) {
  long windows_left = planes * s.count();
  const float* const end = x + planes * s.pixels();
  IntPack covered{};
  for (int i = 0; i < std::min(lanes, 2 * s.w.count); ++i) covered[i] = -1;
  for (long plane = 0; plane < planes; ++plane, x += s.pixels()) {
    for (long i = 0; i < s.h.count; ++i, g += s.w.count, indices += s.w.count, windows_left -= s.w.count) {
      float *top = x + 2 * i * s.w.size, *bottom = top + s.w.size;
      if (s.w.size <= lanes && windows_left >= lanes && end - bottom >= lanes) {
        scatter_narrow_2x2(g, indices, covered, top, bottom);
        continue;
      }
      for (int row = 0; row < 2; ++row) {
        float* out = row ? bottom : top;
        scatter_row_2x2(g, indices, row, s.w.count, s.w.size <= lanes ? s.w.count : windows_left, out);
        if (s.w.size % 2) out[s.w.size - 1] = 0;
      }
    }
    if (s.h.size % 2) std::fill_n(x + (s.h.size - 1) * s.w.size, s.w.size, 0.f);
  }
}

template <class T, class P>
void pool_plane(const Windows2d& s, const T* x, T* y, P* indices) {
  for (long i = 0, k = 0; i < s.h.count; ++i)
    for (long j = 0; j < s.w.count; ++j, ++k) {
      const long corner = s.offset(i, j, 0, 0);
      const Range down = s.h.taps_of(i), across = s.w.taps_of(j);
      T best = x[corner + down.first * s.w.size + across.first];
      long index = down.first * s.w.kernel + across.first;
      for (long a = down.first; a < down.last; ++a)
        for (long b = across.first; b < across.last; ++b) {
          const T v = x[corner + a * s.w.size + b];
          if (better(v, best)) best = v, index = a * s.w.kernel + b;
        }
      y[k] = best;
      indices[k] = P(index);
    }
}

/// Without padding: as many windows at a time as a pack has lanes, across rows and planes.
template <class T, class P>
void pool_inside(const Windows2d& s, long planes, const T* x, T* y, P* indices) {
  constexpr long width = lanes_of<T>;
  using Pack = WidePack<T>;
  using Numbers = WidePack<std::conditional_t<sizeof(T) == 8, long, int>>;
  const T* at[width];
  long count = 0;
  auto flush = [&] {
    for (long l = count; l < width; ++l) at[l] = at[0];
    auto gather = [&](long offset) {
      Pack v;
      for (long l = 0; l < width; ++l) v[l] = at[l][offset];
      return v;
    };
    Pack best = gather(0);
    Numbers index{}, number{};
    for (long a = 0; a < s.h.kernel; ++a)
      for (long b = 0; b < s.w.kernel; ++b, number += 1) {
        const Pack v = gather(a * s.w.size + b);
        const Numbers wins = better(v, best);
        best = choose(wins, v, best);
        index = choose(wins, number, index);
      }
    for (long l = 0; l < count; ++l) y[l] = best[l], indices[l] = P(index[l]);
    y += count, indices += count, count = 0;
  };
  for (long plane = 0; plane < planes; ++plane, x += s.pixels())
    for (long i = 0; i < s.h.count; ++i)
      for (long j = 0; j < s.w.count; ++j) {
        at[count++] = x + s.offset(i, j, 0, 0);
        if (count == width) flush();
      }
  if (count) flush();
}

template <class T, class P>
void scatter_plane(const Windows2d& s, const T* g, const P* indices, T* x) {
  const long pixels = s.pixels();
  if (s.h.kernel <= s.h.stride && s.w.kernel <= s.w.stride) {  // no two windows meet
    std::fill_n(x, pixels, T(0));
    return each_index(s, indices, [&](long k, long offset) { x[offset] += g[k]; });
  }
  const Scratch<WideSum<T>> sums(pixels);
  std::fill_n(sums.data(), pixels, WideSum<T>());
  each_index(s, indices, [&](long k, long offset) { sums[offset].add(g[k]); });
  for (long i = 0; i < pixels; ++i) x[i] = rounded<T>(sums[i]);
}

}  // namespace

std::pair<Array, Array> max_pool(const Array& x, const Windows2d& s) {
  const profile::Scope scope("max_pool2d {}", x.shape());
  evaluate(x);  // before the result is allocated: x's operands may be freed
  Array y({s.n, s.c, s.h.count, s.w.count}, x.dtype());
  Array indices(y.shape(), s.taps() <= 256 ? DType::u8 : DType::i64);
  dispatch_types(x.dtype(), indices.dtype(), [&]<class T, class P>() {
    const long pixels = s.pixels(), windows = s.count();
    each_range(s, [&, elements = x.data<T>(), largest = y.mutable_data<T>(), at = indices.mutable_data<P>()](
                      long first, long count) {
      const T* in = elements + first * pixels;
      T* out = largest + first * windows;
      P* index = at + first * windows;
      if constexpr (std::is_same_v<T, float> && std::is_same_v<P, std::uint8_t>)
        if (is_2x2(s)) return pool_2x2(s, count, in, out, index);
      if (s.h.padding == 0 && s.w.padding == 0) return pool_inside(s, count, in, out, index);
      for (long plane = 0; plane < count; ++plane)
        pool_plane(s, in + plane * pixels, out + plane * windows, index + plane * windows);
    });
  });
  return {y, indices};
}

Array pool_gather(const Array& x, const Array& indices, const Windows2d& s) {
  const profile::Scope scope("max_pool2d {}, second order", x.shape());
  evaluate(x);  // before the result is allocated: x's operands may be freed
  Array y({s.n, s.c, s.h.count, s.w.count}, x.dtype());
  dispatch_types(x.dtype(), indices.dtype(), [&]<class T, class P>() {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    const P* at = indices.data<P>();
    const long pixels = s.count();
    each_range(s, [&](long first, long count) {
      for (long plane = first; plane < first + count; ++plane)
        each_index(s, at + plane * pixels, [&, base = in + plane * s.pixels()](long k, long offset) {
          out[plane * pixels + k] = base[offset];
        });
    });
  });
  return y;
}

Array pool_scatter(const Array& g, const Array& indices, const Windows2d& s) {
  const profile::Scope scope("max_pool2d {}, gradient", g.shape());
  evaluate(g);
  Array x({s.n, s.c, s.h.size, s.w.size}, g.dtype());
  dispatch_types(g.dtype(), indices.dtype(), [&]<class T, class P>() {
    const T* in = g.data<T>();
    T* out = x.mutable_data<T>();
    const P* at = indices.data<P>();
    const long pixels = s.count();
    each_range(s, [&](long first, long count) {
      if constexpr (std::is_same_v<T, float> && std::is_same_v<P, std::uint8_t>)
        if (is_2x2(s))
          return scatter_2x2(s, count, in + first * pixels, at + first * pixels, out + first * s.pixels());
      for (long plane = first; plane < first + count; ++plane)
        scatter_plane(s, in + plane * pixels, at + plane * pixels, out + plane * s.pixels());
    });
  });
  return x;
}

}  // namespace xgrad::kernels
