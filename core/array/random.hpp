#pragma once
// Random numbers by counter: a seed, a stream and a position fix every one of them, whatever the number of
// threads.
#include <cstdint>
#include <vector>

#include <xgrad/core/array/array.hpp>
#include <xgrad/core/base/scoped.hpp>

namespace xgrad {

/// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011; the Random123
/// library). f32 and f64 draws from the same state agree up to rounding. The state is (seed, position,
/// stream), to be saved and restored.
class Generator {
 public:
  /// The sequence that `seed` and `stream` fix, from `position` on. Streams of a seed have no numbers in
  /// common but by chance.
  explicit Generator(std::uint64_t seed = 0, std::uint64_t position = 0, std::uint64_t stream = 0)
      : seed_(seed), position_(position), stream_(stream) {}
  ///@{
  /// Which sequence it is.
  std::uint64_t seed() const { return seed_; }
  std::uint64_t stream() const { return stream_; }
  ///@}
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

  /// Numbers uniform in [low, high), all of them low where the two are equal. Throws Error for a range that
  /// is empty or that the dtype cannot hold.
  Array uniform(const Shape& shape, double low = 0, double high = 1, DType dtype = DType::f32);
  /// Normally distributed numbers (Box and Muller, in double). Throws Error for a mean or std that is not
  /// finite, and for a negative std.
  Array normal(const Shape& shape, double mean = 0, double std = 1, DType dtype = DType::f32);
  /// 1 with probability p, else 0.
  Array bernoulli(const Shape& shape, double p, DType dtype = DType::f32);
  /// Integers in [low, high) as i64.
  Array integers(const Shape& shape, std::int64_t low, std::int64_t high);

 private:
  std::uint64_t seed_, position_, stream_;  // a position is a block of two 64-bit numbers
};

namespace detail {
/// A thread's default generator.
struct ThreadGenerator {
  Generator generator;
  std::uint64_t stream = 0;   // what seeding gives it
  std::uint64_t seeding = 0;  // which call of manual_seed it follows; 0: not seeded yet
  bool replayed = false;      // draws again what was drawn before: manual_seed does not matter
};
/// This thread's as default_generator() leaves it, or one that is not seeded yet.
ThreadGenerator& thread_generator();
}  // namespace detail

/// The generator that dropout and the initialisers use where none is given. Each thread has its own: the main
/// thread that of stream 0, another one that of its RandomStream. Throws Error on a thread without either,
/// since what it draws would depend on which thread comes first.
Generator& default_generator();
/// Starts the default generators of all threads afresh, each with its own stream: the same seed, the same
/// run. Threads that draw meanwhile notice at their next call of default_generator().
void manual_seed(std::uint64_t seed);

/// While one is alive, this thread's default generator draws from the stream of that id, from its start:
/// `RandomStream stream(1 + worker);`. Then the thread goes on as before. It must end on its own thread, and
/// of several the last one first, as local variables do. Two threads that draw from one id get the same
/// numbers, whatever the operating system's own numbering of threads.
class [[nodiscard]] RandomStream {
 public:
  /// Throws Error for 0, which is the main thread's.
  explicit RandomStream(std::uint64_t id);

 private:
  Scoped<detail::ThreadGenerator> generator_;
};

}  // namespace xgrad
