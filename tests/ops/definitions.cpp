// Pooling and normalisation against their naive definitions, which are composed of other primitives.
#include "tests/ops/definitions.hpp"

#include <cstring>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"
#include "tests/ops/table.hpp"

namespace xgrad::tests {

std::vector<Array> as(std::vector<Array> arrays, DType dtype) {
  for (Array& a : arrays) a = a.cast(dtype);
  return arrays;
}

std::vector<Array> draw_normal(const std::vector<Shape>& shapes, std::uint64_t seed) {
  Generator g(seed);
  return normal(g, shapes);
}

std::vector<Array> derivatives(const TestFunction& f, const std::vector<Array>& inputs) {
  Generator g(9);
  std::vector<Variable> xs, sources;
  for (auto& x : inputs) xs.emplace_back(x, requires_grad);
  const DType dtype = inputs[0].dtype();
  auto random = [&](const Shape& shape) { return g.normal(shape, 0, 1, DType::f64).cast(dtype); };
  const Variable y = f(xs), w(random(y.shape()), requires_grad);
  std::vector<Array> result{y.data()};
  Variable total(0.0);
  for (auto& gx : grad(y, xs, {.create_graph = true, .grad_output = w})) {
    result.push_back(gx.data());
    total = total + sum(gx * Variable(random(gx.shape())));
  }
  sources = xs;
  sources.push_back(w);
  for (auto& second : grad(total, sources)) result.push_back(second.data());
  return result;
}

std::string disagreement(const TestFunction& f, const TestFunction& definition,
                         const std::vector<Array>& inputs, double tolerance) {
  const auto got = derivatives(f, inputs), want = derivatives(definition, inputs);
  for (std::size_t i = 0; i < got.size(); ++i)
    if (const std::string what = difference(got[i], Grid(want[i]), tolerance); !what.empty())
      return fmt::format("{}: {}",
                         i == 0               ? "value"
                         : i <= inputs.size() ? "first gradient"
                                              : "second gradient",
                         what);
  return "";
}

std::string thread_dependence(const TestFunction& f, const std::vector<Array>& inputs) {
  const Restore restore;
  std::string what;
  for (DType dtype : {DType::f64, DType::f32}) {
    std::vector<std::vector<Array>> results;
    for (int count : {1, 2, 3}) {
      threads::set(count);
      results.push_back(derivatives(f, as(inputs, dtype)));
      for (std::size_t i = 0; i < results[0].size(); ++i)
        if (!same_bits(results[0][i], results.back()[i]))
          what = fmt::format("result {} in {} differs on {} threads", i, name(dtype), count);
    }
  }
  return what;
}

namespace {

const std::vector<std::pair<Pair, PoolOptions>> geometries = {
    {1, {}},
    {2, {}},
    {3, {}},
    {2, {.stride = 1}},
    {3, {.stride = 2}},
    {3, {.stride = 2, .padding = 1}},
    {2, {.stride = 3, .padding = 1}},
    {{2, 3}, {}},
    {{1, 4}, {.stride = {2, 1}, .padding = {0, 2}}},
    {{5, 3}, {.stride = {1, 2}, .padding = {2, 1}}},
    {{4, 1}, {.stride = {3, 2}, .padding = {2, 0}}}};
const std::vector<Shape> images = {{1, 1, 5, 5}, {2, 3, 7, 6}, {3, 1, 9, 17}, {1, 17, 5, 7}, {2, 33, 6, 5}};

/// The windows as (N, C, elements, OH, OW); `outside` fills the padding.
Variable windows_of(const Variable& x, Pair kernel, const PoolOptions& o, double outside) {
  const Pair stride{o.stride.h ? o.stride.h : kernel.h, o.stride.w ? o.stride.w : kernel.w};
  const Variable padded = pad(x, {{o.padding.h, o.padding.h}, {o.padding.w, o.padding.w}}, outside);
  const long oh = (padded.dim(2) - kernel.h) / stride.h + 1, ow = (padded.dim(3) - kernel.w) / stride.w + 1;
  return reshape(unfold(padded, kernel, {.stride = stride}),
                 {x.dim(0), x.dim(1), kernel.h * kernel.w, oh, ow});
}

std::vector<Array> distinct(const Shape& shape) {
  Generator g(4);
  return apart(g, {shape});
}
Variable standardized(const Variable& x, const Axes& axes, double eps) {
  return (x - mean(x, axes, keepdims)) / sqrt(var(x, axes, keepdims) + eps);
}

}  // namespace

TEST_CASE("max_pool2d and avg_pool2d are the largest and the mean of each window", "[ops]") {
  for (auto& [kernel, options] : geometries)
    for (auto& shape : images) {
      INFO("kernel " << kernel.h << "x" << kernel.w << " stride " << options.stride.h << ","
                     << options.stride.w << " padding " << options.padding.h << "," << options.padding.w
                     << " of " << shape.str());
      const Pair k = kernel;
      const PoolOptions o = options;
      const TestFunction largest = [=](auto& x) { return max_pool2d(x[0], k, o); };
      const TestFunction average = [=](auto& x) { return avg_pool2d(x[0], k, o); };
      // Squared, so that there is a second gradient.
      auto squared = [](const TestFunction& f) { return [=](auto& x) { return square(f(x)); }; };
      CHECK(disagreement(squared(largest),
                         squared([=](auto& x) { return max(windows_of(x[0], k, o, -1e9), 2); }),
                         distinct(shape)) == "");
      CHECK(disagreement(squared(average),
                         squared([=](auto& x) { return mean(windows_of(x[0], k, o, 0), 2); }),
                         distinct(shape)) == "");
      if (kernel == Pair(3)) {
        CHECK(thread_dependence(squared(largest), distinct(shape)) == "");
        CHECK(thread_dependence(squared(average), distinct(shape)) == "");
      }
    }
}

TEST_CASE("max_pool2d by windows of 2x2 has the same elements and gradients in f32", "[ops]") {
  Generator random(5);
  for (long h : {2, 3, 4, 7, 15, 33})
    for (long w : {2, 3, 6, 7, 8, 15, 16, 31, 32, 33, 70}) {
      INFO(h << "x" << w);
      const Array x = random.normal({3, 17, h, w}), g = random.normal({3, 17, h / 2, w / 2});
      auto both = [&](DType dtype) {
        const Variable image(x.cast(dtype), requires_grad);
        const Variable y = max_pool2d(image, 2);
        sum(y * g.cast(dtype)).backward();
        return std::pair(y.data().cast(DType::f32), image.grad().cast(DType::f32));
      };
      const auto quick = both(DType::f32), plain = both(DType::f64);  // f64 has no lanes to get wrong
      CHECK(std::ranges::equal(quick.first.elements<float>(), plain.first.elements<float>()));
      CHECK(std::ranges::equal(quick.second.elements<float>(), plain.second.elements<float>()));
    }
}

TEST_CASE("max_pool2d notes places in windows of more than 256 elements", "[ops]") {
  const TestFunction f = [](auto& x) { return square(max_pool2d(x[0], 17, {.stride = 2})); };
  const TestFunction definition = [](auto& x) {
    return square(max(windows_of(x[0], 17, {.stride = 2}, 0), 2));
  };
  CHECK(disagreement(f, definition, distinct({1, 3, 33, 35})) == "");
}

TEST_CASE("batch_norm is (x - mean) / sqrt(var + eps) * gamma + beta", "[ops]") {
  for (const Shape& shape : std::vector<Shape>{{2, 1},
                                               {5, 3},
                                               {17, 33},
                                               {3, 3, 5},
                                               {2, 1, 3, 3},
                                               {3, 17, 5, 7},
                                               {7, 33, 9, 17},
                                               {2, 3, 2, 2, 3}}) {
    INFO("of " << shape.str());
    const long channels = shape[1];
    Shape spread = shape;
    for (int axis = 0; axis < shape.rank(); ++axis) spread[axis] = axis == 1 ? channels : 1;
    Axes axes{0};
    for (int axis = 2; axis < shape.rank(); ++axis) axes.push_back(axis);
    const auto inputs = draw_normal({shape, {channels}, {channels}});
    const TestFunction f = [](auto& x) { return batch_norm(x[0], x[1], x[2], 1e-3).y; };
    const TestFunction definition = [=](auto& x) {
      return standardized(x[0], axes, 1e-3) * reshape(x[1], spread) + reshape(x[2], spread);
    };
    CHECK(disagreement(f, definition, inputs) == "");
    CHECK(thread_dependence(f, inputs) == "");
    // Far from 0, where squares would lose the variance.
    auto far = inputs;
    far[0] = (Variable(far[0]) + 1e4).data();
    CHECK(disagreement(f, definition, far, 1e-6) == "");
    const Array single = f({Variable(far[0].cast(DType::f32)), Variable(far[1].cast(DType::f32)),
                            Variable(far[2].cast(DType::f32))})
                             .data();
    far[0] = far[0].cast(DType::f32).cast(DType::f64);
    CHECK(difference(single, Grid(definition({far.begin(), far.end()}).data()), 1e-2) == "");

    const TestFunction evaluation = [](auto& x) { return batch_norm(x[0], x[1], x[2], x[3], exp(x[4])); };
    const TestFunction of_given = [=](auto& x) {
      const Variable m = reshape(x[3], spread), v = reshape(exp(x[4]), spread);
      return (x[0] - m) / sqrt(v + 1e-5) * reshape(x[1], spread) + reshape(x[2], spread);
    };
    const auto given = draw_normal({shape, {channels}, {channels}, {channels}, {channels}});
    CHECK(disagreement(evaluation, of_given, given) == "");
    CHECK(thread_dependence(evaluation, given) == "");
  }
}

TEST_CASE("layer_norm is (x - mean) / sqrt(var + eps) * gamma + beta over the last axes", "[ops]") {
  for (auto& [shape, last] : std::vector<std::pair<Shape, Shape>>{{{1}, {1}},
                                                                  {{2, 17}, {17}},
                                                                  {{3, 5, 33}, {33}},
                                                                  {{3, 5, 33}, {5, 33}},
                                                                  {{2, 3, 4, 5}, {3, 4, 5}},
                                                                  {{65, 129}, {129}}}) {
    INFO("of " << shape.str() << " over " << last.str());
    Axes axes;
    for (int axis = 1; axis <= last.rank(); ++axis) axes.push_back(-axis);
    const TestFunction f = [](auto& x) { return layer_norm(x[0], x[1], x[2], 1e-3); };
    const TestFunction definition = [=](auto& x) { return standardized(x[0], axes, 1e-3) * x[1] + x[2]; };
    const auto inputs = draw_normal({shape, last, last});
    CHECK(disagreement(f, definition, inputs) == "");
    CHECK(thread_dependence(f, inputs) == "");
  }
}

}  // namespace xgrad::tests
