#pragma once
// Arrays: samples in memory as arrays of any kind, and random_split, which divides data at random.
#include <array>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include <xgrad/core/array/array.hpp>

namespace xgrad {

namespace detail {

/// The data of an Array, or of anything that has a data() which is one, as a Variable.
template <class A>
const Array& array_of(const A& a) {
  if constexpr (std::is_same_v<A, Array>)
    return a;
  else
    return a.data();
}

/// The length that the first axes have in common. Throws Error when they differ, or an array has none.
long common_length(std::span<const Array> arrays);
/// The rows of the given indices along the first axis, in that order, copied on all threads or, `alone`, on
/// this one.
Array select_rows(const Array& from, std::span<const std::int64_t> indices, bool alone = false);
///@{
/// 0 ... n - 1 in random order, in parts of the given shares or lengths.
std::vector<std::vector<std::int64_t>> split_indices(long n, std::span<const double> shares,
                                                     std::uint64_t seed);
std::vector<std::vector<std::int64_t>> split_indices(long n, std::span<const long> lengths,
                                                     std::uint64_t seed);
///@}

}  // namespace detail

/// Samples as N arrays of any dtype and shape whose first axes have one length: `Arrays{x, y}`, the inputs
/// first and the target last. Also of Variables, whose data is taken. A value: copies share the data.
template <std::size_t N>
struct Arrays {
  /// Throws Error when an array is undefined or has no axis, and when the lengths of the first axes differ.
  template <class... A>
  requires(sizeof...(A) == N) explicit Arrays(const A&... given) : arrays{detail::array_of(given)...} {
    detail::common_length(arrays);
  }

  /// How many samples there are.
  long size() const { return arrays[0].dim(0); }
  /// The samples of the given indices, in that order, copied. Throws Error for an index out of range.
  Arrays select(std::span<const std::int64_t> indices) const {
    Arrays part = *this;
    for (Array& array : part.arrays) array = detail::select_rows(array, indices);
    return part;
  }

  std::array<Array, N> arrays;  ///< as given
};
/// The number of arrays follows from what is given.
/// As many as are given.
template <class... A>
Arrays(const A&...) -> Arrays<sizeof...(A)>;

/// Divides the samples of a Dataset or of Arrays at random: `auto [train, test] = random_split(data, {.8,
/// .2}, seed);`. The parts are shares, which sum to 1 and are rounded down, what is left going to the first
/// parts, one each; or lengths, which sum to data.size(): `random_split(data, {900, 100})`. The same seed
/// gives the same parts. Throws Error when the parts do not sum to the whole, or one is negative.
template <class Data, class Part, std::size_t K>
std::array<Data, K> random_split(const Data& data, const Part (&parts)[K], std::uint64_t seed = 0) {
  using Number = std::conditional_t<std::is_floating_point_v<Part>, double, long>;
  const std::vector<Number> given(parts, parts + K);
  const auto indices = detail::split_indices(data.size(), std::span<const Number>(given), seed);
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<Data, K>{data.select(indices[I])...};
  }
  (std::make_index_sequence<K>());
}

}  // namespace xgrad
