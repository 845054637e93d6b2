// Views of images: each row and each column of the result tells which one of the image it shows.
#include <xgrad/datasets/transforms.hpp>

#include <algorithm>

#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>

namespace xgrad {
namespace {

// Positions of the generator that neither the loader's order nor anybody who starts at 0 comes to.
constexpr std::uint64_t views = 1ull << 61, coins = 3ull << 60;

/// The index in [0, n) that an index less than n away from there mirrors.
long reflected(long place, long n) { return place < 0 ? -place : place < n ? place : 2 * (n - 1) - place; }

/// Which of n pixels each shows, when what was at `shift` comes to 0.
std::vector<long> sources(long n, long shift, bool reflect) {
  std::vector<long> result(static_cast<std::size_t>(n));
  for (long i = 0; i < n; ++i) {
    const long place = i + shift;
    result[std::size_t(i)] = reflect ? reflected(place, n) : 0 <= place && place < n ? place : -1;
  }
  return result;
}

void check_batch(const char* op, const Array& images) {
  if (!images.defined()) fail("{}: the images are undefined", op);
  expect(images.dtype() == DType::f32 && images.rank() == 4, "{}: takes images f32 (N, C, H, W), not {} {}",
         op, images.dtype(), images.shape());
}

Array gather(const Array& images, const std::vector<long>& rows, const std::vector<long>& columns) {
  const long height = images.dim(2), width = images.dim(3), plane = height * width;
  Array result(images.shape());
  const float* from = images.data<float>();
  float* to = result.mutable_data<float>();
  threads::for_ranges(images.dim(0) * images.dim(1), 65536 / (plane + 1) + 1, [&](long first, long last) {
    float* out = to + first * plane;
    for (long p = first; p < last; ++p)
      for (const long row : rows)
        for (const long column : columns) *out++ = from[p * plane + row * width + column];
  });
  return result;
}

}  // namespace

void check_augment(const Augment& a, long height, long width) {
  const auto possible = [](long pixels) { return 0 <= pixels && pixels <= max_array_bytes; };
  expect(possible(a.crop_padding) && possible(a.cutout),
         "augment: crop_padding is {} and cutout {}, not both in [0, 2^56]", a.crop_padding, a.cutout);
  expect(!a.reflect || a.crop_padding < std::max(1l, std::min(height, width)),
         "augment: images of {} x {} pixels cannot be padded by {} mirrored pixels", height, width,
         a.crop_padding);
  expect(0 <= a.flip_probability && a.flip_probability <= 1, "augment: {} is not a probability",
         a.flip_probability);
}

View draw_view(const Augment& a, long height, long width, const Draw& draw) {
  Generator generator(draw.seed, views | std::uint64_t(draw.epoch) << 32 | std::uint64_t(draw.position) << 3);
  const long dy = generator.below(2 * a.crop_padding + 1) - a.crop_padding;
  const long dx = generator.below(2 * a.crop_padding + 1) - a.crop_padding;
  const bool heads = generator.uniform() < a.flip_probability;
  const bool coin = Generator(draw.seed, coins | std::uint64_t(draw.index)).below(2) == 1;
  const bool flipped = a.flip == Augment::Flip::random        ? heads
                       : a.flip == Augment::Flip::alternating ? coin != (draw.epoch % 2 == 1)
                                                              : false;
  View view{sources(height, dy, a.reflect), sources(width, dx, a.reflect)};
  if (flipped) std::reverse(view.columns.begin(), view.columns.end());
  if (a.cutout > 0) {
    const long top = generator.below(height) - a.cutout / 2, left = generator.below(width) - a.cutout / 2;
    view.top = std::max(0l, top);
    view.bottom = std::min(height, top + a.cutout);
    view.left = std::max(0l, left);
    view.right = std::min(width, left + a.cutout);
  }
  return view;
}

Array mirrored(const Array& images) {
  check_batch("mirrored", images);
  auto columns = sources(images.dim(3), 0, false);
  std::reverse(columns.begin(), columns.end());
  return gather(images, sources(images.dim(2), 0, false), columns);
}

Array shifted(const Array& images, long dy, long dx) {
  check_batch("shifted", images);
  const long height = images.dim(2), width = images.dim(3);
  expect(-height < dy && dy < height && -width < dx && dx < width,
         "shifted: images {} cannot be shifted by ({}, {})", images.shape(), dy, dx);
  return gather(images, sources(height, -dy, true), sources(width, -dx, true));
}

}  // namespace xgrad
