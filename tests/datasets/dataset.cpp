// Tests of Dataset.
#include <xgrad/datasets/dataset.hpp>

#include "tests/datasets/files.hpp"

using namespace xgrad;
using namespace xgrad::tests;

TEST_CASE("dataset: a slice holds the images and labels of its range") {
  const Dataset data = small_dataset(7, 3), part = data.slice(2, 5);
  CHECK(part.size() == 3);
  CHECK(part.images.shape() == Shape{3, 3, 2, 2});
  CHECK(part.images.elements<std::uint8_t>()[0] == 2 * 7);
  CHECK(part.images.elements<std::uint8_t>()[35] == 4 * 7 + 11);
  CHECK(part.labels.elements<std::int64_t>()[0] == 2);
  CHECK(part.labels.elements<std::int64_t>()[2] == 1);
  CHECK(part.classes == data.classes);
  CHECK(same_bits(data.first(7).images, data.images));
  CHECK(data.first(0).images.shape() == Shape{0, 3, 2, 2});
}

TEST_CASE("dataset: a range that is none is an error") {
  const Dataset data = small_dataset(7);
  CHECK(error_of([&] { data.first(8); }) == "dataset: small has 7 images; the range [0, 8) is invalid");
  CHECK(error_of([&] { data.slice(-1, 2); }) == "dataset: small has 7 images; the range [-1, 2) is invalid");
  CHECK(error_of([&] { data.slice(5, 4); }) == "dataset: small has 7 images; the range [5, 4) is invalid");
  CHECK(Dataset{}.size() == 0);
}
