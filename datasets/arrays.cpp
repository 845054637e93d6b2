// Arrays: rows of them, and their division into parts.
#include <xgrad/datasets/arrays.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>

namespace xgrad::detail {

long common_length(std::span<const Array> arrays) {
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const Array& array = arrays[i];
    expect(array.defined(), "Arrays: array {} is undefined", i);
    expect(array.rank() > 0,
           "Arrays: array {} is a scalar; the first axis of each array is that of the samples", i);
    expect(array.dim(0) == arrays[0].dim(0),
           "Arrays: array {} has shape {}, but array 0 {}: the first axes, those of the samples, must be "
           "equally long",
           i, array.shape(), arrays[0].shape());
  }
  return arrays[0].dim(0);
}

Array select_rows(const Array& from, std::span<const std::int64_t> indices, bool alone) {
  const long n = long(indices.size()), length = from.dim(0);
  for (const auto index : indices)
    expect(0 <= index && index < length, "select: sample {} is out of range for {} samples", index, length);
  Shape shape = from.shape();
  shape[0] = n;
  Array to(shape, from.dtype());
  if (to.size() == 0) return to;
  const long row = from.byte_size() / length;
  const char* in = from.bytes();
  char* out = to.mutable_bytes();
  const long grain = alone ? n : std::max(1l, 131072 / std::max(1l, row));
  threads::for_ranges(n, grain, [&](long first, long last) {
    for (long i = first; i < last; ++i)
      std::memcpy(out + i * row, in + indices[std::size_t(i)] * row, std::size_t(row));
  });
  return to;
}

std::vector<std::vector<std::int64_t>> split_indices(long n, std::span<const long> lengths,
                                                     std::uint64_t seed) {
  long sum = 0;
  for (const long length : lengths) {
    expect(0 <= length && length <= n, "random_split: a part of {} samples, of {}", length, n);
    sum += length;
  }
  expect(sum == n, "random_split: the lengths sum to {}, but there are {} samples", sum, n);
  // A quarter of the generator's positions of its own: a Loader of the same seed draws other numbers.
  const auto order = Generator(seed, 1ull << 62).permutation(n);
  std::vector<std::vector<std::int64_t>> parts;
  auto from = order.begin();
  for (const long length : lengths) {
    parts.emplace_back(from, from + length);
    from += length;
  }
  return parts;
}

std::vector<std::vector<std::int64_t>> split_indices(long n, std::span<const double> shares,
                                                     std::uint64_t seed) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.);
  expect(std::abs(sum - 1) < 1e-9, "random_split: the shares sum to {}, not to 1", sum);
  std::vector<long> lengths;
  for (const double share : shares) {
    expect(share >= 0, "random_split: a share is {}, not in [0, 1]", share);
    lengths.push_back(long(double(n) * share * (1 + 1e-12)));  // .29 of 100 are 29, not 28.999999999999996
  }
  const long rest = n - std::accumulate(lengths.begin(), lengths.end(), 0l);
  for (long i = 0; i < rest; ++i) ++lengths[std::size_t(i) % lengths.size()];
  return split_indices(n, lengths, seed);
}

}  // namespace xgrad::detail
