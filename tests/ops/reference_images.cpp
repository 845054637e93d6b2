// Convolution and pooling by loops.
#include "tests/ops/reference_images.hpp"

namespace xgrad::tests {
namespace {

long windows(long size, long kernel, long stride, long padding, long dilation) {
  return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}
bool inside(const Grid& x, long i, long j) { return i >= 0 && i < x.dim(2) && j >= 0 && j < x.dim(3); }

}  // namespace

Grid conv2d_by_loops(const Grid& x, const Grid& weight, const Conv2dOptions& options) {
  const Pair stride = options.stride, padding = options.padding, dilation = options.dilation;
  const long groups = options.groups;
  const long o_per_group = weight.dim(0) / groups, c_per_group = weight.dim(1), kh = weight.dim(2),
             kw = weight.dim(3);
  const Shape shape{x.dim(0), weight.dim(0), windows(x.dim(2), kh, stride.h, padding.h, dilation.h),
                    windows(x.dim(3), kw, stride.w, padding.w, dilation.w)};
  return grid(shape, [&](const Index& i) {
    double sum = 0;
    for (long c = 0; c < c_per_group; ++c)
      for (long a = 0; a < kh; ++a)
        for (long b = 0; b < kw; ++b)
          sum += weight({i[1], c, a, b}) * x.or_zero({i[0], i[1] / o_per_group * c_per_group + c,
                                                      i[2] * stride.h - padding.h + a * dilation.h,
                                                      i[3] * stride.w - padding.w + b * dilation.w});
    return sum;
  });
}

Grid conv_transpose2d_by_loops(const Grid& x, const Grid& weight, const ConvTranspose2dOptions& options) {
  const Pair stride = options.stride, padding = options.padding, dilation = options.dilation,
             extra = options.output_padding;
  const long groups = options.groups;
  const long kh = weight.dim(2), kw = weight.dim(3), o_per_group = weight.dim(1),
             c_per_group = x.dim(1) / groups;
  Grid y = grid({x.dim(0), o_per_group * groups,
                 (x.dim(2) - 1) * stride.h - 2 * padding.h + dilation.h * (kh - 1) + extra.h + 1,
                 (x.dim(3) - 1) * stride.w - 2 * padding.w + dilation.w * (kw - 1) + extra.w + 1},
                [](const Index&) { return 0.0; });
  each_index(x.shape, [&](const Index& i) {
    for (long o = 0; o < o_per_group; ++o)
      for (long a = 0; a < kh; ++a)
        for (long b = 0; b < kw; ++b) {
          const long h = i[2] * stride.h - padding.h + a * dilation.h,
                     w = i[3] * stride.w - padding.w + b * dilation.w;
          if (inside(y, h, w))
            y.at({i[0], i[1] / c_per_group * o_per_group + o, h, w}) += x(i) * weight({i[1], o, a, b});
        }
  });
  return y;
}

Grid unfold_by_loops(const Grid& x, Pair kernel, const WindowOptions& options) {
  const Pair stride = options.stride, padding = options.padding, dilation = options.dilation;
  const long oh = windows(x.dim(2), kernel.h, stride.h, padding.h, dilation.h);
  const long ow = windows(x.dim(3), kernel.w, stride.w, padding.w, dilation.w);
  const long taps = kernel.h * kernel.w;
  return grid({x.dim(0), x.dim(1) * taps, oh * ow}, [&](const Index& i) {
    const long tap = i[1] % taps;
    return x.or_zero({i[0], i[1] / taps, i[2] / ow * stride.h - padding.h + tap / kernel.w * dilation.h,
                      i[2] % ow * stride.w - padding.w + tap % kernel.w * dilation.w});
  });
}

Grid fold_by_loops(const Grid& columns, const Shape& images, Pair kernel, const WindowOptions& options) {
  const Pair stride = options.stride, padding = options.padding, dilation = options.dilation;
  const long ow = windows(images[3], kernel.w, stride.w, padding.w, dilation.w), taps = kernel.h * kernel.w;
  Grid y = grid(images, [](const Index&) { return 0.0; });
  each_index(columns.shape, [&](const Index& i) {
    const long tap = i[1] % taps;
    const long h = i[2] / ow * stride.h - padding.h + tap / kernel.w * dilation.h;
    const long w = i[2] % ow * stride.w - padding.w + tap % kernel.w * dilation.w;
    if (inside(y, h, w)) y.at({i[0], i[1] / taps, h, w}) += columns(i);
  });
  return y;
}

Grid pool_by_loops(const Grid& x, Pair kernel, const PoolOptions& options, bool with_padding,
                   const std::function<double(const std::vector<double>&)>& f) {
  const Pair stride{options.stride.h ? options.stride.h : kernel.h,
                    options.stride.w ? options.stride.w : kernel.w};
  const Pair padding = options.padding;
  const Shape shape{x.dim(0), x.dim(1), windows(x.dim(2), kernel.h, stride.h, padding.h, 1),
                    windows(x.dim(3), kernel.w, stride.w, padding.w, 1)};
  return grid(shape, [&](const Index& i) {
    std::vector<double> window;
    for (long a = 0; a < kernel.h; ++a)
      for (long b = 0; b < kernel.w; ++b) {
        const long h = i[2] * stride.h - padding.h + a, w = i[3] * stride.w - padding.w + b;
        if (with_padding || inside(x, h, w)) window.push_back(x.or_zero({i[0], i[1], h, w}));
      }
    return f(window);
  });
}

Grid add_channels(const Grid& y, const Grid& bias) {
  return grid(y.shape, [&](const Index& i) { return y(i) + bias({i[1]}); });
}

}  // namespace xgrad::tests
