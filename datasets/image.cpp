// Sizes of pictures: resized by weights along one axis after the other; cut, padded, laid out.
#include <xgrad/datasets/image.hpp>

#include <algorithm>
#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>

namespace xgrad {
namespace {

using Byte = std::uint8_t;

void check_picture(const char* op, const Array& image) {
  if (!image.defined()) fail("{}: the picture is undefined", op);
  expect(image.dtype() == DType::u8 && image.rank() == 3 && image.size() > 0,
         "{}: takes a picture u8 (C, H, W), not {} {}", op, image.dtype(), image.shape());
}
void check_size(const char* op, double height, double width) {
  expect(height >= 1 && width >= 1 && height * width <= max_image_pixels,
         "{}: {:.0f} x {:.0f} pixels are not between 1 and {}", op, height, width, max_image_pixels);
}

/// A pixel along one axis of the result: the sum over the source's pixels from `first` on, each times its
/// weight.
struct Taps {
  long first = 0;
  std::vector<double> weights;
};

std::vector<Taps> resampling(long from, long to) {
  std::vector<Taps> result(static_cast<std::size_t>(to));
  for (long i = 0; i < to; ++i) {
    Taps& taps = result[std::size_t(i)];
    if (to <
        from) {  // in units of 1 / to: i covers [i from, (i + 1) from), j of the source [j to, (j + 1) to)
      const long begin = i * from, end = begin + from;
      taps.first = begin / to;
      for (long j = taps.first; j * to < end; ++j)
        taps.weights.push_back(double(std::min(end, (j + 1) * to) - std::max(begin, j * to)) / double(from));
    } else {
      const double place = (double(i) + .5) * double(from) / double(to) - .5;
      const double inside = std::clamp(place, 0., double(from - 1));
      taps.first = long(inside);
      const double second = inside - double(taps.first);
      taps.weights = {1 - second};
      if (second > 0) taps.weights.push_back(second);
    }
  }
  return result;
}

/// The rectangle of an image that begins at (top, left).
Array cut(const Array& image, long top, long left, long height, long width) {
  const long channels = image.dim(0), rows = image.dim(1), columns = image.dim(2);
  Array result({channels, height, width}, DType::u8);
  const Byte* from = image.data<Byte>();
  Byte* to = result.mutable_data<Byte>();
  for (long c = 0; c < channels; ++c)
    for (long y = 0; y < height; ++y)
      std::copy_n(from + (c * rows + top + y) * columns + left, width, to + (c * height + y) * width);
  return result;
}

void paste(const Array& image, Array& ground, long top, long left) {
  const long height = image.dim(1), width = image.dim(2), rows = ground.dim(1), columns = ground.dim(2);
  const Byte* from = image.data<Byte>();
  Byte* to = ground.mutable_data<Byte>();
  for (long c = 0; c < image.dim(0); ++c)
    for (long y = 0; y < height; ++y)
      std::copy_n(from + (c * height + y) * width, width, to + (c * rows + top + y) * columns + left);
}

Array white(long channels, long height, long width) {
  return full({channels, height, width}, 255, DType::u8);
}

}  // namespace

Array resize(const Array& image, long height, long width) {
  check_picture("resize", image);
  check_size("resize", double(height), double(width));
  const long channels = image.dim(0), rows = image.dim(1), columns = image.dim(2);
  check_size("resize", double(rows), double(width));  // of what is between the two axes
  Array narrow({channels, rows, width}), result({channels, height, width}, DType::u8);
  const auto across = resampling(columns, width), down = resampling(rows, height);
  const Byte* from = image.data<Byte>();
  float* between = narrow.mutable_data<float>();
  Byte* to = result.mutable_data<Byte>();
  threads::for_ranges(channels * rows, std::max(1l, 65536 / columns), [&](long first, long last) {
    for (long row = first; row < last; ++row)
      for (long x = 0; x < width; ++x) {
        const auto& [start, weights] = across[std::size_t(x)];
        const Byte* in = from + row * columns + start;
        double sum = 0;
        for (const double weight : weights) sum += weight * *in++;
        between[row * width + x] = float(sum);
      }
  });
  threads::for_ranges(channels * height, std::max(1l, 65536 / width), [&](long first, long last) {
    std::vector<double> sums(static_cast<std::size_t>(width));
    for (long row = first; row < last; ++row) {
      const auto& [start, weights] = down[std::size_t(row % height)];
      const float* in = between + (row / height * rows + start) * width;
      std::fill(sums.begin(), sums.end(), .5);  // rounds
      for (const double weight : weights)
        for (double& sum : sums) sum += weight * *in++;
      std::transform(sums.begin(), sums.end(), to + row * width, [](double sum) { return Byte(sum); });
    }
  });
  return result;
}

Array fit(const Array& image, long size, Aspect aspect) {
  check_picture("fit", image);
  check_size("fit", double(size), double(size));
  const long height = image.dim(1), width = image.dim(2);
  if (aspect == Aspect::stretch) return resize(image, size, size);
  if (aspect == Aspect::crop) {
    const long side = std::min(height, width);
    return resize(cut(image, (height - side) / 2, (width - side) / 2, side, side), size, size);
  }
  const auto scaled = [side = std::max(height, width), size](long length) {
    return std::max(1l, std::lround(double(length) * double(size) / double(side)));
  };
  const Array small = resize(image, scaled(height), scaled(width));
  Array result = white(image.dim(0), size, size);
  paste(small, result, (size - small.dim(1)) / 2, (size - small.dim(2)) / 2);
  return result;
}

Array contact_sheet(const std::vector<Array>& images, long columns, long gap) {
  expect(!images.empty(), "contact_sheet: at least one picture is needed");
  expect(columns >= 1 && gap >= 0,
         "contact_sheet: {} columns with gaps of {} pixels are not at least 1 column and no gap", columns,
         gap);
  for (const Array& image : images) {
    check_picture("contact_sheet", image);
    expect(image.shape() == images[0].shape(), "contact_sheet: pictures {} and {} differ in shape",
           images[0].shape(), image.shape());
  }
  const long count = long(images.size()), height = images[0].dim(1), width = images[0].dim(2);
  columns = std::min(columns, count);
  if (count == 1) gap = 0;  // there is none
  const auto length = [gap](long pictures, long side) {
    return double(pictures) * double(side) + double(pictures - 1) * double(gap);
  };
  const long rows = (count + columns - 1) / columns;
  check_size("contact_sheet", length(rows, height), length(columns, width));
  Array sheet = white(images[0].dim(0), long(length(rows, height)), long(length(columns, width)));
  for (long i = 0; i < count; ++i)
    paste(images[std::size_t(i)], sheet, i / columns * (height + gap), i % columns * (width + gap));
  return sheet;
}

}  // namespace xgrad
