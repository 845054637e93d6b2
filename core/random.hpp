#pragma once
// Random numbers by counter: a seed and a position fix every one of them, whatever the number of threads.
#include <cstdint>
#include <vector>

#include "core/array.hpp"

namespace xgrad {

/// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011; the Random123
/// library). f32 and f64 draws from the same state agree up to rounding. The state is (seed, position), to be
/// saved and restored.
class Generator {
 public:
  /// The sequence that `seed` fixes, from `position` on.
  explicit Generator(std::uint64_t seed = 0, std::uint64_t position = 0) : seed_(seed), position_(position) {}
  /// Which sequence it is.
  std::uint64_t seed() const { return seed_; }
  /// Where in the sequence the next draw begins. A single draw moves it on by 1, an array by 1 for two
  /// elements.
  std::uint64_t position() const { return position_; }

  /// The next 64 bits.
  std::uint64_t next();
  /// An integer in [0, bound).
  std::int64_t below(std::int64_t bound);
  /// A number in [0, 1).
  double uniform();
  /// 0 ... n - 1 in random order.
  std::vector<std::int64_t> permutation(std::int64_t n);

  /// Numbers uniform in [low, high).
  Array uniform(const Shape& shape, double low = 0, double high = 1, DType dtype = DType::f32);
  /// Normally distributed numbers (Box and Muller, in double).
  Array normal(const Shape& shape, double mean = 0, double std = 1, DType dtype = DType::f32);
  /// 1 with probability p, else 0.
  Array bernoulli(const Shape& shape, double p, DType dtype = DType::f32);
  /// Integers in [low, high) as i64.
  Array integers(const Shape& shape, std::int64_t low, std::int64_t high);

 private:
  std::uint64_t seed_, position_;  // a position is a block of two 64-bit numbers
};

/// The generator that dropout and the initialisers use where none is given.
Generator& default_generator();
/// Starts the default generator afresh: the same seed, the same run.
void manual_seed(std::uint64_t seed);

}  // namespace xgrad
