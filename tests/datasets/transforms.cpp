// Tests of transforms: where each pixel comes from, what the draws depend on, how often they fall how.
#include <xgrad/datasets/transforms.hpp>

#include <algorithm>
#include <map>
#include <set>

#include <xgrad/core/base/threads.hpp>
#include <xgrad/datasets/loader.hpp>
#include <xgrad/datasets/synthetic.hpp>
#include "tests/datasets/files.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

using Flip = Augment::Flip;
using Floats = std::vector<float>;

Floats floats(const Array& array) {
  const auto e = array.elements<float>();
  return {e.begin(), e.end()};
}
bool same(const Batch& a, const Batch& b) {
  return same_bits(a.images, b.images) && same_bits(a.labels, b.labels);
}
/// n images of one channel whose pixels are 1, 2, 3, ...
Dataset counting(long n, long h, long w) {
  Dataset data{"counting", Array({n, 1, h, w}, DType::u8), Array({n}, DType::i64)};
  for (long i = 0; i < data.images.size(); ++i)
    data.images.mutable_data<std::uint8_t>()[i] = std::uint8_t(1 + i % (h * w));
  for (long i = 0; i < n; ++i) data.labels.mutable_data<std::int64_t>()[i] = i;
  return data;
}
/// The images of whole epochs, each as the Dataset has it or varied, by their index.
std::vector<std::map<std::int64_t, Floats>> epochs(Loader<Dataset> loader, int count) {
  std::vector<std::map<std::int64_t, Floats>> result;
  for (int epoch = 0; epoch < count; ++epoch) {
    auto& images = result.emplace_back();
    for (const Batch& batch : loader.epoch())
      for (long i = 0; i < batch.labels.size(); ++i) {
        const long size = batch.images.size() / batch.labels.size();
        const float* first = batch.images.data<float>() + i * size;
        images[batch.labels.data<std::int64_t>()[i]] = Floats(first, first + size);
      }
  }
  return result;
}
constexpr Pixels as_they_are{.scale = 1};

}  // namespace

TEST_CASE("mirrored: left and right exchanged") {
  const Array images(Shape{1, 2, 2, 3}, Floats{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  CHECK(floats(mirrored(images)) == Floats{3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10});
  CHECK(same_bits(mirrored(mirrored(images)), images));
  CHECK(mirrored(Array({0, 3, 4, 4})).shape() == Shape{0, 3, 4, 4});
  CHECK(error_of([&] { mirrored(images.reshape({12})); }) ==
        "mirrored: takes images f32 (N, C, H, W), not f32 (12,)");
}

TEST_CASE("shifted: what comes into view mirrors the image, without its edge") {
  const Array images(Shape{1, 1, 3, 3}, Floats{1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(same_bits(shifted(images, 0, 0), images));
  CHECK(floats(shifted(images, 1, 0)) == Floats{4, 5, 6, 1, 2, 3, 4, 5, 6});
  CHECK(floats(shifted(images, -1, 0)) == Floats{4, 5, 6, 7, 8, 9, 4, 5, 6});
  CHECK(floats(shifted(images, 0, 2)) == Floats{3, 2, 1, 6, 5, 4, 9, 8, 7});
  CHECK(floats(shifted(images, 1, -1)) == Floats{5, 6, 5, 2, 3, 2, 5, 6, 5});
  const Array two(Shape{2, 1, 1, 2}, Floats{1, 2, 3, 4});
  CHECK(floats(shifted(two, 0, 1)) == Floats{2, 1, 4, 3});
  CHECK(error_of([&] { shifted(images, 3, 0); }) ==
        "shifted: images (1, 1, 3, 3) cannot be shifted by (3, 0)");
  CHECK(error_of([&] { shifted(images.cast(DType::f64), 0, 0); }) ==
        "shifted: takes images f32 (N, C, H, W), not f64 (1, 1, 3, 3)");
}

TEST_CASE("augment: a crop shows what a shifted image shows") {
  const long n = 400;
  const Dataset data = counting(n, 5, 6);
  const Array whole = make_batch(data, 0, 1, as_they_are).images;
  std::set<Floats> shifts;
  for (long dy = -2; dy <= 2; ++dy)
    for (long dx = -2; dx <= 2; ++dx) shifts.insert(floats(shifted(whole, dy, dx)));
  CHECK(shifts.size() == 25);
  std::map<Floats, long> counts;
  const auto drawn =
      epochs(Loader(data, {.pixels = as_they_are, .augment = {.crop_padding = 2, .reflect = true}}),
             1);  // a range must outlive its loop
  for (const auto& [index, image] : drawn[0]) ++counts[image];
  CHECK(counts.size() == 25);
  for (const auto& [image, count] : counts) {
    CHECK(shifts.contains(image));
    CHECK(count < 45);  // 16 expected
  }
}

TEST_CASE("augment: a crop beyond the edge shows zeros") {
  const Dataset data = counting(300, 3, 4);
  long corners = 0;
  const auto drawn =
      epochs(Loader(data, {.pixels = {.scale = 1, .mean = {.5}}, .augment = {.crop_padding = 1}}),
             1);  // a range must outlive its loop
  for (const auto& [index, image] : drawn[0]) {
    // Wherever it was moved to: pixel (y, x) is that of (y + dy, x + dx), and zero where there is none.
    long fits = 0;
    for (long dy = -1; dy <= 1; ++dy)
      for (long dx = -1; dx <= 1; ++dx) {
        bool all = true;
        for (long y = 0; y < 3; ++y)
          for (long x = 0; x < 4; ++x) {
            const bool inside = 0 <= y + dy && y + dy < 3 && 0 <= x + dx && x + dx < 4;
            all &= image[std::size_t(4 * y + x)] == (inside ? float(1 + 4 * (y + dy) + x + dx) - .5f : 0.f);
          }
        fits += all;
        corners += all && dy && dx;
      }
    CHECK(fits == 1);
  }
  CHECK(corners > 80);  // of 300, 133 expected
  CHECK(corners < 190);
}

TEST_CASE("augment: random flips come anew, with the probability asked for") {
  const long n = 2000;
  const Dataset data = counting(n, 2, 2);
  const Floats there{1, 2, 3, 4}, back{2, 1, 4, 3};
  for (const double p : {0., .5, .8, 1.}) {
    const Augment augment{.flip = Flip::random, .flip_probability = p};
    const auto images = epochs(Loader(data, {.pixels = as_they_are, .augment = augment}), 2);
    long flipped = 0, changed = 0;
    for (const auto& [index, image] : images[0]) {
      REQUIRE((image == there || image == back));
      flipped += image == back;
      changed += image != images[1].at(index);
    }
    CHECK(std::abs(double(flipped) - p * double(n)) < 100);  // a standard deviation is at most 23
    CHECK(std::abs(double(changed) - 2 * p * (1 - p) * double(n)) < 100);
  }
}

TEST_CASE("augment: alternating flips show each image both ways in two epochs") {
  const long n = 1000;
  const Augment augment{.flip = Flip::alternating};
  const auto images =
      epochs(Loader(counting(n, 2, 2), {.seed = 3, .pixels = as_they_are, .augment = augment}), 4);
  const auto other =
      epochs(Loader(counting(n, 2, 2), {.seed = 4, .pixels = as_they_are, .augment = augment}), 1);
  long flipped = 0, differ = 0;
  for (const auto& [index, image] : images[0]) {
    flipped += image == Floats{2, 1, 4, 3};
    differ += image != other[0].at(index);
    REQUIRE(image != images[1].at(index));
    REQUIRE(image == images[2].at(index));
    REQUIRE(images[1].at(index) == images[3].at(index));
  }
  CHECK(std::abs(flipped - 500) < 80);
  CHECK(std::abs(differ - 500) < 80);
}

TEST_CASE("augment: a square is cut out, its centre anywhere") {
  const long n = 3000;
  for (const long size : {1l, 2l, 3l}) {
    std::map<std::size_t, long> centres;
    std::size_t most = 0;
    const auto drawn =
        epochs(Loader(counting(n, 4, 5), {.pixels = as_they_are, .augment = {.cutout = size}}), 1);
    for (const auto& [index, image] : drawn[0]) {
      long top = 4, bottom = -1, left = 5, right = -1;
      std::size_t zeros = 0;
      for (long p = 0; p < 20; ++p) {
        const float pixel = image[std::size_t(p)];
        if (pixel != 0) {
          REQUIRE(pixel == float(1 + p));
          continue;
        }
        ++zeros;
        top = std::min(top, p / 5), bottom = std::max(bottom, p / 5);
        left = std::min(left, p % 5), right = std::max(right, p % 5);
      }
      REQUIRE(zeros == std::size_t((bottom - top + 1) * (right - left + 1)));  // a full rectangle
      REQUIRE(bottom - top < size);
      REQUIRE(right - left < size);
      most = std::max(most, zeros);
      ++centres[std::size_t(5 * top + left)];
    }
    CHECK(most == std::size_t(size * size));
    if (size == 1) {
      CHECK(centres.size() == 20);
      for (const auto& [place, count] : centres) CHECK(std::abs(count - 150) < 70);
    }
  }
}

TEST_CASE("augment: all channels of an image are varied alike") {
  Dataset data = shapes(50, 0, 1).train;
  auto* pixels = data.images.mutable_data<std::uint8_t>();
  for (long i = 0; i < 50; ++i)
    for (long c = 1; c < 3; ++c) std::copy_n(pixels + i * 3072, 1024, pixels + i * 3072 + c * 1024);
  Loader loader(data, {.batch = 50, .augment = {.crop_padding = 4, .flip = Flip::random, .cutout = 9}});
  const Array images = loader.next().images;
  for (long i = 0; i < 50; ++i)
    for (long c = 1; c < 3; ++c) {
      const float* first = images.data<float>() + i * 3072;
      REQUIRE(std::equal(first, first + 1024, first + c * 1024));
    }
}

TEST_CASE("augment: the same for any number of threads, with and without batches made ahead") {
  const Dataset data = shapes(250, 0, 1).train;
  LoaderOptions options{
      .batch = 60,
      .seed = 5,
      .pixels = {.mean = {.5, .4, .3}, .std = {.2, .3, .4}},
      .augment = {.crop_padding = 4, .reflect = true, .flip = Flip::alternating, .cutout = 8}};
  const auto batches = [&](Loader<Dataset> loader, int count) {
    std::vector<Batch> result;
    for (int i = 0; i < count; ++i) result.push_back(loader.next());
    return result;
  };
  const Restore restore;
  const auto expected = batches(Loader(data, options), 12);
  for (const int count : {1, 2, 3})
    for (const long prefetch : {0l, 1l, 3l}) {
      threads::set(count);
      options.prefetch = prefetch;
      const auto found = batches(Loader(data, options), 12);
      for (std::size_t i = 0; i < 12; ++i) CHECK(same(found[i], expected[i]));
      // The same from the middle of the second epoch.
      Loader resumed(data, options);
      resumed.next();
      resumed.restore({.seed = 5, .epoch = 1, .position = 120});
      for (std::size_t i = 7; i < 12; ++i) CHECK(same(resumed.next(), expected[i]));
    }
}

TEST_CASE("augment: the size of the batches changes nothing") {
  const Dataset data = counting(70, 5, 5);
  const Augment augment{.crop_padding = 2, .flip = Flip::random, .cutout = 2};
  CHECK(epochs(Loader(data, {.batch = 70, .augment = augment}), 2) ==
        epochs(Loader(data, {.batch = 9, .augment = augment}), 2));
  CHECK(epochs(Loader(data, {.augment = augment}), 1) !=
        epochs(Loader(data, {.seed = 1, .augment = augment}), 1));
}

TEST_CASE("augment: an image that is drawn twice is varied twice") {
  Loader loader(counting(1, 9, 9), {.batch = 1, .replacement = true, .augment = {.crop_padding = 8}});
  std::set<Floats> images;
  for (int i = 0; i < 20; ++i) images.insert(floats(loader.next().images));
  CHECK(images.size() > 15);
}

TEST_CASE("augment: what does not fit the images is an error at once") {
  const Dataset data = counting(2, 4, 6);
  const auto error = [&](const Augment& augment) {
    return error_of([&] { Loader(data, {.augment = augment}); });
  };
  CHECK(error({.crop_padding = -1}) == "augment: crop_padding is -1 and cutout 0, not both in [0, 2^56]");
  CHECK(error({.cutout = -2}) == "augment: crop_padding is 0 and cutout -2, not both in [0, 2^56]");
  CHECK(error({.crop_padding = 4, .reflect = true}) ==
        "augment: images of 4 x 6 pixels cannot be padded by 4 mirrored pixels");
  CHECK(error({.flip_probability = 1.5}) == "augment: 1.5 is not a probability");
  CHECK(error({.crop_padding = 40, .cutout = 40}) == "");
}
