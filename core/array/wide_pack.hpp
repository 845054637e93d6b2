#pragma once
// Packs of 64 bytes on any processor: one register, or several where registers are shorter
// (private to the library).
#include <type_traits>
#include <utility>

namespace xgrad {

#define XGRAD_UNROLL _Pragma("GCC unroll 36")
#define XGRAD_INLINE inline __attribute__((always_inline))

#if defined __AVX512F__ || defined __clang__  // which splits longer vectors well
#define XGRAD_ONE_REGISTER
inline constexpr int register_bytes = 64;
#elif defined __AVX2__
inline constexpr int register_bytes = 32;
#else
inline constexpr int register_bytes = 16;
#endif

namespace detail {

template <class T, int bytes>
struct Vector {
  typedef T type __attribute__((vector_size(bytes)));
  typedef T Loose __attribute__((vector_size(bytes), aligned(sizeof(T)), may_alias));  // anywhere in memory
};

/// Several registers with the operators of GCC's vectors. (GCC keeps vectors that no register holds in
/// memory.)
template <class T>
struct __attribute__((may_alias)) Registers {
  static constexpr int count = 64 / register_bytes;
  using Mask = Registers<std::conditional_t<sizeof(T) == 8, long, int>>;
  typename Vector<T, register_bytes>::type part[count];

  T& operator[](long i) { return reinterpret_cast<T*>(this)[i]; }

#define XGRAD_OPERATOR(op, Result)                                                                  \
  friend XGRAD_INLINE Result operator op(const Registers& a, const Registers& b) {                  \
    Result r;                                                                                       \
    XGRAD_UNROLL for (int i = 0; i < count; ++i) r.part[i] = a.part[i] op b.part[i];                \
    return r;                                                                                       \
  }                                                                                                 \
  friend XGRAD_INLINE Result operator op(const Registers& a, T b) { return a op(b - Registers{}); } \
  friend XGRAD_INLINE Result operator op(T a, const Registers& b) {                                 \
    Result r;                                                                                       \
    XGRAD_UNROLL for (int i = 0; i < count; ++i) r.part[i] = a op b.part[i];                        \
    return r;                                                                                       \
  }
  XGRAD_OPERATOR(+, Registers)
  XGRAD_OPERATOR(-, Registers)
  XGRAD_OPERATOR(*, Registers)
  XGRAD_OPERATOR(&, Registers)
  XGRAD_OPERATOR(|, Registers)
  XGRAD_OPERATOR(==, Mask)
  XGRAD_OPERATOR(!=, Mask)
  XGRAD_OPERATOR(>, Mask)
#undef XGRAD_OPERATOR
  template <class B>
  XGRAD_INLINE Registers& operator+=(const B& b) {
    return *this = *this + b;
  }
};

/// The same anywhere in memory.
template <class T>
struct __attribute__((may_alias)) LooseRegisters {
  typename Vector<T, register_bytes>::Loose part[Registers<T>::count];
  XGRAD_INLINE operator Registers<T>() const {
    Registers<T> r;
    XGRAD_UNROLL for (int i = 0; i < r.count; ++i) r.part[i] = part[i];
    return r;
  }
  XGRAD_INLINE LooseRegisters& operator=(const Registers<T>& x) {
    XGRAD_UNROLL for (int i = 0; i < x.count; ++i) part[i] = x.part[i];
    return *this;
  }
};

}  // namespace detail

/// One register of T, and the same anywhere in memory.
template <class T>
using Register = typename detail::Vector<T, register_bytes>::type;
template <class T>
using LooseRegister = typename detail::Vector<T, register_bytes>::Loose;

/// Keeps a value where it is: GCC would rather read its memory again for each of its uses.
template <class V>
XGRAD_INLINE void keep_in_register([[maybe_unused]] V& v) {
#if defined __x86_64__ && !defined XGRAD_ONE_REGISTER
  asm("" : "+x"(v));
#endif
}

/// 64 bytes of T, aligned to as many, with arithmetic and comparisons, whose results have all bits set or
/// none. LooseWidePack is the same anywhere in memory, to be converted and assigned.
#if defined XGRAD_ONE_REGISTER
template <class T>
using WidePack = typename detail::Vector<T, 64>::type;
template <class T>
using LooseWidePack = typename detail::Vector<T, 64>::Loose;
#else
template <class T>
using WidePack = detail::Registers<T>;
template <class T>
using LooseWidePack = detail::LooseRegisters<T>;
#endif

///@{
/// a in the lanes where the comparison holds, else b.
template <class Mask, class V>
XGRAD_INLINE V choose(const Mask& mask, const V& a, const V& b) {
  return mask ? a : b;
}
template <class Mask, class T>
XGRAD_INLINE detail::Registers<T> choose(const Mask& mask, const detail::Registers<T>& a,
                                         const detail::Registers<T>& b) {
  detail::Registers<T> r;
  XGRAD_UNROLL for (int i = 0; i < r.count; ++i) r.part[i] = mask.part[i] ? a.part[i] : b.part[i];
  return r;
}
///@}

/// The bits of numbers as integers.
XGRAD_INLINE WidePack<int> bits_of(const WidePack<float>& x) {
#if defined XGRAD_ONE_REGISTER
  return WidePack<int>(x);
#else
  WidePack<int> r;
  XGRAD_UNROLL for (int i = 0; i < r.count; ++i) r.part[i] =
      std::remove_reference_t<decltype(r.part[i])>(x.part[i]);
  return r;
#endif
}

/// Element i and element i + 8 added, for i from 0 to 7, as doubles.
XGRAD_INLINE WidePack<double> add_halves(const WidePack<float>& x) {
#if defined XGRAD_ONE_REGISTER
  const auto low = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7);
  const auto high = __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  return __builtin_convertvector(low + high, WidePack<double>);
#else
  WidePack<double> r;
  constexpr int half = x.count / 2;
  using Part = std::remove_reference_t<decltype(r.part[0])>;
  XGRAD_UNROLL for (int i = 0; i < half; ++i) {
    const auto sum = x.part[i] + x.part[i + half];
#if defined __AVX2__
    r.part[2 * i] = __builtin_convertvector(__builtin_shufflevector(sum, sum, 0, 1, 2, 3), Part);
    r.part[2 * i + 1] = __builtin_convertvector(__builtin_shufflevector(sum, sum, 4, 5, 6, 7), Part);
#else
    r.part[2 * i] = Part{sum[0], sum[1]}, r.part[2 * i + 1] = Part{sum[2], sum[3]};
#endif
  }
  return r;
#endif
}

/// Eight numbers as doubles.
template <class T>
XGRAD_INLINE WidePack<double> eight_doubles(const T* from) {
  using Wide = WidePack<double>;
#if defined XGRAD_ONE_REGISTER
  return __builtin_convertvector(
      *reinterpret_cast<const typename detail::Vector<T, 8 * int(sizeof(T))>::Loose*>(from), Wide);
#else
  Wide r;
  using Part = std::remove_reference_t<decltype(r.part[0])>;
  constexpr int width = 8 / Wide::count;
  using Some = typename detail::Vector<T, width* int(sizeof(T))>::Loose;
  XGRAD_UNROLL for (int i = 0; i < Wide::count; ++i) r.part[i] =
      __builtin_convertvector(*reinterpret_cast<const Some*>(from + i * width), Part);
  return r;
#endif
}

/// Takes the elements of two packs, numbered through, by those numbers.
template <int... from>
struct Shuffle {
  template <class V>
  static XGRAD_INLINE V of(const V& left, const V& right) {
    return __builtin_shufflevector(left, right, from...);
  }
  template <class T>
  static XGRAD_INLINE detail::Registers<T> of(const detail::Registers<T>& left,
                                              const detail::Registers<T>& right) {
    return [&]<int... part>(std::integer_sequence<int, part...>) {
      return detail::Registers<T>{{some<part>(left, right, std::make_integer_sequence<int, width<T>>())...}};
    }
    (std::make_integer_sequence<int, detail::Registers<T>::count>());
  }

 private:
  static constexpr int lane[] = {from...};
  template <class T>
  static constexpr int width = register_bytes / int(sizeof(T));
  /// The registers, of those of both packs, that the lanes of one register of the result are taken from.
  template <int part, class T>
  static constexpr int first = lane[part * width<T>] / width<T>;
  template <int part, class T>
  static constexpr int second = [] {
    for (int i = 0; i < width<T>; ++i)
      if (const int of = lane[part * width<T> + i] / width<T>; of != first<part, T>) return of;
    return first<part, T>;
  }();
  template <int part, class T>
  static constexpr int place(int i) {
    const int of = lane[part * width<T> + i] / width<T>;
    return lane[part * width<T> + i] % width<T> + (of == first<part, T>    ? 0
                                                   : of == second<part, T> ? width<T>
                                                                           : 1 << 20);
  }
  template <int number, class T>
  static XGRAD_INLINE const auto& of_both(const detail::Registers<T>& left,
                                          const detail::Registers<T>& right) {
    constexpr int count = detail::Registers<T>::count;
    return number < count ? left.part[number % count] : right.part[number % count];
  }
  template <int part, class T, int... i>
  static XGRAD_INLINE auto some(const detail::Registers<T>& left, const detail::Registers<T>& right,
                                std::integer_sequence<int, i...>) {
    return __builtin_shufflevector(of_both<first<part, T>>(left, right),
                                   of_both<second<part, T>>(left, right), place<part, T>(i)...);
  }
};

}  // namespace xgrad
