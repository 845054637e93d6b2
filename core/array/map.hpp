#pragma once
// map: a generic lambda over packs becomes an elementwise operation on arrays, fused with its neighbours.
#include <utility>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/array/pack.hpp>

namespace xgrad {
namespace lazy {

template <class T, class F, std::size_t... I>
inline void run_step(void* out, const Arg* in, long n, bool non_temporal, std::index_sequence<I...>) {
  using Pack = xsimd::batch<T>;
  constexpr long lanes = Pack::size;
  T* o = static_cast<T*>(out);
  const T* p[] = {
      static_cast<const T*>(in[I].data)...};  // locals: a store may alias in[], which would be read again
  const std::ptrdiff_t stride[] = {in[I].stride * lanes...};
#pragma GCC unroll 4
  for (long i = 0; i < n; i += lanes) {
    const Pack result(F{}(Pack::load_aligned(p[I])...));
    if (non_temporal)
      pack::store_non_temporal(result, o + i);
    else
      result.store_aligned(o + i);
    ((p[I] += stride[I]), ...);
  }
}
template <class T, class F, int N>
void step(void* out, const Arg* in, long n, bool non_temporal) {
  run_step<T, F>(out, in, n, non_temporal, std::make_index_sequence<std::size_t(N)>{});
}

template <class F, int N>
inline constexpr StepFns floating_steps{step<float, F, N>, step<double, F, N>, nullptr};
template <class F, int N>
inline constexpr StepFns all_steps{step<float, F, N>, step<double, F, N>, step<std::int64_t, F, N>};
/// Of an F that gives 1 or 0.
template <class F, int N>
inline constexpr StepFns predicate_steps{step<float, F, N>, step<double, F, N>, step<std::int64_t, F, N>,
                                         true};

}  // namespace lazy

/// f(x...) for each element, broadcast; f is a lambda without captures that takes and returns SIMD packs of
/// float or double: `map("tanh", [](auto v) { using std::tanh; return tanh(v); }, x)`. core/array/pack.hpp
/// has select and mask for conditions. Throws Error that names `op` on shapes that do not broadcast, and on
/// integers.
template <class F, class... Arrays>
Array map(const char* op, F, const Arrays&... x) {
  static_assert(sizeof...(x) <= max_inputs);
  Array in[] = {x...};
  return lazy::map(op, lazy::floating_steps<F, sizeof...(x)>, in, sizeof...(x));
}
/// The same for an f that is also defined for 64-bit integers.
template <class F, class... Arrays>
Array map_numeric(const char* op, F, const Arrays&... x) {
  static_assert(sizeof...(x) <= max_inputs);
  Array in[] = {x...};
  return lazy::map(op, lazy::all_steps<F, sizeof...(x)>, in, sizeof...(x));
}

}  // namespace xgrad
