// Max-pooling, plane by plane.
#include <xgrad/ops/kernels/pool.hpp>

#include <algorithm>

#include <xgrad/core/array/wide_sum.hpp>
#include <xgrad/core/base/profile.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/ops/kernels/pool2x2.hpp>
#include <xgrad/ops/kernels/room.hpp>

namespace xgrad::kernels {
namespace {

/// Calls f.operator()<T, P>() with the types of the elements and of the places.
template <class F>
void dispatch_types(DType elements, DType places, F f) {
  dispatch_floating(elements, [&]<class T>() {
    if (places == DType::u8)
      f.template operator()<T, std::uint8_t>();
    else
      f.template operator()<T, std::int64_t>();
  });
}

/// Calls f(first plane, their number) for ranges of planes, on all threads.
template <class F>
void each_range(const PoolShape& s, F f) {
  threads::for_ranges(s.n * s.c, std::max(1l, (1l << 14) / std::max(1l, s.h * s.w)),
                      [&](long first, long last) { f(first, last - first); });
}

/// Calls f(output element, offset in the plane of its noted place).
template <class P, class F>
void each_place(const PoolShape& s, const P* places, F f) {
  for (long i = 0, k = 0; i < s.oh; ++i)
    for (long j = 0; j < s.ow; ++j, ++k) {
      const long a = long(places[k]) / s.kw, b = long(places[k]) % s.kw;
      f(k, (i * s.sh - s.ph + a) * s.w + j * s.sw - s.pw + b);
    }
}

bool is_2x2(const PoolShape& s) {
  return s.kh == 2 && s.kw == 2 && s.sh == 2 && s.sw == 2 && s.ph == 0 && s.pw == 0;
}

void pool_2x2(const PoolShape& s, long planes, const float* x, float* y, std::uint8_t* places) {
  long left = planes * s.oh * s.ow;  // windows
  for (long plane = 0; plane < planes; ++plane, x += s.h * s.w)
    for (long i = 0; i < s.oh; ++i, y += s.ow, places += s.ow, left -= s.ow)
      pool_row_2x2(x + 2 * i * s.w, x + (2 * i + 1) * s.w, s.ow, left, y, places);
}
void scatter_2x2(const PoolShape& s, long planes, const float* g, const std::uint8_t* places, float* x) {
  long left = planes * s.oh * s.ow;
  const float* const end = x + planes * s.h * s.w;
  IntPack inside{};
  for (int i = 0; i < std::min(lanes, 2 * s.ow); ++i) inside[i] = -1;
  for (long plane = 0; plane < planes; ++plane, x += s.h * s.w) {
    for (long i = 0; i < s.oh; ++i, g += s.ow, places += s.ow, left -= s.ow) {
      float *top = x + 2 * i * s.w, *bottom = top + s.w;
      if (s.w <= lanes && left >= lanes && end - bottom >= lanes) {
        scatter_narrow_2x2(g, places, inside, top, bottom);
        continue;
      }
      for (int row = 0; row < 2; ++row) {
        float* out = row ? bottom : top;
        scatter_row_2x2(g, places, row, s.ow, s.w <= lanes ? s.ow : left, out);
        if (s.w % 2) out[s.w - 1] = 0;
      }
    }
    if (s.h % 2) std::fill_n(x + (s.h - 1) * s.w, s.w, 0.f);
  }
}

template <class T, class P>
void pool_plane(const PoolShape& s, const T* x, T* y, P* places) {
  for (long i = 0, k = 0; i < s.oh; ++i)
    for (long j = 0; j < s.ow; ++j, ++k) {
      const long top = i * s.sh - s.ph, left = j * s.sw - s.pw;
      const long a0 = std::max(0l, -top), a1 = std::min(s.kh, s.h - top);
      const long b0 = std::max(0l, -left), b1 = std::min(s.kw, s.w - left);
      T best = x[(top + a0) * s.w + left + b0];
      long place = a0 * s.kw + b0;
      for (long a = a0; a < a1; ++a)
        for (long b = b0; b < b1; ++b) {
          const T v = x[(top + a) * s.w + left + b];
          if (better(v, best)) best = v, place = a * s.kw + b;
        }
      y[k] = best;
      places[k] = P(place);
    }
}

/// Without padding: as many windows at a time as a pack has lanes, across rows and planes.
template <class T, class P>
void pool_inside(const PoolShape& s, long planes, const T* x, T* y, P* places) {
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
    Numbers place{}, number{};
    for (long a = 0; a < s.kh; ++a)
      for (long b = 0; b < s.kw; ++b, number += 1) {
        const Pack v = gather(a * s.w + b);
        const Numbers wins = better(v, best);
        best = choose(wins, v, best);
        place = choose(wins, number, place);
      }
    for (long l = 0; l < count; ++l) y[l] = best[l], places[l] = P(place[l]);
    y += count, places += count, count = 0;
  };
  for (long plane = 0; plane < planes; ++plane, x += s.h * s.w)
    for (long i = 0; i < s.oh; ++i)
      for (long j = 0; j < s.ow; ++j) {
        at[count++] = x + i * s.sh * s.w + j * s.sw;
        if (count == width) flush();
      }
  if (count) flush();
}

template <class T, class P>
void scatter_plane(const PoolShape& s, const T* g, const P* places, T* x) {
  const long pixels = s.h * s.w;
  if (s.kh <= s.sh && s.kw <= s.sw) {  // no two windows meet
    std::fill_n(x, pixels, T(0));
    return each_place(s, places, [&](long k, long offset) { x[offset] += g[k]; });
  }
  const Room<WideSum<T>> sums(pixels);
  std::fill_n(sums.data(), pixels, WideSum<T>());
  each_place(s, places, [&](long k, long offset) { sums[offset].add(g[k]); });
  for (long i = 0; i < pixels; ++i) x[i] = rounded<T>(sums[i]);
}

}  // namespace

std::pair<Array, Array> max_pool(const Array& x, const PoolShape& s) {
  const profile::Scope scope("max_pool2d {}", x.shape());
  evaluate(x);  // before there is room for the result: what it is made of may go
  Array y({s.n, s.c, s.oh, s.ow}, x.dtype());
  Array places(y.shape(), s.kh * s.kw <= 256 ? DType::u8 : DType::i64);
  dispatch_types(x.dtype(), places.dtype(), [&]<class T, class P>() {
    const long pixels = s.h * s.w, windows = s.oh * s.ow;
    each_range(s, [&, elements = x.data<T>(), largest = y.mutable_data<T>(), at = places.mutable_data<P>()](
                      long first, long count) {
      const T* in = elements + first * pixels;
      T* out = largest + first * windows;
      P* place = at + first * windows;
      if constexpr (std::is_same_v<T, float> && std::is_same_v<P, std::uint8_t>)
        if (is_2x2(s)) return pool_2x2(s, count, in, out, place);
      if (s.ph == 0 && s.pw == 0) return pool_inside(s, count, in, out, place);
      for (long plane = 0; plane < count; ++plane)
        pool_plane(s, in + plane * pixels, out + plane * windows, place + plane * windows);
    });
  });
  return {y, places};
}

Array pool_gather(const Array& x, const Array& places, const PoolShape& s) {
  const profile::Scope scope("max_pool2d {}, second order", x.shape());
  evaluate(x);  // before there is room for the result: what it is made of may go
  Array y({s.n, s.c, s.oh, s.ow}, x.dtype());
  dispatch_types(x.dtype(), places.dtype(), [&]<class T, class P>() {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    const P* at = places.data<P>();
    const long pixels = s.oh * s.ow;
    each_range(s, [&](long first, long count) {
      for (long plane = first; plane < first + count; ++plane)
        each_place(s, at + plane * pixels, [&, base = in + plane * s.h * s.w](long k, long offset) {
          out[plane * pixels + k] = base[offset];
        });
    });
  });
  return y;
}

Array pool_scatter(const Array& g, const Array& places, const PoolShape& s) {
  const profile::Scope scope("max_pool2d {}, gradient", g.shape());
  evaluate(g);
  Array x({s.n, s.c, s.h, s.w}, g.dtype());
  dispatch_types(g.dtype(), places.dtype(), [&]<class T, class P>() {
    const T* in = g.data<T>();
    T* out = x.mutable_data<T>();
    const P* at = places.data<P>();
    const long pixels = s.oh * s.ow;
    each_range(s, [&](long first, long count) {
      if constexpr (std::is_same_v<T, float> && std::is_same_v<P, std::uint8_t>)
        if (is_2x2(s))
          return scatter_2x2(s, count, in + first * pixels, at + first * pixels, out + first * s.h * s.w);
      for (long plane = first; plane < first + count; ++plane)
        scatter_plane(s, in + plane * pixels, at + plane * pixels, out + plane * s.h * s.w);
    });
  });
  return x;
}

}  // namespace xgrad::kernels
