// Tests of the sizes of pictures: exact where the arithmetic is.
#include <xgrad/datasets/image.hpp>

#include <numeric>

#include <xgrad/core/base/threads.hpp>
#include "tests/datasets/files.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

using Bytes = std::vector<std::uint8_t>;

Array picture(const Shape& shape, const Bytes& pixels) { return Array(shape, pixels); }
Bytes pixels_of(const Array& image) {
  const auto e = image.elements<std::uint8_t>();
  return {e.begin(), e.end()};
}
/// 1 x h x w pixels 0, 1, 2, ...
Array counting(long h, long w) {
  Bytes pixels(static_cast<std::size_t>(h * w));
  std::iota(pixels.begin(), pixels.end(), std::uint8_t(0));
  return picture({1, h, w}, pixels);
}

}  // namespace

TEST_CASE("resize: an axis that shrinks takes means") {
  const Array image = picture({2, 2, 4}, {0, 2, 10, 20, 4, 6, 30, 40, 255, 255, 0, 0, 255, 255, 0, 1});
  CHECK(pixels_of(resize(image, 1, 2)) == Bytes{3, 25, 255, 0});
  CHECK(pixels_of(resize(image, 2, 2)) == Bytes{1, 15, 5, 35, 255, 0, 255, 1});
  CHECK(pixels_of(resize(image, 1, 1)) == Bytes{14, 128});
  // 3 to 2: each covers one and a half.
  CHECK(pixels_of(resize(picture({1, 1, 3}, {30, 60, 90}), 1, 2)) == Bytes{40, 80});
  CHECK(pixels_of(resize(picture({1, 3, 1}, {30, 60, 90}), 2, 1)) == Bytes{40, 80});
  // 5 to 3: 1 + 2/3, then 1/3 + 1 + 1/3.
  CHECK(pixels_of(resize(picture({1, 1, 5}, {10, 20, 30, 40, 50}), 1, 3)) == Bytes{14, 30, 46});
}

TEST_CASE("resize: an axis that grows is interpolated between centres") {
  CHECK(pixels_of(resize(picture({1, 1, 2}, {0, 100}), 1, 4)) == Bytes{0, 25, 75, 100});
  CHECK(pixels_of(resize(picture({1, 2, 1}, {0, 100}), 4, 1)) == Bytes{0, 25, 75, 100});
  CHECK(pixels_of(resize(picture({1, 1, 1}, {7}), 2, 3)) == Bytes(6, 7));
  CHECK(pixels_of(resize(picture({1, 1, 3}, {0, 60, 240}), 1, 6)) == Bytes{0, 15, 45, 105, 195, 240});
  CHECK(pixels_of(resize(picture({1, 2, 2}, {0, 100, 100, 200}), 4, 1)) ==
        Bytes{50, 75, 125, 150});  // grows, shrinks
}

TEST_CASE("resize: the same size is the same picture, one colour stays one colour") {
  const Array image = counting(13, 17);
  CHECK(same_bits(resize(image, 13, 17), image));
  const Array plain = picture({3, 7, 11}, Bytes(231, 255));
  for (const long size : {1l, 2l, 3l, 5l, 7l, 13l, 64l}) {
    const Array resized = resize(plain, size, 2 * size);
    for (const auto pixel : resized.elements<std::uint8_t>()) REQUIRE(pixel == 255);
  }
}

TEST_CASE("resize: the number of threads changes nothing") {
  const Restore restore;
  const Array image = counting(300, 400);
  threads::set(1);
  const Array one = resize(image, 123, 457);
  threads::set(3);
  const Array three = resize(image, 123, 457);
  CHECK(same_bits(one, three));
}

TEST_CASE("fit: stretched, cut to the middle, or on white") {
  const Array wide = picture({1, 2, 4}, {0, 10, 20, 30, 40, 50, 60, 70});
  CHECK(pixels_of(fit(wide, 2, Aspect::stretch)) == Bytes{5, 25, 45, 65});
  CHECK(pixels_of(fit(wide, 2, Aspect::crop)) == Bytes{10, 20, 50, 60});
  CHECK(pixels_of(fit(wide, 4, Aspect::pad)) ==
        Bytes{255, 255, 255, 255, 0, 10, 20, 30, 40, 50, 60, 70, 255, 255, 255, 255});
  const Array tall = picture({1, 4, 2}, {0, 10, 20, 30, 40, 50, 60, 70});
  CHECK(pixels_of(fit(tall, 2, Aspect::crop)) == Bytes{20, 30, 40, 50});
  CHECK(pixels_of(fit(tall, 2, Aspect::pad)) == Bytes{15, 255, 55, 255});
  CHECK(fit(picture({1, 1, 200}, Bytes(200, 9)), 32, Aspect::pad).shape() == Shape{1, 32, 32});
  const Array square = counting(8, 8);
  for (const Aspect aspect : {Aspect::stretch, Aspect::crop, Aspect::pad})
    CHECK(same_bits(fit(square, 8, aspect), square));
}

TEST_CASE("contact_sheet: row by row, on white") {
  const std::vector<Array> images(3, picture({1, 1, 2}, {1, 2}));
  CHECK(contact_sheet(images, 2, 1).shape() == Shape{1, 3, 5});
  CHECK(pixels_of(contact_sheet(images, 2, 1)) ==
        Bytes{1, 2, 255, 1, 2, 255, 255, 255, 255, 255, 1, 2, 255, 255, 255});
  CHECK(pixels_of(contact_sheet(images, 9, 0)) == Bytes{1, 2, 1, 2, 1, 2});
  CHECK(pixels_of(contact_sheet(images, 1, 0)) == Bytes{1, 2, 1, 2, 1, 2});
}

TEST_CASE("pictures: what cannot be laid out is an error") {
  const Array image = counting(2, 3);
  CHECK(error_of([&] { resize(image, 0, 4); }) == "resize: 0 x 4 pixels are not between 1 and 100000000");
  CHECK(error_of([&] { resize(image, 20000, 20000); }) ==
        "resize: 20000 x 20000 pixels are not between 1 and 100000000");
  CHECK(error_of([&] { resize(image.cast(DType::f32), 4, 4); }) ==
        "resize: takes a picture u8 (C, H, W), not f32 (1, 2, 3)");
  CHECK(error_of([&] { resize({}, 4, 4); }) == "resize: the picture is undefined");
  CHECK(error_of([&] { fit(image, -1, Aspect::pad); }) ==
        "fit: -1 x -1 pixels are not between 1 and 100000000");
  CHECK(error_of([&] {
          fit(image.reshape({2, 3}), 2, Aspect::crop);
        }) == "fit: takes a picture u8 (C, H, W), not u8 (2, 3)");
  CHECK(error_of([&] { contact_sheet({}, 2, 1); }) == "contact_sheet: at least one picture is needed");
  CHECK(error_of([&] {
          contact_sheet({image, counting(3, 3)}, 2, 1);
        }) == "contact_sheet: pictures (1, 2, 3) and (1, 3, 3) differ in shape");
  CHECK(error_of([&] { contact_sheet({image}, 0, 1); }) ==
        "contact_sheet: 0 columns with gaps of 1 pixels are not at least 1 column and no gap");
  CHECK(error_of([&] {
          contact_sheet({image, image}, 1, 1l << 40);
        }) == "contact_sheet: 1099511627780 x 3 pixels are not between 1 and 100000000");
}
