// Convolution where Winograd's transforms would spoil results: outliers, infinities and NaN in any operand,
// and numbers of all magnitudes. All three kernels, as values, gradients and second gradients.
#include <cmath>
#include <limits>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/ops/kernels/conv.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"
#include "tests/ops/definitions.hpp"
#include "tests/ops/reference_images.hpp"
#include "tests/ops/table.hpp"

namespace xgrad::tests {
namespace {

constexpr double u = 0x1p-24, inf = std::numeric_limits<double>::infinity();

/// x, w, the gradient of the result, and what the gradients for x and w are weighted with.
using Operands = std::vector<Array>;
Operands draw(long n, long c, long o, long h, long w, long padding, std::uint64_t seed = 1) {
  const Shape x{n, c, h, w}, k{o, c, 3, 3};
  return as(draw_normal({x, k, {n, o, h + 2 * padding - 2, w + 2 * padding - 2}, x, k}, seed), DType::f32);
}
Operands absolute(const Operands& operands) {
  Operands result;
  for (const Array& a : operands) result.push_back(abs(Variable(a)).data());
  return result;
}

/// y, gx, gw, and the second gradients for x, w and the gradient of y.
std::vector<Array> results(const Operands& a, const Conv2dOptions& options) {
  const Variable x(a[0], requires_grad), w(a[1], requires_grad), g(a[2], requires_grad);
  const Variable y = conv2d(x, w, {}, options);
  const auto first = grad(y, {x, w}, {.create_graph = true, .grad_output = g});
  std::vector<Array> all{y.data(), first[0].data(), first[1].data()};
  const Variable total = sum(first[0] * Variable(a[3])) + sum(first[1] * Variable(a[4]));
  for (auto& second : grad(total, {x, w, g})) all.push_back(second.data());
  return all;
}
const char* const names[] = {"y", "gx", "gw", "second gradient for x", "for w", "for the gradient of y"};

/// "" where all results are those of the direct way: the same where these are not finite, otherwise within
/// `tolerance` of f64, relative to the sum of the magnitudes of what is added up.
std::string wrong(const Operands& a, long padding, double tolerance) {
  const auto got = results(a, {.padding = padding});
  const auto direct = results(a, {.padding = padding, .direct = true});
  const auto exact = results(as(a, DType::f64), {.padding = padding});
  const auto scale = results(as(absolute(a), DType::f64), {.padding = padding});
  for (std::size_t i = 0; i < got.size(); ++i) {
    const Grid y(got[i]), d(direct[i]), e(exact[i]), s(scale[i]);
    for (std::size_t k = 0; k < y.v.size(); ++k) {
      const bool right = std::isfinite(d.v[k]) ? std::abs(y.v[k] - e.v[k]) <= tolerance * s.v[k] + 1e-42
                                               : (std::isnan(d.v[k]) ? std::isnan(y.v[k]) : y.v[k] == d.v[k]);
      if (!right) return fmt::format("{} {}: {}, not {}; directly {}", names[i], k, y.v[k], e.v[k], d.v[k]);
    }
  }
  return "";
}

const double outliers[] = {1e4, -1e6, 1e9, 1e30, std::numeric_limits<float>::max(), inf, -inf, std::nan("")};

TEST_CASE("an outlier in a tile leaves the other results as they are", "[ops]") {
  for (double outlier : outliers) {
    Array x = ones({1, 16, 8, 8}), w = ones({16, 16, 3, 3});
    x.mutable_data<float>()[0] = float(outlier);
    const auto y = results({x, w, ones({1, 16, 8, 8}), x, w}, {.padding = 1});
    const float* first = y[0].data<float>();
    CHECK(first[3 * 8 + 3] == 144);
    CHECK(first[2] == 6 * 16);
    CHECK(y[2].data<float>()[8] == 49);  // the last tap meets pixels from (1, 1)
  }
}

TEST_CASE("outliers in every operand of a convolution, in every result", "[ops]") {
  std::uint64_t seed = 1;
  long turn = 0;
  for (long padding : {0, 1, 2})
    for (auto [c, o] : {std::pair(16, 17), {33, 16}, {64, 33}, {17, 64}})
      for (double outlier : outliers) {
        const std::size_t first = std::size_t(turn + turn / 8) % 2;  // half of the operands each time
        ++turn;
        const long h = 5 + long(seed % 5), w = 4 + long(seed % 7), n = 1 + long(seed % 3);
        for (std::size_t operand = first; operand < 5; operand += 2) {
          auto a = draw(n, c, o, h, w, padding, ++seed);
          Generator random(seed);
          const long size = a[operand].size();
          // The first element too: where images are padded, it meets only some of the taps.
          const long at = seed % 3 ? long(random.integers({1}, 0, size).item()) : 0;
          a[operand].mutable_data<float>()[at] = float(outlier);
          INFO(fmt::format("({}, {}, {}, {}) to {}, padding {}: {} at {} of operand {}", n, c, h, w, o,
                           padding, outlier, at, operand));
          CHECK(wrong(a, padding, 4e-5) == "");
        }
      }
}

TEST_CASE("convolutions of numbers near the ends of the range", "[ops]") {
  auto scaled = [](Operands a, const std::vector<double>& by) {
    for (std::size_t i = 0; i < a.size(); ++i)
      a[i] = (Variable(a[i].cast(DType::f64)) * by[i]).data().cast(DType::f32);
    return a;
  };
  const auto a = draw(2, 16, 17, 9, 6, 1);
  CHECK(wrong(scaled(a, {3e36, 1e-3, 1e-4, 1, .01}), 1, 4e-5) == "");
  CHECK(wrong(scaled(a, {1e-4, 1e-3, 3e36, .01, .01}), 1, 4e-5) == "");
  CHECK(wrong(scaled(a, {1e-38, 1e-2, 1, 1e-38, 1e-2}), 1, 4e-5) == "");
  CHECK(wrong(scaled(a, {1, 1e-38, 1e-38, 1, 1e-2}), 1, 4e-5) == "");
}

TEST_CASE("an infinity meets the windows that have it in the general convolution", "[ops]") {
  for (DType dtype : {DType::f32, DType::f64})
    for (const Conv2dOptions& o :
         {Conv2dOptions{}, {.padding = 1}, {.stride = 2, .padding = {2, 1}}, {.dilation = 2, .groups = 2}})
      for (long kernel : {1, 3})
        for (double bad : {inf, std::nan("")}) {
          auto a = draw_normal({{2, 6, 9, 11}, {10, 6 / o.groups, kernel, kernel}});
          a[0].mutable_data<double>()[6 * 99 + 3 * 99 + 40] = bad;
          const Array y = conv2d(a[0].cast(dtype), a[1].cast(dtype), {}, o).data();
          const Grid got(y), want = conv2d_by_loops(Grid(a[0].cast(dtype)), Grid(a[1].cast(dtype)), o);
          for (std::size_t k = 0; k < want.v.size(); ++k)
            REQUIRE((std::isfinite(want.v[k]) ? std::abs(got.v[k] - want.v[k]) < 1e-4
                     : std::isnan(bad)        ? std::isnan(got.v[k])
                                              : got.v[k] == want.v[k]));
        }
}

TEST_CASE("an outlier in one image changes no bit of the others", "[ops]") {
  auto a = draw(3, 32, 32, 10, 10, 1);
  const auto before = results(a, {.padding = 1});
  const long image = a[0].size() / 3;
  a[0].mutable_data<float>()[image + 5] = 1e30f;
  a[2].mutable_data<float>()[image + 7] = 1e30f;
  const auto after = results(a, {.padding = 1});
  for (std::size_t i : {0, 1, 3}) {
    const float *p = before[i].data<float>(), *q = after[i].data<float>();
    for (long k = 0; k < 3 * image; ++k)
      if (k / image != 1) REQUIRE(p[k] == q[k]);
  }
}

/// Numbers of many magnitudes: each element, pixel, column, channel or image with a scale of its own, or
/// dense in some places and zero elsewhere.
Array draw_wide(const Shape& shape, Generator& random) {
  const long kind = long(random.integers({1}, 0, 6).item());
  const double decades = random.uniform({1}, 0, 12, DType::f64).item();
  Shape scales = shape;
  if (kind == 1) scales[1] = 1;
  if (kind == 2) scales[1] = scales[2] = 1;
  if (kind == 3) scales[2] = scales[3] = 1;
  if (kind == 4) scales[1] = scales[2] = scales[3] = 1;
  const Variable x(random.normal(shape, 0, 1, DType::f64));
  const Variable scale(random.uniform(scales, -decades, decades / 2, DType::f64));
  if (kind == 5) return where(scale > 0, x, 0.0).data().cast(DType::f32);
  return (x * exp(scale * std::log(10.))).data().cast(DType::f32);
}

/// The largest |x| over channels in the window of 3x3 of each result (n, 1, h, w).
Grid window_largest(const Array& x, long padding) {
  const std::pair<long, long> p{padding, padding};
  const Variable largest = max(abs(Variable(x)), {1}, keepdims);
  return Grid(max_pool2d(pad(largest, {{0, 0}, {0, 0}, p, p}), 3, {.stride = 1}).data());
}
/// The sum over tiles of the largest |g| in it, by channel, times the largest |x| that it meets: (o, c).
Grid tile_sum(const Array& g, const Array& x, long padding) {
  const long h = (g.dim(2) + 3) / 4, w = (g.dim(3) + 3) / 4;
  auto rows = [&](const Array& a, long before, long size, long channels) {
    const Variable padded = pad(abs(Variable(a)), {{0, 0},
                                                   {0, 0},
                                                   {before, 4 * (h - 1) + size - before - a.dim(2)},
                                                   {before, 4 * (w - 1) + size - before - a.dim(3)}});
    return reshape(transpose(max_pool2d(padded, size, {.stride = 4}), {1, 0, 2, 3}), {channels, -1});
  };
  return Grid(matmul(rows(g, 0, 4, g.dim(1)), rows(x, padding, 6, x.dim(1)), {.transpose_b = true}).data());
}

TEST_CASE("numbers of all magnitudes keep the error bounds of Winograd's convolution", "[ops]") {
  double worst = 0, worst_w = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    Generator random(seed);
    const Array drawn = random.integers({6}, 0, 50);
    const std::int64_t* r = drawn.data<std::int64_t>();
    const long n = 1 + r[0] % 3, c = 16 + r[1], o = 16 + r[2], padding = r[5] % 3;
    auto a = draw(n, c, o, 3 + r[3] % 12, 3 + r[4] % 12, padding, seed);
    a[0] = draw_wide(a[0].shape(), random), a[2] = draw_wide(a[2].shape(), random);
    if (seed % 4 == 0) a[1] = draw_wide(a[1].shape(), random);
    INFO("seed " << seed);
    const Conv2dOptions options{.padding = padding};
    const Operands wide = as(a, DType::f64);
    const auto got = results(a, options), exact = results(wide, options);
    const Grid y(got[0]), gx(got[1]), gw(got[2]), want(exact[0]), want_x(exact[1]), want_w(exact[2]);
    const Variable kernels = abs(Variable(wide[1]));
    const Grid outputs(sum(kernels, {1, 2, 3}).data()), inputs(sum(kernels, {0, 2, 3}).data());
    auto hold = [&](const Grid& y, const Grid& want, const Grid& largest, const Grid& weights) {
      each_index(y.shape, [&](const Index& i) {
        const double bound = u * largest({i[0], 0, i[2], i[3]}) * weights({i[1]}),
                     error = std::abs(y(i) - want(i));
        worst = std::max(worst, bound > 0 ? error / bound : 1e30 * error);
      });
    };
    hold(y, want, window_largest(wide[0], padding), outputs);
    hold(gx, want_x, window_largest(wide[2], 2 - padding), inputs);
    const Grid sums = tile_sum(wide[2], wide[0], padding);
    each_index(gw.shape, [&](const Index& i) {
      worst_w = std::max(worst_w, std::abs(gw(i) - want_w(i)) / (u * sums({i[0], i[1]}) + 1e-42));
    });
  }
  CHECK(worst < 256);
  CHECK(worst_w < 256);
}

TEST_CASE("outliers leave the bits of convolutions independent of the threads", "[ops]") {
  for (long n : {1, 9}) {
    auto a = draw(n, 17, 33, 9, 10, 1);
    a[0].mutable_data<float>()[17] = 1e20f;
    a[0].mutable_data<float>()[600] = 1e9f;
    CHECK(thread_dependence([](auto& x) { return conv2d(x[0], x[1], {}, {.padding = 1}); },
                            as({a[0], a[1]}, DType::f64)) == "");
  }
}

TEST_CASE("convolution can always go the direct way", "[ops]") {
  auto same = [](const std::vector<Array>& a, const std::vector<Array>& b) {
    bool all = true;
    for (std::size_t i = 0; i < a.size(); ++i) all = all && same_bits(a[i], b[i]);
    return all;
  };
  const Restore restore;
  const auto a = draw(2, 16, 16, 9, 9, 1);
  kernels::set_conv_lowering(kernels::ConvLowering::general);
  const auto want = results(a, {.padding = 1});
  kernels::set_conv_lowering(kernels::ConvLowering::automatic);
  CHECK(!same(results(a, {.padding = 1}), want));
  CHECK(same(results(a, {.padding = 1, .direct = true}), want));
  set_direct_convolution(true);
  CHECK(same(results(a, {.padding = 1}), want));
  set_direct_convolution(false);
  CHECK(!same(results(a, {.padding = 1}), want));

  const Conv2d layer(16, 16, {.padding = 1, .bias = false, .direct = true});
  CHECK(same({layer(a[0]).data()}, {conv2d(a[0], layer.weight, {}, {.padding = 1, .direct = true}).data()}));
  const ConvTranspose2d back(16, 16, {.padding = 1, .bias = false, .direct = true});
  const Array plain = conv_transpose2d(a[0], back.weight, {}, {.padding = 1}).data();
  CHECK(!same({back(a[0]).data()}, {plain}));
}

TEST_CASE("an infinity or NaN in a matrix changes its row or column of a product and nothing else", "[ops]") {
  for (DType dtype : {DType::f32, DType::f64})
    for (auto [m, k, n] : {std::tuple(1, 1, 1),
                           {3, 5, 7},
                           {8, 17, 33},
                           {9, 300, 31},
                           {33, 2, 65},
                           {5, 2000, 7},
                           {70, 1100, 70}})
      for (double bad : {inf, std::nan("")})
        for (bool transposed : {false, true})
          for (bool left : {true, false}) {
            INFO(fmt::format("({}, {}) by ({}, {}), transposed {}, left {}, {}", m, k, k, n, transposed, left,
                             bad));
            Generator random(7);
            const Shape a{transposed ? k : m, transposed ? m : k}, b{transposed ? n : k, transposed ? k : n};
            std::vector<Array> x{random.uniform(a, 1, 2, DType::f64), random.uniform(b, 1, 2, DType::f64)};
            auto product = [&] {
              return Grid(matmul(x[0].cast(dtype), x[1].cast(dtype),
                                 {.transpose_a = transposed, .transpose_b = transposed})
                              .data());
            };
            const Grid before = product();
            const long row = m / 2, column = n / 2, at = k - 1;
            Array& touched = x[left ? 0 : 1];
            const long line = left ? row : column, lines = left ? m : n;
            touched.mutable_data<double>()[transposed == left ? at * lines + line : line * k + at] = bad;
            const Grid after = product();
            each_index(before.shape, [&](const Index& i) {
              if (i[left ? 0 : 1] == line)
                REQUIRE((std::isnan(bad) ? std::isnan(after(i)) : after(i) == inf));
              else
                REQUIRE(after(i) == before(i));
            });
          }
}

}  // namespace
}  // namespace xgrad::tests
