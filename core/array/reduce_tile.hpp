#pragma once
// Sums, maxima and minima of a tile (private to core/array/program.cpp).
#include <limits>
#include <xsimd/xsimd.hpp>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/array/pack.hpp>
#include <xgrad/core/array/walk.hpp>
#include <xgrad/core/array/wide_pack.hpp>
#include <xgrad/core/array/wide_sum.hpp>

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

/// What elements of T are reduced into, one by one or after others have been.
template <ReduceKind R, class T>
struct Accumulator {
  T value = identity<T>(R);
  void add(T x) { value = combine<R>(value, x); }
  void add(const Accumulator& other) { add(other.value); }
};
template <class T>
struct Accumulator<ReduceKind::sum, T> : WideSum<T> {};

template <ReduceKind R, class T>
T result(const Accumulator<R, T>& x) {
  if constexpr (R == ReduceKind::sum)
    return rounded<T>(x);
  else
    return x.value;
}

/// The sum of n floating-point numbers, with an error below 4 u sum |x|: four packs are added as a tree, in
/// f32 its halves too, before they are added up in a wide sum. (Measured: as fast from memory as plain
/// sums.)
template <class T>
WideSum<T> sum_run(const T* a, long n) {
  constexpr bool narrow = std::is_same_v<T, float>;
  constexpr int width = 64 / int(sizeof(T));
  using Wide = WidePack<double>;
  std::conditional_t<narrow, PlainSum<Wide>, CompensatedSum<Wide>> sums;
  auto load = [a](long i) { return WidePack<T>(*reinterpret_cast<const LooseWidePack<T>*>(a + i)); };
  long i = 0;
  for (; i + 4 * width <= n; i += 4 * width) {
    const auto four = (load(i) + load(i + width)) + (load(i + 2 * width) + load(i + 3 * width));
    if constexpr (narrow)
      sums.add(add_halves(four));
    else
      sums.add(four);
  }
  for (; i + 8 <= n; i += 8) sums.add(eight_doubles(a + i));
  WideSum<T> result;
  for (int k = 0; k < 8 && i > 0; ++k)
    if constexpr (narrow)
      result.add(sums.total[k]);
    else
      result.add({sums.total[k], sums.lost[k]});
  for (; i < n; ++i) result.add(a[i]);
  return result;
}

template <ReduceKind R, class T>
auto reduce_run(const T* a, long n) {
  if constexpr (R == ReduceKind::sum && std::is_floating_point_v<T>) {
    return sum_run(a, n);
  } else {
    using Pack = xsimd::batch<T>;
    constexpr long lanes = Pack::size;
    T result = identity<T>(R);
    long i = 0;
    if (n >= lanes) {
      Pack packs[4];
      std::fill_n(packs, 4, Pack(identity<T>(R)));
      for (; i + 4 * lanes <= n; i += 4 * lanes)
        for (int k = 0; k < 4; ++k) packs[k] = combine<R>(packs[k], Pack::load_unaligned(a + i + k * lanes));
      for (; i + lanes <= n; i += lanes) packs[0] = combine<R>(packs[0], Pack::load_unaligned(a + i));
      T lane[lanes];
      combine<R>(combine<R>(packs[0], packs[1]), combine<R>(packs[2], packs[3])).store_unaligned(lane);
      for (T x : lane) result = combine<R>(result, x);
    }
    for (; i < n; ++i) result = combine<R>(result, a[i]);
    return result;
  }
}

/// Takes a tile into the accumulators, the first of which is that of element `origin` of the operand as it is
/// walked. `value` is constant over the tile when its stride is 0.
template <ReduceKind R, class T>
void reduce_tile(const Walk& walk, Arg value, long first, long n, Accumulator<R, T>* into, long origin) {
  T constant[tile_size];
  const T* v = static_cast<const T*>(value.data);
  if (value.stride == 0) {
    std::fill_n(constant, n, v[0]);
    v = constant;
  }
  for_runs(walk.dims, walk.strides, first, n, [&](long at, long offset, long stride, long count) {
    Accumulator<R, T>* to = into + (offset - origin);
    if (stride) {
      for (long i = 0; i < count; ++i) to[i].add(v[at + i]);
      return;
    }
    for (const long end = at + count; at < end;) {  // in pieces that do not depend on the tile's length
      const long next = std::min(end, (at / tile_size + 1) * tile_size);
      to->add(reduce_run<R>(v + at, next - at));
      at = next;
    }
  });
}

}  // namespace xgrad::lazy
