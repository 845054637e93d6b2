#pragma once
// Loader: hands out a Dataset in batches, in an order that a seed fixes.
#include <memory>
#include <span>

#include <xgrad/datasets/dataset.hpp>
#include <xgrad/datasets/transforms.hpp>

namespace xgrad {

/// What becomes of a pixel p of channel c: (p * scale - mean[c]) / std[c], computed in double, rounded to
/// f32.
struct Pixels {
  double scale = 1. / 255;        ///< of all channels
  std::vector<double> mean = {};  ///< one a channel; empty: 0
  std::vector<double> std = {};   ///< one a channel; empty: 1
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
  long batch = 100;          ///< images
  bool shuffle = true;       ///< else in the Dataset's order, as for an evaluation
  bool replacement = false;  ///< draws each image from all of them, instead of each once an epoch
  bool drop_last = false;  ///< leaves out a last batch that is not full; a last image alone joins the others
  std::uint64_t seed = 0;  ///< of the order and of what is varied
  Pixels pixels = {};      ///< what becomes of the bytes
  Augment augment = {};    ///< what is varied; nothing by default
  /// Batches that are made ahead, on a thread of the loader's own; what comes out is the same.
  long prefetch = 0;
};

/// Where a Loader stands: what the next batch is follows from it alone.
struct LoaderState {
  std::uint64_t seed = 0;  ///< as in the options
  long epoch = 0;          ///< epochs ended
  long position = 0;       ///< images handed out in this epoch
  /// Whether a Loader continues alike from both.
  bool operator==(const LoaderState&) const = default;
};

/// Yields batches, epoch after epoch: each epoch has as many images as the Dataset, in an order of its own
/// that depends on the seed and the number of the epoch alone. A last batch would have a single image where
/// one is left over; batch normalisation cannot be trained on it, so the batch before takes it in and has one
/// image more than the others. Only `batch = 1`, or a Dataset of one image, makes batches of one. What comes
/// out is the same for any number of threads. A value: a copy goes on from where the original stands, on its
/// own; so does the one that a forked process has.
class Loader {
 public:
  class Epoch;
  /// Throws Error when there is no batch to make (no images, a batch below 1, or none full with drop_last) or
  /// an option does not fit the images.
  explicit Loader(Dataset data, LoaderOptions options = {});
  ///@{
  /// A copy makes its own batches ahead, from where the original stands; a moved one takes them along.
  Loader(const Loader& other);
  Loader(Loader&& other) noexcept;
  Loader& operator=(const Loader& other) { return *this = Loader(other); }
  Loader& operator=(Loader&&) noexcept;
  ///@}
  ~Loader();

  /// The next batch; after the last one of an epoch, the first one of the next.
  Batch next();
  /// The batches that are left of this epoch, all of them at its start: `for (const Batch& batch :
  /// loader.epoch())`.
  Epoch epoch() &;
  /// Batches in a whole epoch.
  long steps_per_epoch() const;

  /// What the batches are made of.
  const Dataset& dataset() const { return data_; }
  /// As given.
  const LoaderOptions& options() const { return options_; }
  /// Where it stands after the batches handed out so far. A Loader of the same Dataset and options that is
  /// brought to this state continues bit for bit.
  const LoaderState& state() const { return state_; }
  /// Throws Error when no batch of this Dataset and these options begins there.
  void restore(const LoaderState& state);

 private:
  struct Ahead;
  struct End {
    void operator()(Ahead* ahead) const;
  };
  Batch make_next();
  std::vector<std::int64_t> draw_order(const LoaderState& state) const;

  Dataset data_;
  LoaderOptions options_;
  LoaderState state_;
  std::vector<std::int64_t> order_;    // of this epoch; empty where another Loader makes the batches ahead
  std::unique_ptr<Ahead, End> ahead_;  // once the first batch was asked for
  bool alone_ = false;                 // makes batches on the calling thread, and leaves the others alone
};

/// What is left of an epoch, to be gone through once.
class Loader::Epoch {
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

inline Loader::Epoch Loader::epoch() & { return Epoch(*this); }

}  // namespace xgrad
