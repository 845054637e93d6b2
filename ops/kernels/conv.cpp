// Convolution: the choice of a lowering, and the general one: blocks of im2col with a matrix product each.
#include <xgrad/ops/kernels/conv.hpp>

#include <xgrad/core/base/profile.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/ops/kernels/gemm.hpp>
#include <xgrad/ops/kernels/im2col.hpp>
#include <xgrad/ops/kernels/panels.hpp>
#include <xgrad/ops/kernels/winograd.hpp>

namespace xgrad::kernels {
namespace {

std::atomic<ConvLowering> chosen{ConvLowering::automatic};

bool by_winograd(const Array& x, const ConvShape& s) {
  if (x.dtype() != DType::f32 || s.direct || chosen == ConvLowering::general) return false;
  return chosen == ConvLowering::winograd ? winograd::can(s) : winograd::should(s);
}

/// The blocks of output rows of one image: their columns should stay in the second-level cache.
struct Blocks {
  long k, pixels, rows, count;  // rows of the columns; output pixels; output rows in a block
  bool direct;                  // a 1x1 kernel at every pixel: the image is its own columns
  template <class T>
  Blocks(const ConvShape& s, T) : k(s.depth()), pixels(s.count()) {
    constexpr long budget = (512 << 10) / long(sizeof(T));
    rows = std::clamp(budget / std::max(1l, k * s.w.count), 1l, s.h.count);
    count = (s.h.count + rows - 1) / rows;
    direct = s.h.is_identity() && s.w.is_identity();
  }
  long first(long block) const { return block * rows; }
  long height(long block, const ConvShape& s) const { return std::min(rows, s.h.count - first(block)); }
};

template <class T>
void forward(const T* x, const T* weight, T* y, const ConvShape& s) {
  const Blocks blocks(s, T());
  threads::for_each(s.n * s.groups * blocks.count, [&](long task) {
    const long image = task / blocks.count, block = task % blocks.count, group = image % s.groups;
    const long first = blocks.first(block), rows = blocks.height(block, s), columns = rows * s.w.count;
    const T* in = x + image * s.image();
    const Operand<T> kernels{weight + group * s.o * blocks.k, s.o, blocks.k, 1};
    T* out = y + image * s.o * blocks.pixels + first * s.w.count;
    if (blocks.direct)
      gemm(false, false, s.o, columns, blocks.k, kernels.data, blocks.k, in + first * s.w.count,
           blocks.pixels, false, out, blocks.pixels);
    else
      multiply(
          kernels, columns,
          [&](long line, long depth, T* panels) { pack_windows(s, in, first, rows, line, depth, panels); },
          blocks.k, false, out, blocks.pixels);
  });
}

template <class T>
void input_gradient(const T* g, const T* weight, T* gx, const ConvShape& s) {
  const Blocks blocks(s, T());
  threads::for_each(s.n * s.groups, [&](long image) {
    ImageOfSums<T> sums(s, gx + image * s.image());
    for (long block = 0; block < blocks.count; ++block) {
      const long first = blocks.first(block), rows = blocks.height(block, s), columns = rows * s.w.count;
      const Scratch<T> scratch(blocks.k * columns);
      gemm(true, false, blocks.k, columns, s.o, weight + image % s.groups * s.o * blocks.k, blocks.k,
           g + image * s.o * blocks.pixels + first * s.w.count, blocks.pixels, false, scratch.data(),
           columns);
      sums.add(scratch.data(), columns, first, rows);
    }
    sums.finish();
  });
}

/// A sum of products with the columns of many windows: of some 65,536 in T, and of these sums in a wide sum.
template <class T>
class SumOfProducts {
 public:
  explicit SumOfProducts(T* sum, long size) : sum_(sum), size_(size) {}
  /// Calls add(whether it must begin at 0) for so many columns.
  template <class F>
  void add(long columns, F add) {
    if (columns_ > 0 && columns_ + columns > 1 << 16) flush();
    add(columns_ == 0);
    columns_ += columns;
  }
  void finish() {
    if (wide_.empty()) return;
    flush();
    for (long i = 0; i < size_; ++i) sum_[i] = rounded<T>(wide_[std::size_t(i)]);
  }

 private:
  void flush() {
    wide_.resize(std::size_t(size_));
    for (long i = 0; i < size_; ++i) wide_[std::size_t(i)].add(sum_[i]);
    columns_ = 0;
  }
  T* sum_;
  long size_, columns_ = 0;
  std::vector<WideSum<T>> wide_;  // none for few columns
};

// The images are cut into a fixed number of parts, each of which sums from zero.
template <class T>
void weight_gradient(const T* g, const T* x, T* gw, const ConvShape& s) {
  const Blocks blocks(s, T());
  const long parts = std::min(s.n, 8l), size = s.groups * s.o * blocks.k;
  Array partial({parts, size}, dtype_of<T>);
  T* sums = partial.mutable_data<T>();
  threads::for_each(parts * s.groups, [&](long task) {
    const long part = task / s.groups, group = task % s.groups;
    T* sum = sums + part * size + group * s.o * blocks.k;
    SumOfProducts<T> products(sum, s.o * blocks.k);
    for (long n = s.n * part / parts; n < s.n * (part + 1) / parts; ++n) {
      const long image = n * s.groups + group;
      for (long block = 0; block < blocks.count; ++block) {
        const long first = blocks.first(block), rows = blocks.height(block, s), columns = rows * s.w.count;
        const Scratch<T> scratch(blocks.k * columns);
        im2col(s, x + image * s.image(), first, rows, scratch.data(), columns);
        products.add(columns, [&](bool fresh) {
          gemm(false, true, s.o, blocks.k, columns, g + image * s.o * blocks.pixels + first * s.w.count,
               blocks.pixels, scratch.data(), columns, !fresh, sum, blocks.k);
        });
      }
    }
    products.finish();
  });
  add_parts(sums, parts, size, gw);
}

}  // namespace

void set_conv_lowering(ConvLowering lowering) { chosen = lowering; }

Array conv2d(const Array& x, const Array& weight, const ConvShape& s) {
  const profile::Scope scope("conv2d {} by {}", x.shape(), weight.shape());
  const Shape shape{s.n, s.groups * s.o, s.h.count, s.w.count};
  if (shape.size() == 0 || s.c == 0) return zeros(shape, x.dtype());
  evaluate(x);  // before the result is allocated: x's operands may be freed
  Array y(shape, x.dtype());
  if (!by_winograd(x, s) ||
      !winograd::forward(x.data<float>(), weight.data<float>(), y.mutable_data<float>(), s))
    dispatch_floating(x.dtype(),
                      [&]<class T>() { forward(x.data<T>(), weight.data<T>(), y.mutable_data<T>(), s); });
  return y;
}

Array conv2d_input(const Array& g, const Array& weight, const ConvShape& s) {
  const profile::Scope scope("conv2d {} by {}, gradient for x", g.shape(), weight.shape());
  const Shape shape{s.n, s.groups * s.c, s.h.size, s.w.size};
  if (shape.size() == 0 || s.o == 0) return zeros(shape, g.dtype());
  evaluate(g);
  Array gx(shape, g.dtype());
  if (!by_winograd(g, s) ||
      !winograd::input_gradient(g.data<float>(), weight.data<float>(), gx.mutable_data<float>(), s))
    dispatch_floating(g.dtype(), [&]<class T>() {
      input_gradient(g.data<T>(), weight.data<T>(), gx.mutable_data<T>(), s);
    });
  return gx;
}

Array conv2d_weight(const Array& g, const Array& x, const ConvShape& s) {
  const profile::Scope scope("conv2d {} by {}, gradient for the weight", x.shape(), g.shape());
  Array gw({s.groups * s.o, s.c, s.h.kernel, s.w.kernel}, g.dtype());
  if (gw.size() == 0 || s.n == 0) return zeros_like(gw);
  if (by_winograd(g, s))
    winograd::weight_gradient(g.data<float>(), x.data<float>(), gw.mutable_data<float>(), s);
  else
    dispatch_floating(g.dtype(),
                      [&]<class T>() { weight_gradient(g.data<T>(), x.data<T>(), gw.mutable_data<T>(), s); });
  return gw;
}

Array unfold(const Array& x, const Windows2d& s) {
  const profile::Scope scope("unfold {}", x.shape());
  const long k = s.depth(), pixels = s.count();
  const Shape shape{s.n, k, pixels};
  if (shape.size() == 0) return Array(shape, x.dtype());
  evaluate(x);
  Array y(shape, x.dtype());
  dispatch_floating(x.dtype(), [&]<class T>() {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    threads::for_each(
        s.n, [&](long n) { im2col(s, in + n * s.image(), 0, s.h.count, out + n * k * pixels, pixels); });
  });
  return y;
}

Array fold(const Array& columns, const Windows2d& s) {
  const profile::Scope scope("fold {}", columns.shape());
  const long k = s.depth(), pixels = s.count();
  const Shape shape{s.n, s.c, s.h.size, s.w.size};
  if (shape.size() == 0) return Array(shape, columns.dtype());
  evaluate(columns);
  Array x(shape, columns.dtype());
  dispatch_floating(columns.dtype(), [&]<class T>() {
    const T* in = columns.data<T>();
    T* out = x.mutable_data<T>();
    threads::for_each(s.n, [&](long n) {
      ImageOfSums<T> sums(s, out + n * s.image());
      sums.add(in + n * k * pixels, pixels, 0, s.h.count);
      sums.finish();
    });
  });
  return x;
}

}  // namespace xgrad::kernels
