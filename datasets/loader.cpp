// Batches: their order from a counter-based generator, their pixels from a table.
#include "datasets/loader.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/profile.hpp"
#include "core/random.hpp"
#include "core/threads.hpp"

namespace xgrad {
namespace {

void check(const Dataset& data) {
  const bool arrays = data.images.defined() && data.labels.defined();
  const bool fits = arrays && data.images.dtype() == DType::u8 && data.images.rank() == 4 &&
                    data.labels.dtype() == DType::i64 && data.labels.shape() == Shape{data.images.dim(0)};
  if (!arrays) fail("loader: {} holds no images", data.name.empty() ? "the dataset" : data.name);
  expect(fits, "loader: {} has images {} {} and labels {} {}, not u8 (N, C, H, W) and i64 (N,)", data.name,
         data.images.dtype(), data.images.shape(), data.labels.dtype(), data.labels.shape());
}

/// The 256 values that the pixels of each channel can take.
std::vector<std::array<float, 256>> tables(const Pixels& pixels, long channels) {
  const auto fits = [=](const std::vector<double>& v) { return v.empty() || long(v.size()) == channels; };
  expect(fits(pixels.mean) && fits(pixels.std),
         "loader: {} means and {} stds are given for images of {} channels", pixels.mean.size(),
         pixels.std.size(), channels);
  std::vector<std::array<float, 256>> result{std::size_t(channels)};
  for (std::size_t c = 0; c < result.size(); ++c) {
    const double mean = pixels.mean.empty() ? 0 : pixels.mean[c],
                 std = pixels.std.empty() ? 1 : pixels.std[c];
    expect(std > 0, "loader: the std of channel {} is {}, not above 0", c, std);
    for (int p = 0; p < 256; ++p) result[c][std::size_t(p)] = float((p * pixels.scale - mean) / std);
  }
  return result;
}

}  // namespace

Batch make_batch(const Dataset& data, std::span<const std::int64_t> indices, const Pixels& pixels) {
  const profile::Scope scope("batch of {}", indices.size());
  check(data);
  const long n = long(indices.size()), size = data.size(), channels = data.images.dim(1);
  const long plane = data.images.dim(2) * data.images.dim(3), image = channels * plane;
  for (const auto index : indices)
    expect(0 <= index && index < size, "loader: there is no image {} in {}, which has {}", index, data.name,
           size);
  const auto values = tables(pixels, channels);
  Batch batch{Array({n, channels, data.images.dim(2), data.images.dim(3)}), Array({n}, DType::i64)};
  auto* labels = batch.labels.mutable_data<std::int64_t>();
  auto* to = batch.images.mutable_data<float>();
  const auto* all_labels = data.labels.data<std::int64_t>();
  const auto* from = data.images.data<std::uint8_t>();
  threads::for_ranges(n, std::max(1l, 32768 / std::max(1l, image)), [&](long first, long last) {
    for (long i = first; i < last; ++i) {
      const long index = indices[std::size_t(i)];
      labels[i] = all_labels[index];
      for (long c = 0; c < channels; ++c) {
        const auto* in = from + index * image + c * plane;
        const auto& value = values[std::size_t(c)];
        std::transform(in, in + plane, to + i * image + c * plane, [&](std::uint8_t p) { return value[p]; });
      }
    }
  });
  return batch;
}

Batch make_batch(const Dataset& data, long begin, long end, const Pixels& pixels) {
  expect(0 <= begin && begin <= end && end <= data.size(),
         "loader: {} has {} images, so there is no range [{}, {})", data.name, data.size(), begin, end);
  std::vector<std::int64_t> indices(std::size_t(end - begin));
  std::iota(indices.begin(), indices.end(), begin);
  return make_batch(data, indices, pixels);
}

Loader::Loader(Dataset data, LoaderOptions options) : data_(std::move(data)), options_(std::move(options)) {
  check(data_);
  tables(options_.pixels, data_.images.dim(1));
  expect(options_.batch >= 1, "loader: a batch of {} images is none", options_.batch);
  expect(steps_per_epoch() >= 1, "loader: {} has {} images, too few for a{} batch of {}", data_.name,
         data_.size(), options_.drop_last ? " full" : "", options_.batch);
  restore({.seed = options_.seed});
}

long Loader::steps_per_epoch() const {
  const long n = data_.size(), batch = options_.batch;
  return options_.drop_last ? n / batch : (n + batch - 1) / batch;
}

// Everything random follows from the state, so that a thread may prepare batches ahead of those handed out.
Batch Loader::next() {
  const long n = data_.size(), count = std::min(options_.batch, n - state_.position);
  const auto indices = std::span(order_).subspan(std::size_t(state_.position), std::size_t(count));
  Batch batch = make_batch(data_, indices, options_.pixels);
  state_.position += count;
  if (n - state_.position < (options_.drop_last ? options_.batch : 1)) {
    state_.position = 0;
    ++state_.epoch;
    draw_order();
  }
  return batch;
}

void Loader::restore(const LoaderState& state) {
  expect(state.epoch >= 0 && 0 <= state.position && state.position < data_.size(),
         "loader: epoch {}, image {} is no place in {}, which has {} images", state.epoch, state.position,
         data_.name, data_.size());
  state_ = state;
  draw_order();
}

void Loader::draw_order() {
  const long n = data_.size();
  // The upper half of the generator's positions: whoever else uses the seed starts at 0 and gets other
  // numbers.
  Generator generator(state_.seed, 1ull << 63 | std::uint64_t(state_.epoch) << 32);
  order_.resize(std::size_t(n));
  if (!options_.shuffle && !options_.replacement)
    std::iota(order_.begin(), order_.end(), 0);
  else if (!options_.replacement)
    order_ = generator.permutation(n);
  else
    std::generate(order_.begin(), order_.end(), [&] { return generator.below(n); });
}

}  // namespace xgrad
