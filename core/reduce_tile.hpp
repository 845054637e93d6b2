#pragma once
// Sums, maxima and minima of a tile (private to core/program.cpp).
#include <limits>
#include <xsimd/xsimd.hpp>

#include "core/lazy.hpp"
#include "core/pack.hpp"
#include "core/walk.hpp"

namespace xgrad::lazy {

inline constexpr long tile_size = 1024;  // measured: 512 and 2048 are slower

template <ReduceKind R, class V>
V combine(const V& a, const V& b) {
  if constexpr (R == ReduceKind::sum) return a + b;
  if constexpr (R == ReduceKind::max) return pack::maximum(a, b);
  if constexpr (R == ReduceKind::min) return pack::minimum(a, b);
}
template <class T>
T identity(ReduceKind kind) {
  using Limits = std::numeric_limits<T>;
  if (kind == ReduceKind::sum) return T(0);
  if constexpr (Limits::has_infinity)
    return kind == ReduceKind::max ? -Limits::infinity() : Limits::infinity();
  return kind == ReduceKind::max ? Limits::lowest() : Limits::max();
}

template <ReduceKind R, class T>
T reduce_run(const T* a, long n) {
  using Pack = xsimd::batch<T>;
  constexpr long lanes = Pack::size;
  T result = identity<T>(R);
  long i = 0;
  if (n >= lanes) {
    Pack sums[4];
    std::fill_n(sums, 4, Pack(identity<T>(R)));
    for (; i + 4 * lanes <= n; i += 4 * lanes)
      for (int k = 0; k < 4; ++k) sums[k] = combine<R>(sums[k], Pack::load_unaligned(a + i + k * lanes));
    for (; i + lanes <= n; i += lanes) sums[0] = combine<R>(sums[0], Pack::load_unaligned(a + i));
    T lane[lanes];
    combine<R>(combine<R>(sums[0], sums[1]), combine<R>(sums[2], sums[3])).store_unaligned(lane);
    for (T x : lane) result = combine<R>(result, x);
  }
  for (; i < n; ++i) result = combine<R>(result, a[i]);
  return result;
}

/// to[i] = combine(to[i], from[i]).
template <ReduceKind R, class T>
void combine_each(T* __restrict to, const T* __restrict from, long n) {
  using Pack = xsimd::batch<T>;
  constexpr long lanes = Pack::size;
  long i = 0;
  for (; i + lanes <= n; i += lanes)
    combine<R>(Pack::load_unaligned(to + i), Pack::load_unaligned(from + i)).store_unaligned(to + i);
  for (; i < n; ++i) to[i] = combine<R>(to[i], from[i]);
}

/// Adds a tile to the accumulators. `value` is constant over the tile when its stride is 0.
template <ReduceKind R, class T>
void reduce_tile(const Walk& walk, Arg value, long first, long n, T* into) {
  T constant[tile_size];
  const T* v = static_cast<const T*>(value.data);
  if (value.stride == 0) {
    std::fill_n(constant, n, v[0]);
    v = constant;
  }
  for_runs(walk.dims, walk.strides, first, n, [&](long at, long offset, long stride, long count) {
    if (stride) return combine_each<R>(into + offset, v + at, count);
    for (const long end = at + count; at < end;) {  // in pieces that do not depend on the tile's length
      const long next = std::min(end, (at / tile_size + 1) * tile_size);
      into[offset] = combine<R>(into[offset], reduce_run<R>(v + at, next - at));
      at = next;
    }
  });
}

}  // namespace xgrad::lazy
