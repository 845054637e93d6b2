// Tests of the built-in set.
#include <xgrad/datasets/synthetic.hpp>

#include <algorithm>

#include <xgrad/core/base/threads.hpp>
#include "tests/datasets/files.hpp"

using namespace xgrad;
using namespace xgrad::tests;

TEST_CASE("shapes: the format is CIFAR-10's") {
  const Split split = shapes(30, 20, 1);
  CHECK(split.train.images.shape() == Shape{30, 3, 32, 32});
  CHECK(split.train.images.dtype() == DType::u8);
  CHECK(split.test.labels.shape() == Shape{20});
  CHECK(split.train.classes.size() == 10);
  CHECK(shapes(0, 1).train.size() == 0);
  CHECK(error_of([] { shapes(-1, 1); }) == "shapes: -1 images cannot be drawn");
}

TEST_CASE("shapes: the seed and the index fix an image, nothing else does") {
  const Restore restore;
  threads::set(1);
  const Split one = shapes(100, 50, 7);
  threads::set(5);
  const Split five = shapes(100, 50, 7);
  CHECK(same_bits(one.train.images, five.train.images));
  CHECK(same_bits(one.test.labels, five.test.labels));
  const Split few = shapes(40, 10, 7), other = shapes(40, 10, 8);
  CHECK(same_bits(few.train.images, one.train.first(40).images));
  CHECK(same_bits(few.test.images, one.test.first(10).images));
  CHECK_FALSE(same_bits(few.train.images, other.train.images));
  CHECK_FALSE(same_bits(few.train.first(10).images, few.test.images));
}

TEST_CASE("shapes: each class comes about as often, and shows a shape") {
  const Dataset data = shapes(2000, 0, 3).train;
  std::vector<long> counts(10);
  for (const auto label : data.labels.elements<std::int64_t>()) ++counts.at(std::size_t(label));
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  CHECK(*least > 150);
  CHECK(*most < 250);
  // Bright on dark: in each image the green channel, say, or another, takes clearly different values.
  for (long i = 0; i < data.size(); ++i) {
    int widest = 0;
    for (long c = 0; c < 3; ++c) {
      const auto plane = data.images.elements<std::uint8_t>().subspan(std::size_t(i * 3 + c) * 1024, 1024);
      const auto [low, high] = std::minmax_element(plane.begin(), plane.end());
      widest = std::max(widest, *high - *low);
    }
    if (widest < 60) FAIL("image " << i << " shows nothing");
  }
}

TEST_CASE("shapes: the pictures are the ones that were looked at") {
  // Where the shape of a class is filled and where it is not: the centre against the ground, by brightness.
  const Dataset data = shapes(500, 0, 3).train;
  std::vector<double> middle(10), count(10);
  const auto pixels = data.images.elements<std::uint8_t>();
  for (long i = 0; i < data.size(); ++i) {
    double brightest = 0, total = 0;
    for (std::size_t p = 0; p < 1024; ++p) {
      const auto value = [&](std::size_t c) { return double(pixels[std::size_t(i) * 3072 + c * 1024 + p]); };
      const double light = .3 * value(0) + .6 * value(1) + .1 * value(2);
      brightest = std::max(brightest, light);
      total += light;
    }
    const auto label = std::size_t(data.labels.elements<std::int64_t>()[std::size_t(i)]);
    middle[label] += total / 1024 / brightest;
    ++count[label];
  }
  for (std::size_t c = 0; c < 10; ++c) middle[c] /= count[c];
  CHECK(middle[0] > middle[5]);  // a circle covers more than a ring,
  CHECK(middle[1] > middle[4]);  // a square more than a star,
  CHECK(middle[7] > middle[6]);  // a heart more than a crescent
}
