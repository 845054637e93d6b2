// Convolution against its definition, unfold -> matmul -> reshape, and against loops, over all kinds of
// geometry.
#include <xgrad/core/base/error.hpp>
#include <xgrad/ops/kernels/conv.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"
#include "tests/ops/definitions.hpp"
#include "tests/ops/reference_images.hpp"
#include "tests/ops/table.hpp"

namespace xgrad::tests {
namespace {

struct Geometry {
  long n, c, h, w, o;
  Pair kernel;
  Conv2dOptions options;

  std::vector<Shape> shapes() const { return {{n, c, h, w}, {o, c / options.groups, kernel.h, kernel.w}}; }
  std::string str() const {
    auto text = [](const char* what, Pair p) { return fmt::format("{} {}x{}, ", what, p.h, p.w); };
    return fmt::format("({}, {}, {}, {}) to {} channels, ", n, c, h, w, o) + text("kernel", kernel) +
           text("stride", options.stride) + text("padding", options.padding) +
           text("dilation", options.dilation) + fmt::format("{} groups", options.groups);
  }
};

/// Small images, every kind of window.
std::vector<Geometry> windows() {
  std::vector<Geometry> all;
  for (Pair kernel : {Pair(1), Pair(3), Pair(1, 3), Pair(3, 2)})
    for (Pair stride : {Pair(1), Pair(2), Pair(3, 1)})
      for (Pair padding : {Pair(0), Pair(1), Pair(1, 2)})
        for (Pair dilation : {Pair(1), Pair(2), Pair(1, 3)})
          for (long groups : {1, 2})
            all.push_back({2,
                           4,
                           7,
                           9,
                           6,
                           kernel,
                           {.stride = stride, .padding = padding, .dilation = dilation, .groups = groups}});
  return all;
}
/// Few and many channels, more than one block of rows, odd sizes, images as small as the kernel.
std::vector<Geometry> channels() {
  return {{1, 1, 1, 1, 1, 1, {}},
          {1, 1, 3, 3, 1, 3, {}},
          {3, 1, 5, 5, 3, 3, {.padding = 1}},
          {2, 3, 9, 8, 17, 3, {.padding = 1}},
          {9, 17, 7, 7, 33, 3, {.padding = 1}},
          {2, 33, 11, 13, 17, 3, {.padding = 2}},
          {2, 33, 5, 6, 1, {5, 3}, {.padding = {2, 1}}},
          {3, 17, 9, 9, 17, 3, {.stride = 2, .padding = 1}},
          {2, 33, 9, 9, 33, 3, {.padding = 1, .groups = 33}},
          {2, 17, 4, 5, 17, 3, {.padding = 4}},
          {1, 33, 7, 5, 3, 1, {}},
          {2, 17, 6, 6, 33, 1, {.stride = 2}},
          {1, 3, 33, 35, 5, 5, {.padding = 2}},
          {1, 33, 41, 43, 3, {3, 1}, {.dilation = 2}},
          {11, 3, 4, 4, 3, {2, 4}, {}}};
}

Variable by_unfold(const Variable& x, const Variable& weight, const Conv2dOptions& o) {
  const long n = x.dim(0), c = x.dim(1) / o.groups, outputs = weight.dim(0) / o.groups, kh = weight.dim(2),
             kw = weight.dim(3);
  const long oh = (x.dim(2) + 2 * o.padding.h - o.dilation.h * (kh - 1) - 1) / o.stride.h + 1;
  std::vector<Variable> groups;
  for (long g = 0; g < o.groups; ++g) {
    const Variable columns = unfold(slice(x, 1, g * c, (g + 1) * c), {kh, kw},
                                    {.stride = o.stride, .padding = o.padding, .dilation = o.dilation});
    const Variable rows = reshape(slice(weight, 0, g * outputs, (g + 1) * outputs), {outputs, c * kh * kw});
    groups.push_back(reshape(matmul(rows, columns), {n, outputs, oh, -1}));
  }
  return concat(groups, 1);
}
Variable by_fold(const Variable& x, const Variable& weight, const ConvTranspose2dOptions& o) {
  const long n = x.dim(0), c = x.dim(1) / o.groups, outputs = weight.dim(1), kh = weight.dim(2),
             kw = weight.dim(3);
  const Pair size{
      (x.dim(2) - 1) * o.stride.h - 2 * o.padding.h + o.dilation.h * (kh - 1) + o.output_padding.h + 1,
      (x.dim(3) - 1) * o.stride.w - 2 * o.padding.w + o.dilation.w * (kw - 1) + o.output_padding.w + 1};
  std::vector<Variable> groups;
  for (long g = 0; g < o.groups; ++g) {
    const Variable images = reshape(slice(x, 1, g * c, (g + 1) * c), {n, c, x.dim(2) * x.dim(3)});
    const Variable rows = reshape(slice(weight, 0, g * c, (g + 1) * c), {c, outputs * kh * kw});
    groups.push_back(fold(matmul(rows, images, {.transpose_a = true}), size, {kh, kw},
                          {.stride = o.stride, .padding = o.padding, .dilation = o.dilation}));
  }
  return concat(groups, 1);
}

TestFunction convolution(const Conv2dOptions& o) {
  return [=](auto& x) { return conv2d(x[0], x[1], {}, o); };
}
TestFunction definition(const Conv2dOptions& o) {
  return [=](auto& x) { return by_unfold(x[0], x[1], o); };
}

/// A transposed convolution whose result has the geometry's images, so that all sizes that stride leaves open
/// are met.
struct Transposed {
  std::vector<Shape> shapes;  // of input and weight
  ConvTranspose2dOptions options;
  explicit Transposed(const Geometry& g) {
    const Conv2dOptions& o = g.options;
    const long room_h = g.h + 2 * o.padding.h - o.dilation.h * (g.kernel.h - 1) - 1;
    const long room_w = g.w + 2 * o.padding.w - o.dilation.w * (g.kernel.w - 1) - 1;
    shapes = {{g.n, g.o, room_h / o.stride.h + 1, room_w / o.stride.w + 1}, g.shapes()[1]};
    options = {o.stride, o.padding, {room_h % o.stride.h, room_w % o.stride.w}, o.dilation, o.groups};
  }
};

/// Every so many of the windows, and all channels.
std::vector<Geometry> all(std::size_t step = 1) {
  auto list = channels();
  const auto some = windows();
  for (std::size_t i = 0; i < some.size(); i += step) list.push_back(some[i]);
  return list;
}

}  // namespace

TEST_CASE("conv2d is unfold, matmul, reshape in value, first and second gradient", "[ops]") {
  for (auto& g : all()) {
    INFO(g.str());
    const auto inputs = draw_normal(g.shapes());
    CHECK(disagreement(convolution(g.options), definition(g.options), inputs) == "");
  }
}

TEST_CASE("conv_transpose2d is matmul, fold in value, first and second gradient", "[ops]") {
  for (auto& g : all()) {
    INFO(g.str());
    const Transposed t(g);
    const auto inputs = draw_normal(t.shapes);
    const auto o = t.options;
    CHECK(disagreement([=](auto& x) { return conv_transpose2d(x[0], x[1], {}, o); },
                       [=](auto& x) { return by_fold(x[0], x[1], o); }, inputs) == "");
  }
}

TEST_CASE("conv2d and conv_transpose2d have the values of the naive loops", "[ops]") {
  for (auto& g : all(3)) {
    INFO(g.str());
    const auto x = draw_normal(g.shapes());
    CHECK(difference(conv2d(x[0], x[1], {}, g.options).data(),
                     conv2d_by_loops(Grid(x[0]), Grid(x[1]), g.options), 1e-10) == "");
    const Transposed t(g);
    const auto z = draw_normal(t.shapes);
    CHECK(difference(conv_transpose2d(z[0], z[1], {}, t.options).data(),
                     conv_transpose2d_by_loops(Grid(z[0]), Grid(z[1]), t.options), 1e-10) == "");
  }
}

// <w, conv(x, k)> is linear in each of w, x and k: all its derivatives are convolutions, transposed or not,
// and sums over windows, which loops can tell.
TEST_CASE("conv2d has the first and second gradients of the naive loops", "[ops]") {
  for (auto& g : all(5)) {
    INFO(g.str());
    const auto& o = g.options;
    const auto inputs = draw_normal(g.shapes());
    const auto got = derivatives(convolution(o), inputs);
    Generator random(9);  // as derivatives() draws
    const auto w = normal(random, {got[0].shape()}), u = normal(random, g.shapes());
    const Grid x(inputs[0]), k(inputs[1]), gy(w[0]), ux(u[0]), uk(u[1]);

    const Transposed t(g);
    auto input_gradient = [&](const Grid& gy, const Grid& k) {
      return conv_transpose2d_by_loops(gy, k, t.options);
    };
    auto weight_gradient = [&](const Grid& gy, const Grid& x) {
      Grid gk = grid(k.shape, [](const Index&) { return 0.0; });
      const long outputs = k.dim(0) / o.groups;
      each_index(gy.shape, [&](const Index& i) {
        for (long c = 0; c < k.dim(1); ++c)
          for (long a = 0; a < k.dim(2); ++a)
            for (long b = 0; b < k.dim(3); ++b)
              gk.at({i[1], c, a, b}) +=
                  gy(i) * x.or_zero({i[0], i[1] / outputs * k.dim(1) + c,
                                     i[2] * o.stride.h - o.padding.h + a * o.dilation.h,
                                     i[3] * o.stride.w - o.padding.w + b * o.dilation.w});
      });
      return gk;
    };
    CHECK(difference(got[1], input_gradient(gy, k), 1e-9) == "");
    CHECK(difference(got[2], weight_gradient(gy, x), 1e-9) == "");
    CHECK(difference(got[3], input_gradient(gy, uk), 1e-9) == "");
    CHECK(difference(got[4], weight_gradient(gy, ux), 1e-9) == "");
    const Grid by_w =
        each([](double a, double b) { return a + b; }, conv2d_by_loops(ux, k, o), conv2d_by_loops(x, uk, o));
    CHECK(difference(got[5], by_w, 1e-9) == "");
  }
}

/// 3x3 on images of every height and width from 3 to 8, and on one of several bands: Winograd's tiles at the
/// edges.
std::vector<Geometry> edges() {
  std::vector<Geometry> list{{1, 3, 99, 41, 2, 3, {.padding = 1}}};
  for (long h = 3; h <= 8; ++h)
    for (long w = 3; w <= 8; ++w) list.push_back({5, 3, h, w, 17, 3, {.padding = (h + w) % 3}});
  return list;
}

TEST_CASE("conv2d in f32 is that in f64, by each lowering", "[ops]") {
  using enum kernels::ConvLowering;
  std::vector<Geometry> list = all();
  for (auto& g : edges()) list.push_back(g);
  for (auto& g : list) {
    INFO(g.str());
    const auto inputs = as(draw_normal(g.shapes()), DType::f32);
    const auto want = derivatives(convolution(g.options), as(inputs, DType::f64));
    const Restore restore;
    for (auto lowering : {automatic, general, winograd}) {
      kernels::set_conv_lowering(lowering);
      const auto got = derivatives(convolution(g.options), inputs);
      for (std::size_t i = 0; i < got.size(); ++i) {
        double largest = 1;
        for (double v : Grid(want[i]).v) largest = std::max(largest, std::abs(v));
        INFO("lowering " << int(lowering) << ", result " << i);
        CHECK(difference(got[i], Grid(want[i]), 1e-5 * largest) == "");
      }
    }
  }
}

TEST_CASE("convolutions have the same bits on 1, 2 and 3 threads", "[ops]") {
  for (auto& g : all(11)) {
    INFO(g.str());
    CHECK(thread_dependence(convolution(g.options), draw_normal(g.shapes())) == "");
    const Transposed t(g);
    const auto o = t.options;
    CHECK(thread_dependence([=](auto& x) { return conv_transpose2d(x[0], x[1], {}, o); },
                            draw_normal(t.shapes)) == "");
  }
}

}  // namespace xgrad::tests
