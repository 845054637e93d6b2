// Matrix products, convolutions, pooling, normalisation and losses of the oracle's table.
#include <xgrad/core/base/error.hpp>
#include "tests/libtorch/oracle/row.hpp"

namespace xgrad::tests::oracle {
namespace {

// Matrix products.
Shapes product(Generator& g, const Shape& first) {
  const Shape a = of_rank(g, first, 1, 4);
  Shape b{a[a.rank() - 1]};
  if (g.below(4)) b.push_back(1 + g.below(5));
  if (b.rank() == 2 && a.rank() > 2 && g.below(2)) b.insert(0, g.below(2) ? a[a.rank() - 3] : 1);
  if (b.rank() == 2 && g.below(6) == 0) b.insert(0, 1 + g.below(3));
  if (b.rank() == 3 && a.rank() > 2 && b[0] != a[a.rank() - 3]) b[0] = 1;
  return {a, b};
}
Shapes transposed_product(Generator& g, const Shape& first) {
  const Shape a = of_rank(g, first, 2, 3);
  return {a, {1 + g.below(5), a[a.rank() - 2]}};
}
Shapes dense(Generator& g, const Shape& first) {
  const Shape x = of_rank(g, first, 1, 4);
  const long out = 1 + g.below(5);
  return {x, {out, x[x.rank() - 1]}, {out}};
}

// Windows. An image has channels for the groups that its weight asks for.
Shape image(Generator& g, const Shape& first) {
  if (first.rank() == 4 && first.size() > 0) return first;
  return {g.below(8) ? 1 + g.below(3) : 0, 1 + g.below(4), 1 + g.below(8), 1 + g.below(8)};
}
long some_groups(Generator& g, long channels) {
  const long groups = 1 + g.below(channels);
  return channels % groups ? 1 : groups;
}
Shapes convolved(Generator& g, const Shape& first) {
  const Shape x = image(g, first);
  const long groups = some_groups(g, x[1]), out = groups * (1 + g.below(3));
  const long square = g.below(2) ? 3 : 0;
  return {x, {out, x[1] / groups, square ? square : 1 + g.below(3), square ? square : 1 + g.below(4)}, {out}};
}
Shapes unconvolved(Generator& g, const Shape& first) {
  const Shape x = image(g, first);
  const long groups = some_groups(g, x[1]), out = 1 + g.below(3);
  return {x, {x[1], out, 1 + g.below(3), 1 + g.below(4)}, {out * groups}};
}
/// Stride, padding, dilation (two of each) and what is left: the kernel must fit.
Arguments window(Generator& g, const Shape& x, long kh, long kw, bool plain) {
  Arguments a;
  for (int i = 0; i < 2; ++i) a.n.push_back(plain ? 1 : 1 + g.below(3));
  std::vector<long> padding, dilation;
  const long kernel[] = {kh, kw};
  for (int i = 0; i < 2; ++i) {
    padding.push_back(g.below(3));
    dilation.push_back(plain ? 1 : 1 + g.below(2));
    const long length = x[2 + i];
    if (length + 2 * padding[std::size_t(i)] < dilation[std::size_t(i)] * (kernel[i] - 1) + 1) {
      dilation[std::size_t(i)] = 1;
      padding[std::size_t(i)] = kernel[i];
    }
  }
  a.n.insert(a.n.end(), padding.begin(), padding.end());
  a.n.insert(a.n.end(), dilation.begin(), dilation.end());
  return a;
}
Arguments convolution(Generator& g, const Shapes& s) {
  Arguments a = window(g, s[0], s[1][2], s[1][3], g.below(2) == 0);
  a.n.push_back(s[0][1] / s[1][1]);
  return a;
}
Arguments transposed(Generator& g, const Shapes& s) {
  Arguments a{.n = {1 + g.below(3), 1 + g.below(3), 0, 0, 1 + g.below(3), 1 + g.below(3)}};
  for (std::size_t i = 0; i < 2; ++i) {
    const long size = (s[0][int(i) + 2] - 1) * a.n[i] + a.n[i + 4] * (s[1][int(i) + 2] - 1) + 1;
    a.n[i + 2] = std::min(g.below(3), (size - 1) / 2);  // padding leaves something
  }
  for (std::size_t i = 0; i < 2; ++i) a.n.push_back(g.below(std::max(a.n[i], a.n[i + 4])));  // output_padding
  a.n.push_back(s[2][0] / s[1][1]);                                                          // groups
  return a;
}
Shapes windowed(Generator& g, const Shape& first) { return {image(g, first)}; }
Arguments unfolded(Generator& g, const Shapes& s) {
  const long kh = 1 + g.below(3), kw = 1 + g.below(3);
  Arguments a = window(g, s[0], kh, kw, false);
  for (long n : {kh, kw, s[0][2], s[0][3]}) a.n.push_back(n);
  return a;
}
Arguments pooled(Generator& g, const Shapes& s) {
  Arguments a;
  for (int i = 0; i < 2; ++i) a.n.push_back(1 + g.below(std::min(s[0][2 + i], 3l)));
  for (int i = 0; i < 2; ++i) a.n.push_back(1 + g.below(3));
  for (std::size_t i = 0; i < 2; ++i) a.n.push_back(g.below(a.n[i] / 2 + 1));
  return a;
}

// Normalisation and losses.
Shapes normalised(Generator& g, const Shape& first) {
  Shape x = of_rank(g, first, 2, 4);
  if (x.size() == x[1]) x[0] = 2 + g.below(4);  // one value a channel has no variance
  return {x, {x[1]}, {x[1]}};
}
Arguments statistics(Generator& g, const Shapes&) { return {.r = {g.uniform() - .5, 2 * g.uniform()}}; }
/// The same, whose gradient is contiguous.
at::Tensor dense_gradient(const at::Tensor& y) { return y.reshape({-1}).reshape(y.sizes()); }
Shapes layer(Generator& g, const Shape& first) {
  const Shape x = of_rank(g, first, 1, 4);
  const Shape last(x.begin() + g.below(x.rank()), x.end());
  return {x, last, last};
}
Shapes classified(Generator& g, const Shape& first) { return {of_rank(g, first, 2, 4)}; }
Shapes twice(Generator& g, const Shape& first) {
  const Shape x = of_rank(g, first, 2, 4);
  return {x, x};
}
Shapes paired(Generator& g, const Shape& first) {
  const Shape x = of_rank(g, first, 0, 8);
  return {x, x};
}
Arguments loss(Generator& g, const Shapes& s) {
  Arguments a{.n = {g.below(3)}, .r = {g.below(2) ? 0 : .25}};
  if (s.size() == 1) {
    expect(s[0].rank() >= 2, "loss: {} has no classes", s[0]);  // shrinking tries such shapes
    Shape labels = s[0];
    labels.erase(1);
    a.index = indices(g, labels, s[0][1]);
  }
  return a;
}
Reduction reduction(long n) { return n == 0 ? Reduction::mean : n == 1 ? Reduction::sum : Reduction::none; }
long their_reduction(long n) {
  return n == 0 ? long(at::Reduction::Mean) : n == 1 ? long(at::Reduction::Sum) : long(at::Reduction::None);
}

}  // namespace

std::vector<Row> network_rows() {
  return {
      ROW("matmul", product, none, matmul(x[0], x[1]), torch::matmul(t[0], t[1])),
      ROW("matmul", transposed_product, none, matmul(x[0], x[1], {.transpose_a = true, .transpose_b = true}),
          torch::matmul(t[0].mT(), t[1].mT())),
      ROW("linear", dense, none, linear(x[0], x[1], x[2]), torch::linear(t[0], t[1], t[2])),
      ROW("conv2d", convolved, convolution,
          conv2d(x[0], x[1], x[2],
                 {.stride = {a.n[0], a.n[1]},
                  .padding = {a.n[2], a.n[3]},
                  .dilation = {a.n[4], a.n[5]},
                  .groups = a.n[6]}),
          torch::conv2d(t[0], t[1], t[2], {a.n[0], a.n[1]}, {a.n[2], a.n[3]}, {a.n[4], a.n[5]}, a.n[6])),
      ROW("conv_transpose2d", unconvolved, transposed,
          conv_transpose2d(x[0], x[1], x[2],
                           {.stride = {a.n[0], a.n[1]},
                            .padding = {a.n[2], a.n[3]},
                            .output_padding = {a.n[6], a.n[7]},
                            .dilation = {a.n[4], a.n[5]},
                            .groups = a.n[8]}),
          torch::conv_transpose2d(t[0], t[1], t[2], {a.n[0], a.n[1]}, {a.n[2], a.n[3]}, {a.n[6], a.n[7]},
                                  a.n[8], {a.n[4], a.n[5]})),
      ROW("unfold", windowed, unfolded,
          unfold(x[0], {a.n[6], a.n[7]},
                 {.stride = {a.n[0], a.n[1]}, .padding = {a.n[2], a.n[3]}, .dilation = {a.n[4], a.n[5]}}),
          torch::im2col(t[0], {a.n[6], a.n[7]}, {a.n[4], a.n[5]}, {a.n[2], a.n[3]}, {a.n[0], a.n[1]})),
      ROW("fold", windowed, unfolded,
          fold(
              unfold(x[0], {a.n[6], a.n[7]},
                     {.stride = {a.n[0], a.n[1]}, .padding = {a.n[2], a.n[3]}, .dilation = {a.n[4], a.n[5]}}),
              {a.n[8], a.n[9]}, {a.n[6], a.n[7]},
              {.stride = {a.n[0], a.n[1]}, .padding = {a.n[2], a.n[3]}, .dilation = {a.n[4], a.n[5]}}),
          torch::col2im(
              torch::im2col(t[0], {a.n[6], a.n[7]}, {a.n[4], a.n[5]}, {a.n[2], a.n[3]}, {a.n[0], a.n[1]}),
              {a.n[8], a.n[9]}, {a.n[6], a.n[7]}, {a.n[4], a.n[5]}, {a.n[2], a.n[3]}, {a.n[0], a.n[1]})),
      ROW("max_pool2d", windowed, pooled,
          max_pool2d(x[0], {a.n[0], a.n[1]}, {.stride = {a.n[2], a.n[3]}, .padding = {a.n[4], a.n[5]}}),
          torch::max_pool2d(t[0], {a.n[0], a.n[1]}, {a.n[2], a.n[3]}, {a.n[4], a.n[5]})),
      ROW("avg_pool2d", windowed, pooled,
          avg_pool2d(x[0], {a.n[0], a.n[1]}, {.stride = {a.n[2], a.n[3]}, .padding = {a.n[4], a.n[5]}}),
          torch::avg_pool2d(t[0], {a.n[0], a.n[1]}, {a.n[2], a.n[3]}, {a.n[4], a.n[5]})),
      ROW("global_avg_pool", windowed, none, global_avg_pool(x[0]), t[0].mean(at::IntArrayRef{2, 3})),
      // libtorch 1.13 gives wrong gradients where images or gradients are strided.
      ROW("batch_norm", normalised, none, batch_norm(x[0], x[1], x[2], 1e-2).y,
          dense_gradient(torch::batch_norm(t[0].contiguous(), t[1], t[2], {}, {}, true, .1, 1e-2, false)),
          centres),
      ROW("batch_norm", normalised, statistics,
          batch_norm(x[0], x[1], x[2], full(x[1].shape(), a.r[0], x[1].dtype()),
                     full(x[1].shape(), a.r[1], x[1].dtype()), 1e-2),
          torch::batch_norm(t[0].contiguous(), t[1], t[2], torch::full(t[1].sizes(), a.r[0], torch::kDouble),
                            torch::full(t[1].sizes(), a.r[1], torch::kDouble), false, .1, 1e-2, false),
          centres),
      ROW("layer_norm", layer, none, layer_norm(x[0], x[1], x[2], 1e-2),
          torch::layer_norm(t[0], t[1].sizes(), t[1], t[2], 1e-2), centres),
      ROW("dropout", same, none, dropout(x[0], .25, {.training = false, .inverted = false}), t[0] * .75),
      ROW("softmax", filled_ranked, axis, softmax(x[0], int(a.n[0])), torch::softmax(t[0], a.n[0]),
          saturates),
      ROW("log_softmax", filled_ranked, axis, log_softmax(x[0], int(a.n[0])),
          torch::log_softmax(t[0], a.n[0]), saturates),
      ROW("cross_entropy", classified, loss,
          cross_entropy(x[0], a.index, {.label_smoothing = a.r[0], .reduction = reduction(a.n[0])}),
          torch::cross_entropy_loss(t[0], tensor(a.index), {}, their_reduction(a.n[0]), -100, a.r[0]),
          saturates),
      ROW("cross_entropy", twice, loss,
          cross_entropy(x[0], square(x[1]), {.label_smoothing = a.r[0], .reduction = reduction(a.n[0])}),
          torch::cross_entropy_loss(t[0], torch::square(t[1]), {}, their_reduction(a.n[0]), -100, a.r[0]),
          saturates),
      ROW("nll_loss", classified, loss, nll_loss(x[0], a.index, reduction(a.n[0])),
          torch::nll_loss_nd(t[0].contiguous(), tensor(a.index), {}, their_reduction(a.n[0]))),
      ROW("mse_loss", paired, loss, mse_loss(x[0], x[1], reduction(a.n[0])),
          torch::mse_loss(t[0], t[1], their_reduction(a.n[0]))),
      ROW("binary_cross_entropy_with_logits", paired, loss,
          binary_cross_entropy_with_logits(x[0], x[1], reduction(a.n[0])),
          torch::binary_cross_entropy_with_logits(t[0], t[1], {}, {}, their_reduction(a.n[0])), saturates),
  };
}

}  // namespace xgrad::tests::oracle
