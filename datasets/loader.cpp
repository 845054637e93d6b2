// Batches: their order from a counter-based generator, their pixels from a table, where a view tells.
#include <xgrad/datasets/loader.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/profile.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/datasets/prefetch.hpp>

namespace xgrad {
namespace {

void check_dataset(const Dataset& data) {
  const bool arrays = data.images.defined() && data.labels.defined();
  const bool fits = arrays && data.images.dtype() == DType::u8 && data.images.rank() == 4 &&
                    data.labels.dtype() == DType::i64 && data.labels.shape() == Shape{data.images.dim(0)};
  if (!arrays) fail("loader: {} holds no images", data.name.empty() ? "the dataset" : data.name);
  expect(fits, "loader: {} has images {} {} and labels {} {}, not u8 (N, C, H, W) and i64 (N,)", data.name,
         data.images.dtype(), data.images.shape(), data.labels.dtype(), data.labels.shape());
}

/// The generator's position has 31 bits for it.
constexpr long last_epoch = (1l << 31) - 1;

/// The values that the pixels of one channel can take.
using Table = std::array<float, 256>;

std::vector<Table> tables(const Pixels& pixels, long channels) {
  const auto fits = [=](const std::vector<double>& v) { return v.empty() || long(v.size()) == channels; };
  expect(fits(pixels.mean) && fits(pixels.std),
         "loader: {} means and {} stds are given for images of {} channels", pixels.mean.size(),
         pixels.std.size(), channels);
  std::vector<Table> result{std::size_t(channels)};
  for (std::size_t c = 0; c < result.size(); ++c) {
    const double mean = pixels.mean.empty() ? 0 : pixels.mean[c],
                 std = pixels.std.empty() ? 1 : pixels.std[c];
    expect(std > 0 && std < INFINITY, "loader: the std of channel {} is {}, not in (0, inf)", c, std);
    expect(std::isfinite(mean) && std::isfinite(pixels.scale),
           "loader: the mean of channel {} is {} and the scale {}, not finite", c, mean, pixels.scale);
    for (int p = 0; p < 256; ++p) result[c][std::size_t(p)] = float((p * pixels.scale - mean) / std);
  }
  return result;
}

/// How the images of a batch are varied.
struct Variation {
  Augment augment = {};
  Draw first = {};  // for the batch's first image; the next ones follow in the epoch
};

void convert(const std::uint8_t* in, const Table& value, const View& view, float* out) {
  const long width = long(view.columns.size());
  float* to = out;
  for (const long row : view.rows) {
    if (row < 0)
      std::fill_n(to, width, 0.f);
    else
      std::transform(view.columns.begin(), view.columns.end(), to,
                     [&, from = in + row * width](long x) { return x < 0 ? 0.f : value[from[x]]; });
    to += width;
  }
  for (long y = view.top; y < view.bottom; ++y)
    std::fill(out + y * width + view.left, out + y * width + view.right, 0.f);
}

/// make_batch, varied, on all threads or, `alone`, on this one.
Batch assemble(const Dataset& data, std::span<const std::int64_t> indices, const Pixels& pixels,
               const Variation& variation = {}, bool alone = false) {
  const profile::Scope scope("batch of {}", indices.size());
  check_dataset(data);
  const long n = long(indices.size()), size = data.size(), channels = data.images.dim(1);
  const long height = data.images.dim(2), width = data.images.dim(3);
  const long plane = height * width, image = channels * plane;
  for (const auto index : indices)
    expect(0 <= index && index < size, "loader: image {} is out of range for {}, which has {}", index,
           data.name, size);
  const auto values = tables(pixels, channels);
  Batch batch{Array({n, channels, height, width}), Array({n}, DType::i64)};
  auto* labels = batch.labels.mutable_data<std::int64_t>();
  auto* to = batch.images.mutable_data<float>();
  const auto* all_labels = data.labels.data<std::int64_t>();
  const auto* from = data.images.data<std::uint8_t>();
  const bool varied = variation.augment != Augment{};
  const long grain = alone ? n : std::max(1l, 32768 / std::max(1l, image));
  threads::for_ranges(n, std::max(1l, grain), [&](long first, long last) {
    for (long i = first; i < last; ++i) {
      const long index = indices[std::size_t(i)];
      labels[i] = all_labels[index];
      View view;
      if (varied) {
        Draw draw = variation.first;
        draw.position += i;
        draw.index = index;
        view = draw_view(variation.augment, height, width, draw);
      }
      for (long c = 0; c < channels; ++c) {
        const auto* in = from + index * image + c * plane;
        auto* out = to + i * image + c * plane;
        const Table& value = values[std::size_t(c)];
        if (varied)
          convert(in, value, view, out);
        else
          std::transform(in, in + plane, out, [&](std::uint8_t p) { return value[p]; });
      }
    }
  });
  return batch;
}

}  // namespace

Batch make_batch(const Dataset& data, std::span<const std::int64_t> indices, const Pixels& pixels) {
  return assemble(data, indices, pixels);
}

Batch make_batch(const Dataset& data, long begin, long end, const Pixels& pixels) {
  expect(0 <= begin && begin <= end && end <= data.size(),
         "loader: {} has {} images; the range [{}, {}) is invalid", data.name, data.size(), begin, end);
  std::vector<std::int64_t> indices(std::size_t(end - begin));
  std::iota(indices.begin(), indices.end(), begin);
  return make_batch(data, indices, pixels);
}

namespace detail {

void check_data(const Dataset& data, const LoaderOptions& options) {
  check_dataset(data);
  tables(options.pixels, data.images.dim(1));
  check_augment(options.augment, data.images.dim(2), data.images.dim(3));
  evaluate(data.images);  // another thread may read them
  evaluate(data.labels);
}

Batch batch_of(const Dataset& data, const LoaderOptions& options, const Picked& picked) {
  return assemble(data, picked.indices, options.pixels, {options.augment, picked.first}, picked.alone);
}

void check_arrays(std::span<const Array> arrays, const LoaderOptions& options) {
  expect(options.pixels == Pixels{} && options.augment == Augment{},
         "loader: pixels and augment are for the images of a Dataset; Arrays are handed out as they are");
  for (auto& array : arrays) evaluate(array);  // another thread may read them
}

AnyLoader::AnyLoader(std::string name, long size, LoaderOptions options, Make make)
    : name_(std::move(name)), size_(size), make_(std::move(make)), options_(std::move(options)) {
  expect(options_.prefetch >= 0, "loader: prefetch is {}, not at least 0", options_.prefetch);
  expect(options_.batch >= 1, "loader: batch is {}, not at least 1", options_.batch);
  expect(steps_per_epoch() >= 1, "loader: {} has {} samples, too few for a{} batch of {}", name_, size_,
         options_.drop_last ? " full" : "", options_.batch);
  restore({.seed = options_.seed});
}

/// Another Loader's batches, made ahead, each with the state that it left behind.
struct AnyLoader::Ahead : Prefetch<std::pair<std::any, LoaderState>> {
  Ahead(AnyLoader maker, long depth)
      : Prefetch(
            [maker = std::move(maker)]() mutable {
              std::any batch = maker.make_next();
              return std::pair(std::move(batch), maker.state());
            },
            std::size_t(depth)) {}
};

/// A forked process leaves what its parent's thread may have been writing to as it is.
void AnyLoader::end_ahead() noexcept {
  if (ahead_ && !ahead_->forked()) delete ahead_;
  ahead_ = nullptr;
}

AnyLoader::AnyLoader(const AnyLoader& other)
    : name_(other.name_),
      size_(other.size_),
      make_(other.make_),
      options_(other.options_),
      state_(other.state_),
      order_(other.order_),
      alone_(other.alone_) {}
AnyLoader::AnyLoader(AnyLoader&& other) noexcept
    : name_(std::move(other.name_)),
      size_(other.size_),
      make_(std::move(other.make_)),
      options_(std::move(other.options_)),
      state_(other.state_),
      order_(std::move(other.order_)),
      ahead_(std::exchange(other.ahead_, nullptr)),
      alone_(other.alone_) {}
AnyLoader& AnyLoader::operator=(AnyLoader other) noexcept {
  std::swap(name_, other.name_);
  std::swap(size_, other.size_);
  std::swap(make_, other.make_);
  std::swap(options_, other.options_);
  std::swap(state_, other.state_);
  std::swap(order_, other.order_);
  std::swap(ahead_, other.ahead_);
  std::swap(alone_, other.alone_);
  return *this;
}
AnyLoader::~AnyLoader() { end_ahead(); }

long AnyLoader::steps_per_epoch() const {
  const long n = size_, batch = options_.batch, full = n / batch, left = n % batch;
  return options_.drop_last ? full : full + (left > 1 || (left == 1 && full == 0));
}

std::any AnyLoader::next_batch() {
  if (options_.prefetch == 0) return make_next();
  if (ahead_ && ahead_->forked()) end_ahead();
  if (!ahead_) {
    AnyLoader maker(*this);
    maker.options_.prefetch = 0;
    maker.restore(state_);
    maker.alone_ = true;  // whoever trains meanwhile uses the threads
    ahead_ = new Ahead(std::move(maker), options_.prefetch);
  }
  try {
    auto [batch, state] = ahead_->next();
    state_ = state;
    return batch;
  } catch (...) {
    end_ahead();  // the next call tries again
    throw;
  }
}

// Everything random follows from the state, so that a thread may make batches ahead of those handed out.
std::any AnyLoader::make_next() {
  const long n = size_, left = n - state_.position;
  long count = std::min(options_.batch, left);
  if (!options_.drop_last && options_.batch > 1 && left == count + 1) ++count;  // no batch of one sample
  const auto indices = std::span(order_).subspan(std::size_t(state_.position), std::size_t(count));
  const Draw first{.seed = state_.seed, .epoch = state_.epoch, .position = state_.position};
  std::any batch = make_({indices, first, alone_});
  if (left - count >= (options_.drop_last ? options_.batch : 1)) {
    state_.position += count;
  } else {
    const LoaderState next{.seed = state_.seed, .epoch = state_.epoch + 1};
    order_ = draw_order(next);  // first: without memory for it nothing changes
    state_ = next;
  }
  return batch;
}

void AnyLoader::restore(const LoaderState& state) {
  const long batch = options_.batch;
  expect(0 <= state.epoch && state.epoch <= last_epoch, "loader: epoch {} is not in [0, {}]", state.epoch,
         last_epoch);
  expect(0 <= state.position && state.position % batch == 0 && state.position / batch < steps_per_epoch(),
         "loader: no batch begins at sample {} of {}: {} batches of {} begin at multiples of {}",
         state.position, name_, steps_per_epoch(), batch, batch);
  if (options_.prefetch == 0) order_ = draw_order(state);
  end_ahead();
  state_ = state;
}

std::vector<std::int64_t> AnyLoader::draw_order(const LoaderState& state) const {
  const long n = size_;
  // The upper half of the generator's positions: whoever else uses the seed starts at 0 and gets other
  // numbers.
  Generator generator(state.seed, 1ull << 63 | std::uint64_t(state.epoch) << 32);
  if (options_.shuffle && !options_.replacement) return generator.permutation(n);
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  if (options_.replacement)
    std::generate(order.begin(), order.end(), [&] { return generator.below(n); });
  else
    std::iota(order.begin(), order.end(), 0);
  return order;
}

}  // namespace detail
}  // namespace xgrad
