// Philox by Random123, turned into distributions.
#include <xgrad/core/array/random.hpp>

#include <Random123/philox.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <mutex>
#include <new>
#include <numbers>
#include <numeric>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/fork.hpp>
#include <xgrad/core/base/profile.hpp>
#include <xgrad/core/base/threads.hpp>

namespace xgrad {
namespace {

__extension__ using Wide = unsigned __int128;
std::uint64_t scale_below(std::uint64_t bits, std::uint64_t bound) {
  return std::uint64_t(Wide(bits) * bound >> 64);
}

struct Block {
  std::uint64_t bits[2];
};
/// What a position of a generator holds.
Block block(std::uint64_t seed, std::uint64_t stream, std::uint64_t position) {
  using Philox = r123::Philox4x32;
  const auto low = [](std::uint64_t v) { return std::uint32_t(v); };
  const auto high = [](std::uint64_t v) { return std::uint32_t(v >> 32); };
  const Philox::ctr_type counter{{low(position), high(position), low(stream), high(stream)}};
  const Philox::key_type key{{low(seed), high(seed)}};
  const auto r = Philox()(counter, key);
  return {{r[0] | std::uint64_t(r[1]) << 32, r[2] | std::uint64_t(r[3]) << 32}};
}

/// In [0, 1) with as many bits as T holds, so that rounding never gives 1.
template <class T>
T unit(std::uint64_t bits) {
  if constexpr (std::is_same_v<T, float>)
    return float(bits >> 40) * 0x1p-24f;
  else
    return double(bits >> 11) * 0x1p-53;
}

/// Fills an array with pairs f(block) -> two values, and moves the position on.
template <class T, class F>
Array draw(const char* op, const Shape& shape, const Generator& g, std::uint64_t& position, F f) {
  const profile::Scope scope("random numbers {}", shape);
  check_shape(op, shape, sizeof(T));
  Array result(shape, dtype_of<T>);
  T* out = result.mutable_data<T>();
  const long n = result.size(), blocks = (n + 1) / 2;
  const auto seed = g.seed(), stream = g.stream(), at = position;
  threads::for_ranges(blocks, 1 << 12, [&](long first, long last) {
    for (long i = first; i < last; ++i) {
      const auto [a, b] = f(block(seed, stream, at + std::uint64_t(i)));
      out[2 * i] = a;
      if (2 * i + 1 < n) out[2 * i + 1] = b;
    }
  });
  position += std::uint64_t(blocks);
  return result;
}

void check_floating(const char* what, DType dtype) {
  expect(is_f32_or_f64(dtype), "{}: makes f32 or f64, not {}", what, dtype);
}

}  // namespace

std::uint64_t Generator::next() { return block(seed_, stream_, position_++).bits[0]; }
std::int64_t Generator::below(std::int64_t bound) {
  expect(bound > 0, "random: the range [0, {}) is empty", bound);
  return std::int64_t(scale_below(next(), std::uint64_t(bound)));
}
double Generator::uniform() { return unit<double>(next()); }

std::vector<std::int64_t> Generator::permutation(std::int64_t n) {
  expect(n >= 0, "permutation: the length {} is negative", n);
  check_shape("permutation", {n}, sizeof(std::int64_t));
  std::vector<std::int64_t> order;
  try {
    order.resize(static_cast<std::size_t>(n));
  } catch (const std::bad_alloc&) {
    fail("permutation: out of memory for {} numbers", n);
  }
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = n - 1; i > 0; --i) std::swap(order[std::size_t(i)], order[std::size_t(below(i + 1))]);
  return order;
}

Array Generator::uniform(const Shape& shape, double low, double high, DType dtype) {
  check_floating("uniform", dtype);
  return dispatch_floating(dtype, [&]<class T>() {
    expect(low <= high && high - low < INFINITY && std::isfinite(T(low)) && std::isfinite(T(high)),
           "uniform: [{}, {}) is not a range of {}", low, high, dtype);
    const T last = std::nextafter(T(high), T(low));  // rounding may reach `high`, which is not in the range
    auto scale = [=](std::uint64_t bits) {
      const T x = T(low + (high - low) * unit<T>(bits));
      return x == T(high) ? last : x;
    };
    return draw<T>("uniform", shape, *this, position_,
                   [=](Block b) { return std::pair(scale(b.bits[0]), scale(b.bits[1])); });
  });
}

Array Generator::normal(const Shape& shape, double mean, double std, DType dtype) {
  check_floating("normal", dtype);
  expect(std::isfinite(mean), "normal: the mean is {}, not finite", mean);
  expect(std >= 0 && std < INFINITY, "normal: std is {}, not in [0, inf)", std);
  return dispatch_floating(dtype, [&]<class T>() {
    return draw<T>("normal", shape, *this, position_, [=](Block b) {
      const double radius = std::sqrt(-2 * std::log1p(-unit<double>(b.bits[0])));
      const double angle = 2 * std::numbers::pi * unit<double>(b.bits[1]);
      return std::pair(T(mean + std * radius * std::cos(angle)), T(mean + std * radius * std::sin(angle)));
    });
  });
}

Array Generator::bernoulli(const Shape& shape, double p, DType dtype) {
  check_floating("bernoulli", dtype);
  expect(p >= 0 && p <= 1, "bernoulli: {} is not a probability", p);
  return dispatch_floating(dtype, [&]<class T>() {
    auto flip = [=](std::uint64_t bits) { return T(unit<double>(bits) < p); };
    return draw<T>("bernoulli", shape, *this, position_,
                   [=](Block b) { return std::pair(flip(b.bits[0]), flip(b.bits[1])); });
  });
}

Array Generator::integers(const Shape& shape, std::int64_t low, std::int64_t high) {
  expect(low < high, "integers: the range [{}, {}) is empty", low, high);
  // Unsigned, since the range may be longer than an integer can be.
  const std::uint64_t start = std::uint64_t(low), range = std::uint64_t(high) - start;
  auto pick = [=](std::uint64_t bits) { return std::int64_t(start + scale_below(bits, range)); };
  return draw<std::int64_t>("integers", shape, *this, position_,
                            [=](Block b) { return std::pair(pick(b.bits[0]), pick(b.bits[1])); });
}

namespace {

/// Whether this is the process's first thread, whichever one has loaded the library.
bool is_main_thread() { return gettid() == getpid(); }
thread_local detail::ThreadGenerator own;

/// The process's seed, and how often it has been set: a thread whose generator is older starts afresh.
struct {
  std::mutex mutex;
  std::uint64_t seed = 0;
  std::atomic<std::uint64_t> count{1};
} seeding;
const bool kept = (threads::keep_over_fork(seeding.mutex), true);

detail::ThreadGenerator fresh(std::uint64_t stream) {
  const std::lock_guard lock(seeding.mutex);
  return {Generator(seeding.seed, 0, stream), stream, seeding.count.load()};
}

}  // namespace

Generator& default_generator() {
  if (!own.replayed && own.seeding != seeding.count.load(std::memory_order_acquire)) {
    expect(own.seeding || is_main_thread(),
           "random: this thread has no stream of random numbers; say which: RandomStream stream(id), with an "
           "id of its own from 1 on");
    own = fresh(own.stream);
  }
  return own.generator;
}

detail::ThreadGenerator& detail::thread_generator() {
  if (own.seeding || is_main_thread()) default_generator();  // follows manual_seed
  return own;
}

void manual_seed(std::uint64_t seed) {
  const std::lock_guard lock(seeding.mutex);
  seeding.seed = seed;
  ++seeding.count;
}

RandomStream::RandomStream(std::uint64_t id) : generator_(own, fresh(id)) {
  expect(id != 0, "random: stream 0 is the main thread's; others have ids from 1 on");
}

}  // namespace xgrad
