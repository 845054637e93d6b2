#pragma once
// Loader: hands out a Dataset or Arrays in batches, in an order that a seed fixes.
#include <any>
#include <functional>
#include <iterator>
#include <span>

#include <xgrad/datasets/arrays.hpp>
#include <xgrad/datasets/dataset.hpp>
#include <xgrad/datasets/transforms.hpp>

namespace xgrad {

/// What becomes of a pixel p of channel c: (p * scale - mean[c]) / std[c], computed in double, rounded to
/// f32.
struct Pixels {
  double scale = 1. / 255;        ///< of all channels
  std::vector<double> mean = {};  ///< one a channel; empty: 0
  std::vector<double> std = {};   ///< one a channel; empty: 1
  /// Whether all options are equal.
  bool operator==(const Pixels&) const = default;
};

/// B images with their labels.
struct Batch {
  Array images;  ///< f32 (B, C, H, W)
  Array labels;  ///< i64 (B,)
};

/// The images of the given indices, in that order; an index may come twice. Throws Error when an index is out
/// of range, when the Dataset is none (u8 (N, C, H, W) with N labels), or when mean or std do not fit its
/// channels.
Batch make_batch(const Dataset& data, std::span<const std::int64_t> indices, const Pixels& pixels = {});
/// The images in [begin, end).
Batch make_batch(const Dataset& data, long begin, long end, const Pixels& pixels = {});

/// How a Loader makes batches.
struct LoaderOptions {
  long batch = 100;          ///< samples
  bool shuffle = true;       ///< else in the order of the data, as for an evaluation
  bool replacement = false;  ///< draws each sample from all of them, instead of each once an epoch
  bool drop_last = false;  ///< leaves out a last batch that is not full; a last sample alone joins the others
  std::uint64_t seed = 0;  ///< of the order and of what is varied
  Pixels pixels = {};      ///< what becomes of the bytes of a Dataset's images
  Augment augment = {};    ///< what is varied in a Dataset's images; nothing by default
  /// Batches that are made ahead, on a thread of the loader's own; what comes out is the same.
  long prefetch = 0;
};

/// Where a Loader stands: what the next batch is follows from it alone.
struct LoaderState {
  std::uint64_t seed = 0;  ///< as in the options
  long epoch = 0;          ///< epochs ended
  long position = 0;       ///< samples handed out in this epoch
  /// Whether a Loader continues alike from both.
  bool operator==(const LoaderState&) const = default;
};

namespace detail {

/// The samples of a batch.
struct Picked {
  std::span<const std::int64_t> indices;  ///< in the data
  Draw first;                             ///< for the first of them; the others follow in the epoch
  bool alone;                             ///< the batch is made on the calling thread, and on no other
};

// What a Loader asks of its data, besides size(): what messages call it, that it fits the options (else an
// Error), and the batch of some samples.
inline std::string name_of(const Dataset& data) { return data.name; }
void check_data(const Dataset& data, const LoaderOptions& options);
Batch batch_of(const Dataset& data, const LoaderOptions& options, const Picked& picked);

void check_arrays(std::span<const Array> arrays, const LoaderOptions& options);
template <std::size_t N>
std::string name_of(const Arrays<N>&) {
  return "the data";
}
template <std::size_t N>
void check_data(const Arrays<N>& data, const LoaderOptions& options) {
  check_arrays(data.arrays, options);
}
template <std::size_t N>
std::array<Array, N> batch_of(const Arrays<N>& data, const LoaderOptions&, const Picked& picked) {
  std::array<Array, N> batch;
  for (std::size_t i = 0; i < N; ++i) batch[i] = select_rows(data.arrays[i], picked.indices, picked.alone);
  return batch;
}

/// A Loader whatever its data: the order of the samples, and the batches that are made ahead.
class AnyLoader {
 public:
  ///@{
  /// A copy makes its own batches ahead, from where the original stands; a moved one takes them along.
  AnyLoader(const AnyLoader& other);
  AnyLoader(AnyLoader&& other) noexcept;
  AnyLoader& operator=(AnyLoader other) noexcept;
  ///@}
  ~AnyLoader();

  /// Batches in a whole epoch.
  long steps_per_epoch() const;
  /// As given.
  const LoaderOptions& options() const { return options_; }
  /// Where it stands after the batches handed out so far. A Loader of the same data and options that is
  /// brought to this state continues bit for bit.
  const LoaderState& state() const { return state_; }
  /// Throws Error when no batch of this data and these options begins there.
  void restore(const LoaderState& state);

 protected:
  using Make = std::function<std::any(const Picked&)>;
  AnyLoader(std::string name, long size, LoaderOptions options, Make make);
  std::any next_batch();

 private:
  struct Ahead;
  void end_ahead() noexcept;
  std::any make_next();
  std::vector<std::int64_t> draw_order(const LoaderState& state) const;

  std::string name_;
  long size_;
  Make make_;
  LoaderOptions options_;
  LoaderState state_;
  std::vector<std::int64_t> order_;  // of this epoch; empty where another Loader makes the batches ahead
  Ahead* ahead_ = nullptr;           // owned; there once the first batch was asked for
  bool alone_ = false;               // makes batches on the calling thread, and leaves the others alone
};

}  // namespace detail

/// Yields batches, epoch after epoch: each epoch has as many samples as the data, in an order of its own
/// that depends on the seed and the number of the epoch alone. A last batch would have a single sample where
/// one is left over; batch normalisation cannot be trained on it, so the batch before takes it in and has one
/// sample more than the others. Only `batch = 1`, or data of one sample, makes batches of one. What comes
/// out is the same for any number of threads. A value: a copy goes on from where the original stands, on its
/// own; so does the one that a forked process has.
///
/// The batches of a Dataset are {images, labels}; those of Arrays are an array for each of them, of the same
/// dtypes: `Loader train(Arrays{x, y}, {.batch = 64}); for (auto& [x, y] : train.epoch()) ...`.
template <class Data>
class Loader : public detail::AnyLoader {
 public:
  /// What next() gives.
  using Batch = decltype(detail::batch_of(std::declval<const Data&>(), {}, {}));
  class Epoch;
  /// Throws Error if no batch can be formed (no samples, a batch size below 1, or fewer samples than a batch
  /// with drop_last) or an option does not fit the data.
  explicit Loader(Data data, LoaderOptions options = {})
      : AnyLoader(detail::name_of(data), data.size(), options, maker(data, options)),
        data_(std::move(data)) {}

  /// The next batch; after the last one of an epoch, the first one of the next.
  Batch next() { return std::any_cast<Batch>(next_batch()); }
  /// The batches that are left of this epoch, all of them at its start: `for (const auto& batch :
  /// loader.epoch())`.
  Epoch epoch() & { return Epoch(*this); }

  /// What the batches are made of.
  const Data& dataset() const { return data_; }

 private:
  static Make maker(const Data& data, const LoaderOptions& options) {
    detail::check_data(data, options);
    return [=](const detail::Picked& picked) { return std::any(detail::batch_of(data, options, picked)); };
  }

  Data data_;
};

/// What is left of an epoch, to be gone through once.
template <class Data>
class Loader<Data>::Epoch {
 public:
  /// Goes through the batches and holds one at a time.
  class Iterator {
   public:
    /// Makes the first batch.
    explicit Iterator(Loader& loader)
        : loader_(&loader), epoch_(loader.state().epoch), batch_(loader.next()) {}
    ///@{
    /// The present batch, until the next one is made.
    const Batch& operator*() const { return batch_; }
    const Batch* operator->() const { return &batch_; }
    ///@}
    /// Makes the next batch, unless the epoch has ended.
    Iterator& operator++() {
      if (loader_->state().epoch != epoch_)
        done_ = true;
      else
        batch_ = loader_->next();
      return *this;
    }
    /// Whether the epoch has ended.
    bool operator==(std::default_sentinel_t) const { return done_; }

   private:
    Loader* loader_;
    long epoch_;
    Batch batch_;
    bool done_ = false;
  };

  /// What Loader::epoch() gives.
  explicit Epoch(Loader& loader) : loader_(loader) {}
  /// Makes the first batch that is left, so call it once.
  Iterator begin() { return Iterator(loader_); }
  /// The end of the epoch.
  std::default_sentinel_t end() const { return {}; }

 private:
  Loader& loader_;
};

}  // namespace xgrad
