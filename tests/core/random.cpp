// Random numbers: Philox's known answers, reproducibility, moments, ranges.
#include <xgrad/core/array/random.hpp>

#include <Random123/philox.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

struct Moments {
  double mean = 0, std = 0, low = INFINITY, high = -INFINITY;
  explicit Moments(const Array& a) {
    for (double v : values(a)) {
      mean += v / double(a.size());
      std += v * v / double(a.size());
      low = std::min(low, v);
      high = std::max(high, v);
    }
    std = std::sqrt(std - mean * mean);
  }
};
constexpr long many = 1'000'000;  // a mean is then exact to some 0.003 standard deviations (3 sigma)

}  // namespace

TEST_CASE("random: the known answer of Philox 4x32-10 for counter 0 and key 0") {
  // kat_vectors of the Random123 library: 6627e8d5 e169c58d bc57ac4c 9b00dbd8
  CHECK(Generator(0).next() == 0xe169c58d'6627e8d5);
  CHECK(Generator(0).uniform({2}, 0, 1, DType::f64).item(1) == double(0x9b00dbd8'bc57ac4c >> 11) * 0x1p-53);
}

TEST_CASE("random: the installed Random123 gives its other known answers") {
  using Philox = r123::Philox4x32;
  const Philox::ctr_type counter{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}};
  const auto r = Philox()(counter, Philox::key_type{{0xa4093822, 0x299f31d0}});
  CHECK((r[0] == 0xd16cfe09 && r[1] == 0x94fdcceb && r[2] == 0x5001e420 && r[3] == 0x24126ea1));
}

TEST_CASE("random: seed is the key and position the counter, all 64 bits of both") {
  const auto r = r123::Philox4x32()({{0x89abcdef, 0x01234567, 0, 0}}, {{0x76543210, 0xfedcba98}});
  CHECK(Generator(0xfedcba98'76543210, 0x01234567'89abcdef).next() == (r[0] | std::uint64_t(r[1]) << 32));
}

TEST_CASE("random: the same seed gives the same numbers, another one others") {
  auto draw = [](std::uint64_t seed) { return Generator(seed).normal({1000}); };
  CHECK(same_bits(draw(5), draw(5)));
  CHECK_FALSE(same_bits(draw(5), draw(6)));
  Generator g(5);
  CHECK_FALSE(same_bits(g.normal({1000}), g.normal({1000})));
}

TEST_CASE("random: the state is seed and position") {
  for (long size : {0l, 1l, 2l, 7l}) {
    Generator g(9);
    g.uniform({size});
    g.below(10);
    Generator restored(g.seed(), g.position());
    CHECK(restored.next() == g.next());
    CHECK(same_bits(restored.normal({5}), g.normal({5})));
    CHECK(restored.position() == g.position());
  }
  Generator g(9, 3);
  g.uniform({7});
  CHECK(g.position() == 7);  // four blocks of two numbers
}

TEST_CASE("random: the default generator starts afresh with its seed") {
  const Generator before = default_generator();
  manual_seed(3);
  const Array a = default_generator().uniform({4});
  manual_seed(3);
  CHECK(same_bits(a, default_generator().uniform({4})));
  default_generator() = before;
}

TEST_CASE("random: the number of threads changes nothing") {
  Restore restore;
  auto draws = [](int count) {
    threads::set(count);
    Generator g(11);
    return std::vector{g.uniform({70'001}), g.normal({70'001}), g.bernoulli({70'001}, .3),
                       g.integers({70'001}, 0, 9)};
  };
  const auto one = draws(1), three = draws(3);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], three[i]));
}

TEST_CASE("random: f32 and f64 draws agree up to rounding") {
  CHECK(distance(Generator(1).uniform({1001}, -2, 3, DType::f32).cast(DType::f64),
                 Generator(1).uniform({1001}, -2, 3, DType::f64)) < 1e-6);
  CHECK(distance(Generator(1).normal({1001}, 1, 2, DType::f32).cast(DType::f64),
                 Generator(1).normal({1001}, 1, 2, DType::f64)) < 1e-6);
  CHECK(distance(Generator(1).bernoulli({1001}, .4, DType::f32).cast(DType::f64),
                 Generator(1).bernoulli({1001}, .4, DType::f64)) == 0);
}

TEST_CASE("random: moments and ranges of the distributions") {
  for (DType dtype : {DType::f32, DType::f64}) {
    const Moments u(Generator(1).uniform({many}, -1, 3, dtype));
    CHECK(std::abs(u.mean - 1) < .005);
    CHECK(std::abs(u.std - 4 / std::sqrt(12)) < .005);
    CHECK((u.low >= -1 && u.low < -.999 && u.high < 3 && u.high > 2.999));
    const Moments n(Generator(2).normal({many}, 2, 3, dtype));
    CHECK(std::abs(n.mean - 2) < .01);
    CHECK(std::abs(n.std - 3) < .01);
    CHECK((n.low < -11 && n.high > 15));
    const Moments b(Generator(3).bernoulli({many}, .2, dtype));
    CHECK(std::abs(b.mean - .2) < .002);
    CHECK((b.low == 0 && b.high == 1));
  }
  const Moments i(Generator(4).integers({many}, -3, 5));
  CHECK(std::abs(i.mean - .5) < .01);
  CHECK((i.low == -3 && i.high == 4));
}

TEST_CASE("random: normal numbers do not depend on their neighbours") {
  const auto n = values(Generator(2).normal({many}, 0, 1, DType::f64));
  double pairs = 0, gap = 0;
  for (std::size_t k = 0; k + 2 < n.size(); k += 2) {
    pairs += n[k] * n[k + 1] / (many / 2.);
    gap += n[k + 1] * n[k + 2] / (many / 2.);
  }
  CHECK(std::abs(pairs) < .006);
  CHECK(std::abs(gap) < .006);
}

TEST_CASE("random: a rounded uniform number never reaches the upper end") {
  // The largest u of 24 bits comes at this position; 1 + u then lies half way between 2 and the float below
  // it.
  CHECK(Generator(0, 7113731).uniform({1}, 0, 1).item() == 1 - 0x1p-24f);
  CHECK(Generator(0, 7113731).uniform({1}, 1, 2).item() == 2 - 0x1p-23f);
}

TEST_CASE("random: extreme probabilities and ranges") {
  CHECK(Moments(Generator(1).bernoulli({1000}, 0)).high == 0);
  CHECK(Moments(Generator(1).bernoulli({1000}, 1)).low == 1);
  CHECK(values(Generator(1).integers({3}, 4, 5)) == std::vector<double>{4, 4, 4});
  CHECK(values(Generator(1).uniform({3}, 4, 4)) == std::vector<double>{4, 4, 4});
  Generator g(1);
  for (int k = 0; k < 100; ++k) CHECK(g.below(3) < 3);
  CHECK(g.uniform() < 1);
}

TEST_CASE("random: a permutation holds everything once, and differs from seed to seed") {
  auto p = Generator(7).permutation(1000);
  CHECK(p != Generator(8).permutation(1000));
  CHECK(p == Generator(7).permutation(1000));
  CHECK_FALSE(std::is_sorted(p.begin(), p.end()));
  std::sort(p.begin(), p.end());
  for (std::int64_t k = 0; k < 1000; ++k) CHECK(p[std::size_t(k)] == k);
  CHECK(Generator(7).permutation(0).empty());
  std::vector<long> first(3);  // each order of three equally often
  Generator g(1);
  for (int k = 0; k < 6000; ++k) ++first[std::size_t(g.permutation(3)[0])];
  for (long count : first) CHECK(std::abs(count - 2000) < 150);
}

TEST_CASE("random: wrong arguments are named") {
  Generator g;
  CHECK(error_of([&] { g.below(0); }) == "random: the range [0, 0) is empty");
  CHECK(error_of([&] { g.bernoulli({2}, 1.5); }) == "bernoulli: 1.5 is not a probability");
  CHECK(error_of([&] { g.bernoulli({2}, NAN); }) == "bernoulli: nan is not a probability");
  CHECK(error_of([&] { g.integers({2}, 3, 3); }) == "integers: the range [3, 3) is empty");
  CHECK(error_of([&] { g.uniform({2}, 0, 1, DType::i64); }) == "uniform: makes f32 or f64, not i64");
  CHECK(error_of([&] { g.normal({2}, 0, 1, DType::u8); }) == "normal: makes f32 or f64, not u8");
  CHECK(error_of([&] { g.permutation(-1); }) == "permutation: the length -1 is negative");
}

TEST_CASE("random: distributions that there are not are refused by name") {
  Generator g(1);
  const double inf = INFINITY, nan = NAN;
  for (auto [first, second] :
       {std::pair(nan, 1.), {0., nan}, {1., 0.}, {-1e308, 1e308}, {0., inf}, {-inf, 0.}}) {
    const double low = first, high = second;
    CHECK(error_of([&] { g.uniform({2}, low, high, DType::f64); }) ==
          fmt::format("uniform: [{}, {}) is not a range of f64", low, high));
  }
  CHECK(error_of([&] { g.uniform({2}, 0, 1e300); }) == "uniform: [0, 1e+300) is not a range of f32");
  CHECK(values(g.uniform({2}, 3, 3)) == std::vector<double>{3, 3});
  for (double std : {-1., nan, inf})
    CHECK(error_of([&] { g.normal({2}, 0, std); }) == fmt::format("normal: std is {}, not in [0, inf)", std));
  for (double mean : {nan, inf})
    CHECK(error_of([&] { g.normal({2}, mean); }) == fmt::format("normal: the mean is {}, not finite", mean));
}

TEST_CASE("random: a stream is the upper half of the counter, and stream 0 what there was without streams") {
  const auto r = r123::Philox4x32()({{5, 0, 0x89abcdef, 0x01234567}}, {{7, 0}});
  CHECK(Generator(7, 5, 0x01234567'89abcdef).next() == (r[0] | std::uint64_t(r[1]) << 32));
  CHECK(Generator(7, 5, 0).next() == Generator(7, 5).next());
  CHECK(same_bits(Generator(7, 0, 3).normal({9}), Generator(7, 0, 3).normal({9})));
  CHECK_FALSE(same_bits(Generator(7, 0, 3).normal({9}), Generator(7).normal({9})));
}

TEST_CASE("random: threads draw at the same time, each from the stream that it names") {
  const Generator before = default_generator();
  manual_seed(5);
  constexpr std::size_t count = 4;
  std::vector<std::vector<Array>> drawn(count);
  std::vector<std::thread> workers;
  for (std::size_t t = 0; t < count; ++t)
    workers.emplace_back([&, t] {
      const RandomStream stream(1 + t);
      for (int i = 0; i < 50; ++i) drawn[t].push_back(default_generator().uniform({20}));
    });
  const Array ours = default_generator().uniform({20});
  for (auto& worker : workers) worker.join();
  CHECK(same_bits(ours, Generator(5).uniform({20})));
  for (std::size_t t = 0; t < count; ++t) {
    Generator alone(5, 0, 1 + t);
    for (auto& numbers : drawn[t]) CHECK(same_bits(numbers, alone.uniform({20})));
    for (std::size_t other = 0; other < t; ++other) CHECK_FALSE(same_bits(drawn[t][0], drawn[other][0]));
  }
  default_generator() = before;
}

TEST_CASE("random: a thread without a stream is refused, and seeding reaches those that have one") {
  const Generator before = default_generator();
  manual_seed(5);
  std::string without, after;
  bool fresh = false, seeded = false;
  std::thread([&] {
    without = error_of([] { default_generator(); });
    {
      const RandomStream stream(3);
      default_generator().next();
      manual_seed(6);
      fresh = default_generator().next() == Generator(6, 0, 3).next();
      default_generator() = Generator(1, 2);  // as a training that goes on does
      default_generator();
      manual_seed(7);
      seeded = default_generator().next() == Generator(7, 0, 3).next();
    }
    after = error_of([] { default_generator(); });
  }).join();
  CHECK(without ==
        "random: this thread has no stream of random numbers; say which: RandomStream stream(id), with an id "
        "of its own from 1 on");
  CHECK(after == without);
  CHECK(fresh);
  CHECK(seeded);
  CHECK(default_generator().next() == Generator(7).next());
  default_generator() = before;
}

TEST_CASE("random: the main thread is the process's first one, whichever thread loaded the library",
          "[fork]") {
  int status = -1;
  std::thread([&] {
    const pid_t child = fork();  // this thread is the first one of the child, but did not load the library
    if (child == 0) _exit(error_of([] { default_generator().next(); }).empty() ? 0 : 1);
    waitpid(child, &status, 0);
  }).join();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("random: a stream ends with its block, and the numbers go on where they were") {
  const Generator before = default_generator();
  manual_seed(5);
  default_generator().next();
  {
    const RandomStream outer(1);
    default_generator().next();
    {
      const RandomStream inner(2);
      CHECK(default_generator().next() == Generator(5, 0, 2).next());
    }
    CHECK(default_generator().next() == Generator(5, 1, 1).next());
  }
  CHECK(default_generator().next() == Generator(5, 1).next());
  CHECK(error_of([] { RandomStream stream(0); }) ==
        "random: stream 0 is the main thread's; others have ids from 1 on");
  default_generator() = before;
}
