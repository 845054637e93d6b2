// Every integer argument of layers, data sets and images at the ends of its range.
#include "tests/integers.hpp"

#include <xgrad/datasets/image.hpp>
#include <xgrad/datasets/loader.hpp>
#include <xgrad/datasets/synthetic.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/models/airbench.hpp>
#include <xgrad/nn/models/deep_convnet.hpp>
#include <xgrad/nn/models/resnet.hpp>
#include <xgrad/nn/models/simple_convnet.hpp>
#include <xgrad/nn/whitening.hpp>

namespace xgrad::tests {

TEST_CASE("integers: layers", "[nn][integers]") {
  const Variable images(ones({1, 2, 5, 4}));
  auto run = [&](auto layer, const Variable& x) { compute(layer(x)); };
  try_integers("Linear", [&](long n) { run(Linear(n, 2), Variable(ones({3, std::max(n, 0l)}))); });
  try_integers("linear", [&](long n) { run(Linear(2, n), Variable(ones({3, 2}))); });
  try_integers("conv2d", [&](long n) { run(Conv2d(n, 4), images); });
  try_integers("conv2d", [&](long n) { run(Conv2d(2, n), images); });
  try_integers("conv2d", [&](long n) { run(Conv2d(2, 4, {.kernel = n}), images); });
  try_integers("Conv2d", [&](long n) { run(Conv2d(2, 4, {.kernel = 1, .groups = n}), images); });
  try_integers("conv2d", [&](long n) { run(Conv2d(2, 4, {.stride = n}), images); });
  try_integers("conv2d", [&](long n) { run(Conv2d(2, 4, {.padding = n}), images); });
  try_integers("conv_transpose2d", [&](long n) { run(ConvTranspose2d(2, n), images); });
  try_integers("conv_transpose2d", [&](long n) { run(ConvTranspose2d(2, 4, {.stride = n}), images); });
  try_integers("ConvTranspose2d", [&](long n) { run(ConvTranspose2d(2, 4, {.groups = n}), images); });
  try_integers("batch_norm", [&](long n) { run(BatchNorm(n), images); });
  try_integers("layer_norm", [&](long n) { run(LayerNorm({n, 4}), images); });
  try_integers("embedding", [&](long n) { Embedding(n, 3)(zeros({2}, DType::i64)); });
  try_integers("embedding", [&](long n) { Embedding(3, n)(zeros({2}, DType::i64)); });
  try_integers("whitening_filters", [&](long n) { whitening_filters(images.data(), n); });
  try_integers("whitening_filters", [&](long n) { whitening_filters(images.data(), 2, 5e-4, n); });
}

TEST_CASE("integers: models", "[nn][integers]") {
  // A size that wrapped around may be 0.
  auto fits = [](const Linear& fc) { REQUIRE(fc.weight.shape()[1] > 0); };
  try_integers("SimpleConvNet", [&](long n) { fits(SimpleConvNet(1, n).fc1); });
  auto deep = [&](DeepConvNetOptions o) {
    o.widths = {2, 2, 2}, o.hidden = 3;
    fits(DeepConvNet(o).fc1);
  };
  try_integers("DeepConvNet", [&](long n) { deep({.size = n}); });
  try_integers("DeepConvNet", [&](long n) { deep({.padding4 = n}); });
  try_integers("DeepConvNet", [&](long n) { deep({.size = n, .padding4 = n}); });
  try_integers("ResNet", [&](long n) {
    const ResNet net(n);
    REQUIRE(long(net.blocks.size()) == 3 * n);
  });
  try_integers("ResNet", [&](long n) { ResNet(1, n); });
  try_integers("Airbench", [&](long n) {
    const AirbenchGroup group(2, 2, n);
    REQUIRE(group.conv2.has_value() == (n == 2));
  });
  for (long size : {-5l, 5l}) CHECK(error_of([&] { SimpleConvNet(1, size); }).ends_with("are too small"));
  CHECK(error_of([] { SimpleConvNet(1, (1l << 33) + 4); }).starts_with("SimpleConvNet: "));
  CHECK(error_of([] { DeepConvNet({.size = 1l << 35}); }).starts_with("DeepConvNet: "));
  CHECK(error_of([] { DeepConvNet({.padding4 = -1}); }) ==
        "DeepConvNet: size is 32 and padding4 -1, not in [0, 2^56]");
  CHECK(error_of([] { ResNet(0); }) == "ResNet: 0 blocks in a stage, not 1 to 10000");
}

TEST_CASE("integers: data sets", "[datasets][integers]") {
  const Dataset data = shapes(5, 1).train;
  try_integers("shapes", [](long n) { shapes(n, 1); });
  try_integers("dataset", [&](long n) { data.slice(n, 3); });
  try_integers("dataset", [&](long n) { data.slice(1, n); });
  try_integers("loader", [&](long n) { make_batch(data, n, 5); });
  try_integers("loader", [&](long n) { make_batch(data, 0, n); });
  for (bool drop_last : {false, true})
    try_integers("loader", [&](long n) {
      Loader loader(data, {.batch = n, .drop_last = drop_last});
      REQUIRE(loader.steps_per_epoch() >= 1);
      REQUIRE(loader.next().images.dim(0) <= 5);
    });
  try_integers("loader", [&](long n) { Loader(data).restore({.epoch = n}); });
  try_integers("loader", [&](long n) { Loader(data).restore({.position = n}); });
  for (bool reflect : {false, true})
    try_integers("augment", [&](long n) {
      Loader(data, {.augment = {.crop_padding = n, .reflect = reflect, .cutout = 3}}).next();
    });
  try_integers("augment", [&](long n) { Loader(data, {.augment = {.cutout = n}}).next(); });
}

TEST_CASE("integers: images", "[datasets][integers]") {
  const Array batch = ones({2, 3, 5, 4}), image = ones({3, 5, 4}, DType::u8);
  try_integers("shifted", [&](long n) { shifted(batch, n, 0); });
  try_integers("shifted", [&](long n) { shifted(batch, 1, n); });
  try_integers("resize", [&](long n) { resize(image, n, 3); });
  try_integers("resize", [&](long n) { resize(image, n, n); });
  try_integers("fit", [&](long n) { fit(image, n, Aspect::stretch); });
  try_integers("fit", [&](long n) { fit(image, n, Aspect::crop); });
  try_integers("contact_sheet", [&](long n) { contact_sheet({image, image, image}, n, 1); });
  try_integers("contact_sheet", [&](long n) { contact_sheet({image}, 2, n); });
}

}  // namespace xgrad::tests
