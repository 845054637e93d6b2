// Tests of Arrays in a Loader, and of data that is divided at random.
#include <xgrad/datasets/arrays.hpp>

#include <algorithm>
#include <numeric>

#include <xgrad/core/tape/variable.hpp>
#include <xgrad/datasets/loader.hpp>
#include <xgrad/ops/shape.hpp>
#include "tests/datasets/files.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

using Numbers = std::vector<double>;

/// n samples: an input (2,) of f64 that holds the index and its half, and the index as i32.
Arrays<2> counted(long n) {
  Array x({n, 2}, DType::f64);
  for (long i = 0; i < n; ++i) {
    x.mutable_data<double>()[2 * i] = double(i);
    x.mutable_data<double>()[2 * i + 1] = double(i) / 2;
  }
  return Arrays{x, arange(n, DType::i32)};
}
Numbers counting(long n) {
  Numbers all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}
Numbers sorted(Numbers numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}
/// The last arrays of the batches of an epoch, one after another.
template <class Data>
Numbers targets_of(Loader<Data>& loader) {
  Numbers all;
  for (auto& batch : loader.epoch()) {
    const Numbers part = values(batch.back());
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}
bool same(const std::array<Array, 2>& a, const std::array<Array, 2>& b) {
  return same_bits(a[0], b[0]) && same_bits(a[1], b[1]);
}

}  // namespace

TEST_CASE("loader: Arrays are handed out by rows that belong together, as they are") {
  Loader loader(counted(23), {.batch = 10, .seed = 4});
  CHECK(loader.steps_per_epoch() == 3);
  std::vector<long> sizes;
  Numbers seen;
  for (auto& [x, y] : loader.epoch()) {
    CHECK(x.dtype() == DType::f64);
    CHECK(y.dtype() == DType::i32);
    CHECK(x.shape() == Shape{y.size(), 2});
    for (long i = 0; i < y.size(); ++i) {
      CHECK(x.data<double>()[2 * i] == y.data<std::int32_t>()[i]);
      CHECK(x.data<double>()[2 * i + 1] == y.data<std::int32_t>()[i] / 2.);
      seen.push_back(y.data<std::int32_t>()[i]);
    }
    sizes.push_back(y.size());
  }
  CHECK(sizes == std::vector<long>{10, 10, 3});
  CHECK(seen != counting(23));
  CHECK(sorted(seen) == counting(23));
}

TEST_CASE("loader: any number of arrays of any dtype and shape, and Variables, are one set of samples") {
  const Variable x(random_array({6, 3, 2}));
  const Array mask = full({6}, 1, DType::boolean), half = ones({6, 4}, DType::bf16),
              bytes = arange(6, DType::u8);
  Loader loader(Arrays{x, mask, half, bytes}, {.batch = 4, .shuffle = false});
  const auto [a, b, c, d] = loader.next();
  CHECK(a.shape() == Shape{4, 3, 2});
  CHECK(bits(a) == bits(x.data()).substr(0, std::size_t(a.byte_size())));
  CHECK(b.dtype() == DType::boolean);
  CHECK(c.dtype() == DType::bf16);
  CHECK(values(d) == Numbers{0, 1, 2, 3});
  Loader alone(Arrays{bytes}, {.batch = 6, .shuffle = false});
  CHECK(values(alone.next()[0]) == counting(6));
  // What is still to be computed, and what is read along strides, is handed out as its values.
  const Variable columns(random_array({40, 7}));
  Loader strided(Arrays{transpose(columns)}, {.batch = 7, .shuffle = false});
  CHECK(same_bits(strided.next()[0], transpose(columns).data().copy()));
}

TEST_CASE("loader: Arrays have the order of a Dataset of the same seed, resumed, ahead and on any threads") {
  const Restore restore;
  for (const bool replacement : {false, true}) {
    LoaderOptions options{.batch = 10, .replacement = replacement, .seed = 9};
    Loader images(small_dataset(53, 53), options);
    Numbers order;
    for (const Batch& batch : images.epoch()) {
      const Numbers part = values(batch.labels);
      order.insert(order.end(), part.begin(), part.end());
    }
    threads::set(1);
    Loader plain(counted(53), options);
    options.prefetch = 3;
    threads::set(3);
    Loader ahead(counted(53), options);
    for (int i = 0; i < 20; ++i) {
      CHECK(same(ahead.next(), plain.next()));
      REQUIRE(ahead.state() == plain.state());
    }
    Loader resumed(counted(53), {.batch = 10, .replacement = replacement});
    resumed.restore(plain.state());
    for (int i = 0; i < 9; ++i) CHECK(same(resumed.next(), plain.next()));
    resumed.restore({.seed = 9});
    CHECK(targets_of(resumed) == order);
  }
}

TEST_CASE("loader: Arrays that do not belong together, and options for images, are errors") {
  CHECK(error_of([] {
          Arrays{ones({3, 2}), ones({4})};
        }) ==
        "Arrays: array 1 has shape (4,), but array 0 (3, 2): the first axes, those of the samples, must be "
        "equally "
        "long");
  CHECK(error_of([] {
          Arrays{ones({3}), ones({})};
        }) == "Arrays: array 1 is a scalar; the first axis of each array is that of the samples");
  CHECK(error_of([] { Arrays{Array()}; }) == "Arrays: array 0 is undefined");
  const std::string images =
      "loader: pixels and augment are for the images of a Dataset; Arrays are handed out as they are";
  CHECK(error_of([] { Loader(counted(3), {.pixels = {.scale = 1}}); }) == images);
  CHECK(error_of([] { Loader(counted(3), {.augment = {.crop_padding = 1}}); }) == images);
  CHECK(error_of([] { Loader(counted(0)); }) == "loader: the data has 0 samples, too few for a batch of 100");
}

TEST_CASE("random_split gives each sample to one part, by shares or by lengths") {
  const auto data = counted(101);
  const auto [train, test] = random_split(data, {.8, .2}, 3);
  CHECK(train.size() == 81);  // 80 and 20, and one that is left
  CHECK(test.size() == 20);
  Numbers all = values(train.arrays[1]), others = values(test.arrays[1]);
  CHECK(std::is_sorted(all.begin(), all.end()) == false);
  all.insert(all.end(), others.begin(), others.end());
  CHECK(sorted(all) == counting(101));
  const auto again = random_split(data, {81, 20}, 3);
  CHECK(same_bits(again[1].arrays[0], test.arrays[0]));
  CHECK_FALSE(same_bits(random_split(data, {81, 20}, 4)[1].arrays[0], test.arrays[0]));

  const auto images = random_split(small_dataset(100, 100), {.7, .29, .01});
  CHECK(images[0].size() == 70);
  CHECK(images[1].size() == 29);
  CHECK(images[2].size() == 1);
  CHECK(images[1].classes.size() == 100);
  for (const Dataset& part : images)
    for (long i = 0; i < part.size(); ++i) {
      const auto label = part.labels.data<std::int64_t>()[i];
      CHECK(part.images.data<std::uint8_t>()[12 * i] == std::uint8_t(label * 7));
    }
}

TEST_CASE("random_split: parts that are not the whole are errors") {
  const auto data = counted(10);
  CHECK(error_of([&] { random_split(data, {.8, .1}); }) == "random_split: the shares sum to 0.9, not to 1");
  CHECK(error_of([&] { random_split(data, {1.5, -.5}); }) == "random_split: a share is -0.5, not in [0, 1]");
  CHECK(error_of([&] {
          random_split(data, {8, 1});
        }) == "random_split: the lengths sum to 9, but there are 10 samples");
  CHECK(error_of([&] { random_split(data, {11, -1}); }) == "random_split: a part of 11 samples, of 10");
  const std::int64_t indices[] = {0, 10};
  CHECK(error_of([&] { data.select(indices); }) == "select: sample 10 is out of range for 10 samples");
}
