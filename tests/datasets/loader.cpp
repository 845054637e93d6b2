// Tests of batches: what is in them, in which order, and that a restored loader goes on bit for bit.
#include <xgrad/datasets/loader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <numeric>
#include <set>

#include <xgrad/core/base/threads.hpp>
#include "tests/datasets/files.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

using Labels = std::vector<std::int64_t>;

Labels labels_of(const Batch& batch) {
  const auto e = batch.labels.elements<std::int64_t>();
  return {e.begin(), e.end()};
}
/// The labels of an epoch; in small_dataset(n, n) they are the indices.
Labels labels_of(Loader<Dataset>& loader) {
  Labels all;
  for (const Batch& batch : loader.epoch())
    for (const auto label : labels_of(batch)) all.push_back(label);
  return all;
}
Labels sorted(Labels labels) {
  std::sort(labels.begin(), labels.end());
  return labels;
}
Labels counting(long n) {
  Labels labels(static_cast<std::size_t>(n));
  std::iota(labels.begin(), labels.end(), 0);
  return labels;
}
bool same(const Batch& a, const Batch& b) {
  return same_bits(a.images, b.images) && same_bits(a.labels, b.labels);
}

}  // namespace

TEST_CASE("make_batch: pixels / 255 of the images asked for") {
  const Dataset data = small_dataset(50, 50);
  const std::int64_t indices[] = {30, 2, 30};
  const Batch batch = make_batch(data, indices);
  CHECK(batch.images.shape() == Shape{3, 3, 2, 2});
  CHECK(batch.images.dtype() == DType::f32);
  CHECK(labels_of(batch) == Labels{30, 2, 30});
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t p = 0; p < 12; ++p) {
      const int pixel = int(indices[i] * 7 + std::int64_t(p)) % 256;
      CHECK(batch.images.elements<float>()[i * 12 + p] == float(pixel) / 255.f);
    }
  CHECK(labels_of(make_batch(data, 5, 8)) == Labels{5, 6, 7});
  CHECK(make_batch(data, 5, 5).images.shape() == Shape{0, 3, 2, 2});
}

TEST_CASE("make_batch: mean and std are per channel") {
  const Dataset data = small_dataset(4);
  const Batch batch = make_batch(data, 3, 4, {.scale = .5, .mean = {1, 2, 3}, .std = {1, 2, 4}});
  for (int p = 0; p < 12; ++p) {
    const double mean[] = {1, 2, 3}, std[] = {1, 2, 4};
    CHECK(batch.images.elements<float>()[std::size_t(p)] ==
          float(((21 + p) * .5 - mean[p / 4]) / std[p / 4]));
  }
  CHECK(error_of([&] {
          make_batch(data, 0, 1, {.mean = {1, 2}});
        }) == "loader: 2 means and 0 stds are given for images of 3 channels");
  CHECK(error_of([&] {
          make_batch(data, 0, 1, {.std = {1, 0, 1}});
        }) == "loader: the std of channel 1 is 0, not in (0, inf)");
}

TEST_CASE("make_batch: numbers that are not finite are no mean, std or scale") {
  const Dataset data = small_dataset(4);
  for (double bad : {double(NAN), double(INFINITY)}) {
    CHECK(
        error_of([&] { make_batch(data, 0, 1, {.scale = bad}); }).starts_with("loader: the mean of channel"));
    CHECK(error_of([&] {
            make_batch(data, 0, 1, {.mean = {0, bad, 0}});
          }) ==
          fmt::format("loader: the mean of channel 1 is {} and the scale {}, not finite", bad, 1. / 255));
    CHECK(error_of([&] {
            Loader(data, {.pixels = {.std = {1, 1, bad}}});
          }) == fmt::format("loader: the std of channel 2 is {}, not in (0, inf)", bad));
  }
}

TEST_CASE("loader: only places where a batch begins can be restored") {
  for (const auto& [n, batch, drop_last, good] :
       std::vector<std::tuple<long, long, bool, std::vector<long>>>{{5, 2, false, {0, 2}},
                                                                    {5, 2, true, {0, 2}},
                                                                    {5, 3, true, {0}},
                                                                    {6, 2, false, {0, 2, 4}},
                                                                    {1, 2, false, {0}},
                                                                    {5, 9, false, {0}},
                                                                    {3, 1, false, {0, 1, 2}}}) {
    std::vector<long> taken;
    for (long position = -1; position <= n; ++position) {
      Loader loader(small_dataset(n), {.batch = batch, .drop_last = drop_last});
      if (error_of([&] { loader.restore({.position = position}); }).empty()) taken.push_back(position);
    }
    CHECK(taken == good);
  }
  Loader loader(small_dataset(5));
  CHECK(error_of([&] { loader.restore({.epoch = LONG_MAX}); }) ==
        "loader: epoch 9223372036854775807 is not in [0, 2147483647]");
  loader.restore({.epoch = (1l << 31) - 1});
  loader.next();
  CHECK(loader.state().epoch == 1l << 31);
}

TEST_CASE("make_batch: what is no image or no dataset is an error") {
  Dataset data = small_dataset(4);
  const std::int64_t indices[] = {0, 4};
  CHECK(error_of([&] { make_batch(data, indices); }) ==
        "loader: image 4 is out of range for small, which has 4");
  CHECK(error_of([&] { make_batch(data, 2, 5); }) ==
        "loader: small has 4 images; the range [2, 5) is invalid");
  data.labels = Array({3}, DType::i64);
  CHECK(error_of([&] { make_batch(data, 0, 1); }) ==
        "loader: small has images u8 (4, 3, 2, 2) and labels i64 (3,), not u8 (N, C, H, W) and i64 (N,)");
  CHECK(error_of([&] { make_batch({}, 0, 0); }) == "loader: the dataset holds no images");
}

TEST_CASE("loader: each image once an epoch, in an order of the epoch's own") {
  Loader loader(small_dataset(53, 53), {.batch = 10, .seed = 4});
  CHECK(loader.steps_per_epoch() == 6);
  const Labels first = labels_of(loader), second = labels_of(loader);
  CHECK(sorted(first) == counting(53));
  CHECK(sorted(second) == counting(53));
  CHECK(first != counting(53));
  CHECK(first != second);
  Loader again(small_dataset(53, 53), {.batch = 7, .seed = 4}),
      other(small_dataset(53, 53), {.batch = 10, .seed = 5});
  CHECK(labels_of(again) == first);  // whatever the size of the batch
  CHECK(labels_of(other) != first);
}

TEST_CASE("loader: batches are full but the last, which may be left out") {
  Loader loader(small_dataset(23, 23), {.batch = 10, .shuffle = false});
  std::vector<long> sizes;
  Labels labels;
  for (const Batch& batch : loader.epoch()) {
    sizes.push_back(batch.labels.size());
    CHECK(batch.images.dim(0) == batch.labels.size());
    for (const auto label : labels_of(batch)) labels.push_back(label);
  }
  CHECK(sizes == std::vector<long>{10, 10, 3});
  CHECK(labels == counting(23));
  Loader full(small_dataset(23, 23), {.batch = 10, .shuffle = false, .drop_last = true});
  CHECK(full.steps_per_epoch() == 2);
  CHECK(labels_of(full) == counting(20));
  CHECK(full.state() == LoaderState{.seed = 0, .epoch = 1, .position = 0});
}

TEST_CASE("loader: a last image alone joins the batch before it") {
  auto sizes = [](long n, LoaderOptions options) {
    Loader loader(small_dataset(n, n), options);
    const long steps = loader.steps_per_epoch();
    std::vector<long> found;
    Labels labels;
    for (const Batch& batch : loader.epoch()) {
      found.push_back(batch.labels.size());
      for (const auto label : labels_of(batch)) labels.push_back(label);
    }
    CHECK(long(found.size()) == steps);
    CHECK(loader.state() == LoaderState{.seed = 0, .epoch = 1, .position = 0});
    if (!options.drop_last && !options.replacement) CHECK(sorted(labels) == counting(n));
    return found;
  };
  for (const bool replacement : {false, true})
    for (const long prefetch : {0l, 2l}) {
      const LoaderOptions ten{.batch = 10, .replacement = replacement, .prefetch = prefetch};
      CHECK(sizes(21, ten) == std::vector<long>{10, 11});
      CHECK(sizes(11, ten) == std::vector<long>{11});
      CHECK(sizes(22, ten) == std::vector<long>{10, 10, 2});
    }
  CHECK(sizes(21, {.batch = 10, .shuffle = false}) == std::vector<long>{10, 11});
  CHECK(sizes(21, {.batch = 10, .drop_last = true}) == std::vector<long>{10, 10});
  CHECK(sizes(3, {.batch = 2}) == std::vector<long>{3});
  CHECK(sizes(3, {.batch = 1}) == std::vector<long>{1, 1, 1});  // as it was asked for
  CHECK(sizes(1, {.batch = 10}) == std::vector<long>{1});

  Loader loader(small_dataset(21, 21), {.batch = 10, .seed = 3}), again = loader;
  loader.next();
  again.restore(loader.state());
  for (int i = 0; i < 4; ++i) CHECK(same(loader.next(), again.next()));
}

TEST_CASE("loader: drawing with replacement") {
  const long n = 1000;
  Loader loader(small_dataset(n, n), {.batch = 100, .replacement = true, .seed = 1});
  CHECK(loader.steps_per_epoch() == 10);
  const Labels first = labels_of(loader), second = labels_of(loader);
  CHECK(first.size() == 1000);
  CHECK(first != second);
  // Of n draws from n, a share of 1 - 1/e is different: 632 with a standard deviation of about 10.
  const auto different = std::set(first.begin(), first.end()).size();
  CHECK(different > 580);
  CHECK(different < 684);
  CHECK(*std::min_element(first.begin(), first.end()) >= 0);
  CHECK(*std::max_element(first.begin(), first.end()) < n);
}

TEST_CASE("loader: a restored loader goes on bit for bit") {
  for (const bool replacement : {false, true})
    for (const long stop : {0l, 3l, 5l, 6l, 17l}) {
      const LoaderOptions options{.batch = 10, .replacement = replacement, .seed = 9};
      Loader loader(small_dataset(53, 53), options);
      for (long i = 0; i < stop; ++i) loader.next();
      const LoaderState state = loader.state();
      CHECK(state == LoaderState{.seed = 9, .epoch = stop / 6, .position = stop % 6 * 10});
      Loader resumed(small_dataset(53, 53), {.batch = 10, .replacement = replacement});
      resumed.restore(state);
      for (int i = 0; i < 20; ++i) CHECK(same(loader.next(), resumed.next()));
      CHECK(loader.state() == resumed.state());
    }
}

TEST_CASE("loader: an epoch that was begun is gone on with") {
  Loader loader(small_dataset(53, 53), {.batch = 10, .seed = 9}),
      whole(small_dataset(53, 53), {.batch = 10, .seed = 9});
  const Labels all = labels_of(whole);
  loader.next();
  loader.next();
  CHECK(labels_of(loader) == Labels(all.begin() + 20, all.end()));
  CHECK(loader.state().epoch == 1);
  CHECK(sorted(labels_of(loader)) == counting(53));
}

TEST_CASE("loader: the number of threads changes nothing") {
  const Restore restore;
  const Dataset data = small_dataset(64, 10, {3, 32, 32});
  std::vector<Batch> batches;
  for (const int count : {1, 2, 5}) {
    threads::set(count);
    batches.push_back(Loader(data, {.batch = 50, .seed = 2}).next());
  }
  CHECK(same(batches[0], batches[1]));
  CHECK(same(batches[0], batches[2]));
}

TEST_CASE("loader: batches made ahead are the same ones, and so is the state") {
  for (const bool replacement : {false, true}) {
    LoaderOptions options{.batch = 10, .replacement = replacement, .seed = 9};
    Loader plain(small_dataset(53, 53), options);
    options.prefetch = 4;
    Loader ahead(small_dataset(53, 53), options);
    CHECK(ahead.state() == plain.state());
    for (int i = 0; i < 40; ++i) {
      CHECK(same(ahead.next(), plain.next()));
      REQUIRE(ahead.state() == plain.state());
    }
    CHECK(labels_of(ahead) == labels_of(plain));
  }
}

TEST_CASE("loader: restoring discards what was made ahead") {
  const LoaderOptions options{.batch = 10, .seed = 9, .prefetch = 3};
  Loader loader(small_dataset(53, 53), options);
  std::vector<Batch> batches;
  for (int i = 0; i < 20; ++i) batches.push_back(loader.next());
  for (const std::size_t to : {0ul, 2ul, 6ul, 15ul}) {
    loader.restore({.seed = 9, .epoch = long(to / 6), .position = long(to % 6 * 10)});
    for (std::size_t i = to; i < 20; ++i) REQUIRE(same(loader.next(), batches[i]));
  }
  CHECK(error_of([&] { loader.restore({.position = 53}); }) != "");
  CHECK(loader.state() == LoaderState{.seed = 9, .epoch = 3, .position = 20});
}

TEST_CASE("loader: a copy goes on by itself, whatever was made ahead") {
  for (const long prefetch : {0l, 2l}) {
    Loader loader(small_dataset(53, 53), {.batch = 10, .seed = 9, .prefetch = prefetch});
    loader.next();
    Loader copy = loader, assigned(small_dataset(5), {});
    assigned = copy;
    const Batch second = loader.next();
    CHECK(same(copy.next(), second));
    CHECK(same(assigned.next(), second));
    Loader moved = std::move(loader);
    CHECK(same(moved.next(), copy.next()));
    CHECK(moved.state() == copy.state());
  }
}

TEST_CASE("loader: what cannot be is an error at once") {
  const Dataset data = small_dataset(9);
  CHECK(error_of([&] { Loader(data, {.batch = 0}); }) == "loader: batch is 0, not at least 1");
  CHECK(error_of([&] { Loader(data, {.batch = 10, .drop_last = true}); }) ==
        "loader: small has 9 samples, too few for a full batch of 10");
  CHECK(error_of([&] { Loader(data.first(0)); }) ==
        "loader: small has 0 samples, too few for a batch of 100");
  CHECK(error_of([&] { Loader(Dataset{}); }) == "loader: the dataset holds no images");
  CHECK(error_of([&] { Loader(data, {.prefetch = -1}); }) == "loader: prefetch is -1, not at least 0");
  Loader loader(data, {.batch = 2});
  CHECK(error_of([&] { loader.restore({.epoch = 1, .position = 9}); }) ==
        "loader: no batch begins at sample 9 of small: 4 batches of 2 begin at multiples of 2");
}
