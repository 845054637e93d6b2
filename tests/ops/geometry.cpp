// Windows of random geometries against plain loops: no element is read or written that is not the operand's,
// however sizes, strides, paddings, dilations and output_padding meet.
#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/ops/definitions.hpp"
#include "tests/ops/reference_images.hpp"
#include "tests/ops/table.hpp"

namespace xgrad::tests {
namespace {

/// Windows over large images, whose pixels are those of small ones.
struct Windows {
  long n, groups, small, large;  // images; channels of a group
  Pair size, small_size, kernel;
  ConvTranspose2dOptions options;

  Shape small_shape() const { return {n, groups * small, small_size.h, small_size.w}; }
  Shape large_shape() const { return {n, groups * large, size.h, size.w}; }
  Shape weight_shape() const { return {groups * small, large, kernel.h, kernel.w}; }
  std::string str() const {
    return fmt::format("{}, {}, {}, stride {} {}, padding {} {}, dilation {} {}, output_padding {} {}",
                       small_shape(), large_shape(), weight_shape(), options.stride.h, options.stride.w,
                       options.padding.h, options.padding.w, options.dilation.h, options.dilation.w,
                       options.output_padding.h, options.output_padding.w);
  }
};

/// Equal up to rounding.
bool close(double a, double b) { return std::abs(a - b) <= 1e-12 * std::max(1., std::abs(b)); }

long draw(Generator& g, long low, long high) { return low + g.below(high - low + 1); }

/// One that conv_transpose2d takes: any output_padding below stride or dilation.
Windows draw_transposed(Generator& g) {
  auto pair = [&](long low, long high) { return Pair(draw(g, low, high), draw(g, low, high)); };
  for (;;) {
    Windows w{draw(g, 1, 3), draw(g, 1, 2), draw(g, 1, 5), draw(g, 1, 5), 0, pair(1, 7), pair(1, 3), {}};
    Pair &stride = w.options.stride, &padding = w.options.padding, &extra = w.options.output_padding,
         &dilation = w.options.dilation;
    stride = pair(1, 4), padding = pair(0, 3), dilation = pair(1, 4), w.options.groups = w.groups;
    extra = {draw(g, 0, std::max(stride.h, dilation.h) - 1), draw(g, 0, std::max(stride.w, dilation.w) - 1)};
    auto length = [](long size, long kernel, long stride, long padding, long extra, long dilation) {
      return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1;
    };
    w.size.h = length(w.small_size.h, w.kernel.h, stride.h, padding.h, extra.h, dilation.h);
    w.size.w = length(w.small_size.w, w.kernel.w, stride.w, padding.w, extra.w, dilation.w);
    if (w.size.h > 0 && w.size.w > 0) return w;
  }
}
/// One that conv2d takes, with windows that do not reach the last rows and columns among them.
Windows draw_windows(Generator& g) {
  auto pair = [&](long low, long high) { return Pair(draw(g, low, high), draw(g, low, high)); };
  for (;;) {
    Windows w{draw(g, 1, 3), draw(g, 1, 2), draw(g, 1, 5), draw(g, 1, 5), pair(1, 9), 0, pair(1, 4), {}};
    auto& o = w.options;
    o.stride = pair(1, 4), o.padding = pair(0, 4), o.dilation = pair(1, 3), o.groups = w.groups;
    const long h = w.size.h + 2 * o.padding.h - o.dilation.h * (w.kernel.h - 1) - 1;
    const long v = w.size.w + 2 * o.padding.w - o.dilation.w * (w.kernel.w - 1) - 1;
    w.small_size = {h / o.stride.h + 1, v / o.stride.w + 1};
    if (h >= 0 && v >= 0) return w;
  }
}

/// Calls f(index in the small images, in the large ones, in the weight) for each product of a tap.
template <class F>
void each_product(const Windows& w, F f) {
  const auto& o = w.options;
  each_index(w.small_shape(), [&](const Index& i) {
    each_index({w.large, w.kernel.h, w.kernel.w}, [&](const Index& k) {
      const long h = i[2] * o.stride.h - o.padding.h + k[1] * o.dilation.h;
      const long v = i[3] * o.stride.w - o.padding.w + k[2] * o.dilation.w;
      if (h < 0 || h >= w.size.h || v < 0 || v >= w.size.w) return;
      f(i, Index{i[0], i[1] / w.small * w.large + k[0], h, v}, Index{i[1], k[0], k[1], k[2]});
    });
  });
}

/// The three sums of products, each of two of the operands by the place in the third.
Grid sum_small(const Windows& w, const Grid& large, const Grid& weight) {
  Grid sum(zeros(w.small_shape(), DType::f64));
  each_product(w, [&](const Index& i, const Index& j, const Index& k) { sum.at(i) += large(j) * weight(k); });
  return sum;
}
Grid sum_large(const Windows& w, const Grid& small, const Grid& weight) {
  Grid sum(zeros(w.large_shape(), DType::f64));
  each_product(w, [&](const Index& i, const Index& j, const Index& k) { sum.at(j) += small(i) * weight(k); });
  return sum;
}
Grid sum_weight(const Windows& w, const Grid& small, const Grid& large) {
  Grid sum(zeros(w.weight_shape(), DType::f64));
  each_product(w, [&](const Index& i, const Index& j, const Index& k) { sum.at(k) += small(i) * large(j); });
  return sum;
}
Grid plus(const Grid& a, const Grid& b) {
  return each([](double x, double y) { return x + y; }, a, b);
}

void check(const Windows& w, bool transposed, DType dtype) {
  INFO(w.str());
  const auto& o = w.options;
  const Conv2dOptions forward{o.stride, o.padding, o.dilation, o.groups};
  const auto inputs = draw_normal({transposed ? w.small_shape() : w.large_shape(), w.weight_shape()});
  const auto got = derivatives(
      [&](auto& x) {
        return transposed ? conv_transpose2d(x[0], x[1], {}, o) : conv2d(x[0], x[1], {}, forward);
      },
      as(inputs, dtype));
  REQUIRE(got[0].shape() == (transposed ? w.large_shape() : w.small_shape()));
  Generator random(9);  // as derivatives() draws
  auto next = [&](const Shape& shape) { return Grid(random.normal(shape, 0, 1, DType::f64)); };
  const Grid gy = next(got[0].shape()), ux = next(inputs[0].shape()), uk = next(inputs[1].shape());
  const Grid x(inputs[0]), k(inputs[1]);
  auto value = [&](auto& x, auto& k) { return transposed ? sum_large(w, x, k) : sum_small(w, x, k); };
  auto by_x = [&](auto& g, auto& k) { return transposed ? sum_small(w, g, k) : sum_large(w, g, k); };
  auto by_k = [&](auto& g, auto& x) { return transposed ? sum_weight(w, x, g) : sum_weight(w, g, x); };
  const Grid want[] = {value(x, k),  by_x(gy, k),  by_k(gy, x),
                       by_x(gy, uk), by_k(gy, ux), plus(value(ux, k), value(x, uk))};
  for (std::size_t i = 0; i < 6; ++i) {
    INFO("derivative " << i);
    CHECK(difference(got[i], want[i], dtype == DType::f64 ? 1e-10 : 1e-3) == "");
  }
}

}  // namespace

TEST_CASE("conv_transpose2d: geometry follows from the input where output_padding has room for more windows",
          "[ops][geometry]") {
  const Variable x(ones({2, 8, 9, 9}, DType::f64), requires_grad);
  const Variable weight(ones({8, 4, 1, 1}, DType::f64), requires_grad);
  const Variable y = conv_transpose2d(x, weight, {}, {.output_padding = 1, .dilation = 2});
  CHECK(y.shape() == Shape{2, 4, 10, 10});
  CHECK(sum(y).item() == 5184);
  const auto g = grad(y, {x, weight}, {.create_graph = true});
  CHECK(Grid(g[0].data()).v == std::vector<double>(x.size(), 4));
  CHECK(Grid(g[1].data()).v == std::vector<double>(32, 2 * 81));
  CHECK(sum(grad(sum(square(g[0])), {weight})[0]).item() == 2 * 2 * 8 * 81 * 4 * 4.);
}

TEST_CASE("convolutions of random geometries have the derivatives of the loops", "[ops][geometry]") {
  Generator g(17);
  for (int i = 0; i < 150; ++i) {
    const DType dtype = i % 3 ? DType::f64 : DType::f32;
    check(draw_transposed(g), true, dtype);
    check(draw_windows(g), false, dtype);
  }
}

TEST_CASE("unfold, fold and pooling of random geometries have the values and gradients of the loops",
          "[ops][geometry]") {
  Generator g(18);
  for (int i = 0; i < 150; ++i) {
    const Windows w = draw_windows(g);
    INFO(w.str());
    const auto& o = w.options;
    const WindowOptions windows{o.stride, o.padding, o.dilation};
    const Variable x(draw_normal({w.large_shape()})[0], requires_grad);
    const Variable columns = unfold(x, w.kernel, windows),
                   u(draw_normal({columns.shape()}, 2)[0], requires_grad);
    CHECK(difference(columns.data(), unfold_by_loops(Grid(x.data()), w.kernel, windows), 0) == "");
    const Grid folded = fold_by_loops(Grid(u.data()), x.shape(), w.kernel, windows);
    CHECK(difference(grad(columns, {x}, {.grad_output = u})[0].data(), folded, 1e-12) == "");
    const Variable image = fold(u, w.size, w.kernel, windows);
    CHECK(difference(image.data(), folded, 1e-12) == "");
    CHECK(difference(grad(image, {u}, {.grad_output = x})[0].data(), Grid(columns.data()), 0) == "");

    const PoolOptions pool{o.stride,
                           {std::min(o.padding.h, w.kernel.h / 2), std::min(o.padding.w, w.kernel.w / 2)}};
    if (w.size.h + 2 * pool.padding.h < w.kernel.h || w.size.w + 2 * pool.padding.w < w.kernel.w) continue;
    auto largest = [](const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); };
    const Variable m = max_pool2d(x, w.kernel, pool), a = avg_pool2d(x, w.kernel, pool);
    CHECK(difference(m.data(), pool_by_loops(Grid(x.data()), w.kernel, pool, false, largest), 0) == "");
    CHECK(difference(a.data(), pool_by_loops(Grid(x.data()), w.kernel, pool, true, average), 1e-12) == "");
    // The largest of each window gets its gradient: with that of the window itself, the sum of squares.
    CHECK(close(sum(grad(m, {x}, {.grad_output = m})[0] * x).item(), sum(square(m)).item()));
    CHECK(close(sum(grad(a, {x}, {.grad_output = a})[0] * x).item(), sum(square(a)).item()));
  }
}

}  // namespace xgrad::tests
