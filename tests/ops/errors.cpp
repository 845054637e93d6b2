// Bad input to ops: each error names the op, says what is wrong, and shows the shapes, dtypes or numbers in
// question.
#include <cmath>

#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"

namespace xgrad::tests {
namespace {

Variable f32(const Shape& shape) { return Variable(ones(shape)); }
Variable f64(const Shape& shape) { return Variable(ones(shape, DType::f64)); }
Variable i64(const Shape& shape) { return Variable(ones(shape, DType::i64)); }
Variable u8(const Shape& shape) { return Variable(ones(shape, DType::u8)); }
Array index(std::initializer_list<std::int64_t> indices) { return array(indices); }

}  // namespace

/// What a call must say.
#define SAYS(call, message) CHECK(error_of([] { (void)(call); }) == message)

TEST_CASE("bad input to elementwise ops", "[ops][errors]") {
  SAYS(add(f32({2, 3}), f32({4})), "add: shapes (2, 3) and (4,) do not broadcast");
  SAYS(div(i64({3}), i64({3})), "div: not defined for i64; cast to f32 or f64 first");
  SAYS(pow(i64({3}), 2), "pow: not defined for i64; cast to f32 or f64 first");
  SAYS(add(i64({3}), .5), "add: i64 cannot hold 0.5; cast the array first");
  SAYS(exp(i64({2})), "exp: not defined for i64; cast to f32 or f64 first");
  SAYS(sqrt(u8({2})), "sqrt: not defined for u8; cast to f32 or f64 first");
  SAYS(maximum(f32({2}), f32({3})), "maximum: shapes (2,) and (3,) do not broadcast");
  SAYS(where(f32({2}), f32({3}), f32({2})), "where: shapes (2,) and (3,) do not broadcast");
  SAYS(clip(f32({2}), 2, 1), "clip: the lower limit 2 is above the upper limit 1");
  SAYS(clip(f32({2}), 0, NAN), "clip: the lower limit 0 is above the upper limit nan");
  SAYS(equal(f32({2}), f32({3})), "equal: shapes (2,) and (3,) do not broadcast");
  SAYS(cast(Variable(ones({2}), requires_grad), DType::i64),
       "cast: a Variable that requires a gradient cannot become i64");
}

TEST_CASE("bad input to reductions", "[ops][errors]") {
  SAYS(sum(f32({2, 3}), 2), "sum: axis 2 is out of range for 2 axes");
  SAYS(sum(f32({2, 3}), {0, -2}), "sum: axis 0 is given twice");
  SAYS(mean(f32({}), 0), "mean: axis 0 is out of range for 0 axes");
  SAYS(mean(f32({0, 3}), 0), "mean: shape (0, 3) has no elements along the axes");
  SAYS(mean(i64({3})), "mean: not defined for i64; cast to f32 or f64 first");
  SAYS(var(f32({3, 0}), 1), "var: shape (3, 0) has no elements along the axes");
  SAYS(var(i64({3})), "var: not defined for i64; cast to f32 or f64 first");
  SAYS(max(f32({0})), "max: shape (0,) has no elements along the axes");
  SAYS(prod(f32({2}), -2), "prod: axis -2 is out of range for 1 axes");
  SAYS(cumsum(f32({2, 3}), 2), "cumsum: axis 2 is out of range for 2 axes");
  SAYS(argmax(f32({2, 0}).data(), 1), "argmax: shape (2, 0) has no elements along axis 1");
}

TEST_CASE("bad input to shape ops", "[ops][errors]") {
  SAYS(reshape(f32({2, 3}), {4, 2}), "reshape: 6 elements do not fit shape (4, 2)");
  SAYS(reshape(f32({2, 3}), {4, -1}), "reshape: 6 elements do not fit shape (4, -1)");
  SAYS(reshape(f32({2, 3}), {-1, -1}), "reshape: only one length may be -1");
  SAYS(reshape(f32({0, 3}), {0, -1}), "reshape: 0 elements do not fit shape (0, -1)");
  SAYS(reshape(f32({2}), {-2}), "shape: negative length -2 for axis 0");
  SAYS(flatten(f32({2, 3}), 3), "flatten: axis 3 is out of range for 2 axes");
  SAYS(transpose(f32({2, 3}), {0}), "transpose: 1 axes are given for shape (2, 3)");
  SAYS(transpose(f32({2, 3}), {0, 0}), "transpose: axis 0 is given twice");
  SAYS(transpose(f32({2, 3}), {0, 2}), "transpose: axis 2 is out of range for 2 axes");
  SAYS(squeeze(f32({2, 1}), 0), "squeeze: axis 0 of shape (2, 1) does not have length 1");
  SAYS(squeeze(f32({2, 1}), 2), "squeeze: axis 2 is out of range for 2 axes");
  SAYS(unsqueeze(f32({2, 1}), 3), "unsqueeze: axis 3 is out of range for 3 axes");
  SAYS(unsqueeze(f32({1, 1, 1, 1, 1, 1, 1, 1}), 0), "shape: an array has at most 8 axes");
  SAYS(broadcast_to(f32({2, 3}), {2, 4}), "broadcast_to: shape (2, 3) does not broadcast to (2, 4)");
  SAYS(broadcast_to(f32({2, 3}), {3}), "broadcast_to: shape (2, 3) does not broadcast to (3,)");
  SAYS(sum_to(f32({2, 3}), {2}), "sum_to: (2, 3) cannot be summed to (2,)");
  SAYS(concat({}), "concat: at least one input is needed");
  SAYS(concat({f32({2, 3}), f32({2, 4})}), "concat: shapes (2, 3) and (2, 4) differ outside axis 0");
  SAYS(concat({f32({2, 3}), f32({2})}), "concat: shapes (2, 3) and (2,) have different ranks");
  SAYS(concat({f32({2})}, 1), "concat: axis 1 is out of range for 1 axes");
  SAYS(concat({f32({}), f32({})}), "concat: axis 0 is out of range for 0 axes");
  SAYS(stack({}), "stack: at least one input is needed");
  SAYS(stack({f32({2}), f32({3})}), "stack: shapes (2,) and (3,) differ");
  SAYS(stack({f32({2}), f32({2})}, 2), "stack: axis 2 is out of range for 2 axes");
  SAYS(split(f32({5}), {2, 2}), "split: the lengths add up to 4, but axis 0 of shape (5,) has 5");
  SAYS(split(f32({5}), {6, -1}), "split: negative length -1");
  SAYS(split(f32({5}), {5}, 1), "split: axis 1 is out of range for 1 axes");
  SAYS(slice(f32({5}), 1, 0, 2), "slice: axis 1 is out of range for 1 axes");
  SAYS(slice(f32({5}), 0, 0, 2, 0), "slice: step 0 is not positive; use flip to reverse");
  SAYS(slice(f32({5}), 0, 4, 0, -1), "slice: step -1 is not positive; use flip to reverse");
  SAYS(pad(f32({5}), {{1, 1}, {1, 1}}), "pad: 2 pairs are given for shape (5,)");
  SAYS(pad(f32({5}), {{-1, 1}}), "pad: negative width (-1, 1)");
  SAYS(flip(f32({5}), 1), "flip: axis 1 is out of range for 1 axes");
  SAYS(flip(f32({5}), {0, 0}), "flip: axis 0 is given twice");
}

TEST_CASE("bad input to indexing ops", "[ops][errors]") {
  SAYS(gather(f32({2, 3}), 2, index({0})), "gather: axis 2 is out of range for 2 axes");
  SAYS(gather(f32({2, 3}), 0, index({0})), "gather: index of shape (1,) does not have the rank of (2, 3)");
  SAYS(gather(f32({3}), 0, index({0, 3})), "gather: index 3 at position 1 is out of range for length 3");
  SAYS(gather(f32({3}), 0, index({0, -1})), "gather: index -1 at position 1 is out of range for length 3");
  SAYS(gather(f32({3}), 0, f32({2}).data()), "gather: indices must be integers, not f32");
  SAYS(gather(f32({2, 3}), 1, zeros({3, 3}, DType::i64)),
       "gather: index of shape (3, 3) does not fit into (2, 3)");
  SAYS(scatter_add(f32({3}), 0, index({0, 1}), f32({3})),
       "scatter_add: source of shape (3,) for an index of shape (2,)");
  SAYS(scatter_add(f32({3}), 0, index({0, 1}), f64({2})), "scatter_add: dtypes f32 and f64 differ");
  SAYS(scatter_add(f32({3}), 0, index({3}), f32({1})),
       "scatter_add: index 3 at position 0 is out of range for length 3");
  SAYS(take(f32({2, 3}), index({0, 2})), "take: index 2 at position 1 is out of range for length 2");
  SAYS(take(f32({2, 3}), index({0}), 2), "take: axis 2 is out of range for 2 axes");
  SAYS(take(f32({2, 3}), f32({1}).data()), "take: indices must be integers, not f32");
  SAYS(embedding(f32({5}), index({0})), "embedding: the weight must be (vocabulary, features), not (5,)");
  SAYS(embedding(f32({5, 2}), index({5})), "embedding: index 5 at position 0 is out of range for length 5");
  SAYS(embedding(f32({5, 2}), ones({2}, DType::boolean)), "embedding: indices must be integers, not bool");
  SAYS(one_hot(index({0, 3}), 3), "one_hot: index 3 at position 1 is out of range for length 3");
  SAYS(one_hot(f32({2}).data(), 3), "one_hot: indices must be integers, not f32");
}

TEST_CASE("bad input to matrix products", "[ops][errors]") {
  SAYS(matmul(f32({2, 3}), f32({2, 3})), "matmul: cannot multiply (2, 3) by (2, 3)");
  SAYS(matmul(f32({2, 3}), f32({4, 3}), {.transpose_a = true, .transpose_b = true}),
       "matmul: cannot multiply (2, 3) transposed by (4, 3) transposed");
  SAYS(matmul(f32({2, 3}), f32({2, 4}), {.transpose_b = true}),
       "matmul: cannot multiply (2, 3) by (2, 4) transposed");
  SAYS(matmul(f32({3}), f32({4, 5})), "matmul: cannot multiply (3,) by (4, 5)");
  SAYS(matmul(f32({2, 3}), f32({2})), "matmul: cannot multiply (2, 3) by (2,)");
  SAYS(matmul(f32({3}), f32({2})), "matmul: cannot multiply (3,) by (2,)");
  SAYS(matmul(f32({}), f32({2})), "matmul: cannot multiply () by (2,)");
  SAYS(matmul(f32({2, 2, 3}), f32({3, 3, 4})),
       "matmul: the leading axes of (2, 2, 3) and (3, 3, 4) do not broadcast");
  SAYS(matmul(f32({2, 3}), f64({3, 2})), "matmul: cannot multiply f32 by f64; cast to f32 or f64");
  SAYS(matmul(i64({2, 3}), i64({3, 2})), "matmul: cannot multiply i64 by i64; cast to f32 or f64");
  SAYS(linear(f32({2, 3}), f32({4, 5})), "linear: input (2, 3) does not fit weight (4, 5)");
  SAYS(linear(f32({2, 3}), f32({3})), "linear: input (2, 3) does not fit weight (3,)");
  SAYS(linear(f32({2, 3}), f32({4, 3}), f32({3})), "linear: bias (3,) does not fit weight (4, 3)");
  SAYS(linear(f32({2, 3}), f64({4, 3})), "linear: input is f32, weight f64");
  SAYS(linear(f32({2, 3}), f32({4, 3}), f64({4})), "linear: input is f32, bias f64");
}

TEST_CASE("bad input to convolutions", "[ops][errors]") {
  SAYS(conv2d(f32({3, 8, 8}), f32({4, 3, 3, 3})), "conv2d: input (3, 8, 8) is not (N, C, H, W)");
  SAYS(conv2d(f32({2, 3, 8, 8}), f32({64, 1, 3, 3})),
       "conv2d: input has 3 channels but weight (64, 1, 3, 3) expects 1");
  SAYS(conv2d(f32({2, 3, 8, 8}), f32({3, 3, 3})), "conv2d: weight (3, 3, 3) is not (O, C, KH, KW)");
  SAYS(conv2d(f32({2, 3, 8, 8}), f64({4, 3, 3, 3})), "conv2d: input is f32, weight f64");
  SAYS(conv2d(i64({2, 3, 8, 8}), i64({4, 3, 3, 3})), "conv2d: not defined for i64; cast to f32 first");
  SAYS(conv2d(f32({2, 3, 2, 8}), f32({4, 3, 3, 3})),
       "conv2d: kernel (3, 3) does not fit into images (2, 3, 2, 8)");
  SAYS(conv2d(f32({2, 3, 8, 8}), f32({4, 3, 0, 3})), "conv2d: kernel (0, 3) is not positive");
  SAYS(conv2d(f32({2, 3, 8, 8}), f32({4, 3, 3, 3}), f32({3})), "conv2d: bias (3,) does not fit 4 channels");
  SAYS(conv2d(f32({2, 3, 8, 8}), f32({4, 3, 3, 3}), f64({4})), "conv2d: input is f32, bias f64");
  SAYS(conv2d(f32({2, 3, 8, 8}), f32({4, 3, 3, 3}), {}, {.stride = 0}),
       "conv2d: stride (0, 0) is not positive");
  SAYS(conv2d(f32({2, 3, 8, 8}), f32({4, 3, 3, 3}), {}, {.padding = {0, -1}}),
       "conv2d: padding (0, -1) is negative");
  SAYS(conv2d(f32({2, 3, 8, 8}), f32({4, 3, 3, 3}), {}, {.dilation = 0}),
       "conv2d: dilation (0, 0) is not positive");
  SAYS(conv2d(f32({2, 3, 8, 8}), f32({4, 3, 3, 3}), {}, {.groups = 2}),
       "conv2d: 3 input and 4 output channels do not split into 2 groups");
  SAYS(conv2d(f32({2, 4, 8, 8}), f32({4, 4, 3, 3}), {}, {.groups = 2}),
       "conv2d: input has 4 channels but weight (4, 4, 3, 3) expects 8");
  SAYS(conv2d(f32({2, 4, 8, 8}), f32({4, 4, 3, 3}), {}, {.groups = 0}),
       "conv2d: 4 input and 4 output channels do not split into 0 groups");
  SAYS(conv_transpose2d(f32({3, 8, 8}), f32({3, 4, 3, 3})),
       "conv_transpose2d: input (3, 8, 8) is not (N, C, H, W)");
  SAYS(conv_transpose2d(f32({2, 3, 8, 8}), f32({4, 3, 3, 3})),
       "conv_transpose2d: input has 3 channels but weight (4, 3, 3, 3) expects 4");
  SAYS(conv_transpose2d(f32({2, 3, 8, 8}), f64({3, 3, 3, 3})), "conv_transpose2d: input is f32, weight f64");
  SAYS(conv_transpose2d(f32({2, 3, 8, 8}), f32({3, 4, 3, 3}), {}, {.output_padding = 1}),
       "conv_transpose2d: output_padding (1, 1) must be smaller than stride or dilation");
  SAYS(conv_transpose2d(f32({2, 3, 1, 1}), f32({3, 4, 2, 2}), {}, {.padding = 2}),
       "conv_transpose2d: images (2, 3, 1, 1) would become (-2, -2)");
  SAYS(conv_transpose2d(f32({2, 3, 8, 8}), f32({3, 4, 3, 3}), {}, {.groups = 2}),
       "conv_transpose2d: 3 channels do not split into 2 groups");
  SAYS(conv_transpose2d(f32({2, 3, 8, 8}), f32({3, 4, 3, 3}), f32({3})),
       "conv_transpose2d: bias (3,) does not fit 4 channels");
  SAYS(unfold(f32({3, 8, 8}), 3), "unfold: input (3, 8, 8) is not (N, C, H, W)");
  SAYS(unfold(f32({2, 3, 8, 8}), 0), "unfold: kernel (0, 0) is not positive");
  SAYS(unfold(f32({2, 3, 8, 8}), 9), "unfold: kernel (9, 9) does not fit into images (2, 3, 8, 8)");
  SAYS(fold(f32({2, 27}), 8, 3), "fold: (2, 27) of f32 are not columns (N, C KH KW, L) of a kernel (3, 3)");
  SAYS(fold(f32({2, 26, 36}), 8, 3),
       "fold: (2, 26, 36) of f32 are not columns (N, C KH KW, L) of a kernel (3, 3)");
  SAYS(fold(f32({2, 27, 35}), 8, 3), "fold: images of (8, 8) have 36 windows, not 35");
  SAYS(fold(f32({2, 27, 36}), 8, 0), "fold: kernel (0, 0) is not positive");
  SAYS(fold(f32({2, 27, 36}), 0, 3), "fold: the size of the images (0, 0) is not positive");
}

TEST_CASE("bad input to pooling", "[ops][errors]") {
  SAYS(max_pool2d(f32({3, 8, 8}), 2), "max_pool2d: input (3, 8, 8) is not (N, C, H, W)");
  SAYS(max_pool2d(i64({2, 3, 8, 8}), 2), "max_pool2d: not defined for i64; cast to f32 first");
  SAYS(max_pool2d(f32({2, 3, 8, 8}), 0), "max_pool2d: kernel (0, 0) is not positive");
  SAYS(max_pool2d(f32({2, 3, 8, 8}), 9), "max_pool2d: kernel (9, 9) does not fit into images (2, 3, 8, 8)");
  SAYS(max_pool2d(f32({2, 3, 8, 8}), 2, {.stride = -1}), "max_pool2d: stride (-1, -1) is not positive");
  SAYS(max_pool2d(f32({2, 3, 8, 8}), 3, {.padding = 2}),
       "max_pool2d: padding (2, 2) is more than half of the kernel (3, 3)");
  SAYS(max_pool2d(f32({2, 3, 0, 8}), 2, {.padding = 1}),
       "max_pool2d: kernel (2, 2) does not fit into images (2, 3, 0, 8)");
  SAYS(avg_pool2d(f32({3, 8, 8}), 2), "avg_pool2d: input (3, 8, 8) is not (N, C, H, W)");
  SAYS(avg_pool2d(f32({2, 3, 1, 8}), 2), "avg_pool2d: kernel (2, 2) does not fit into images (2, 3, 1, 8)");
  SAYS(global_avg_pool(f32({2, 3})), "global_avg_pool: input (2, 3) is not (N, C, H, W)");
  SAYS(global_avg_pool(f32({2, 3, 0, 4})), "global_avg_pool: images (2, 3, 0, 4) are empty");
}

TEST_CASE("bad input to normalisation and dropout", "[ops][errors]") {
  SAYS(batch_norm(f32({3}), {}, {}), "batch_norm: (3,) of f32 is not (N, C, ...) of f32 or f64");
  SAYS(batch_norm(f32({0, 3}), {}, {}), "batch_norm: a batch of shape (0, 3) is empty");
  SAYS(batch_norm(f32({1, 3}), {}, {}),
       "batch_norm: a batch of shape (1, 3) has only one value per channel, so its variance is undefined; "
       "in evaluation, pass the statistics");
  SAYS(batch_norm(f32({2, 3}), {}, {}, -1), "batch_norm: eps is -1, not in [0, inf)");
  SAYS(batch_norm(f32({2, 3}), {}, {}, f32({3}), f32({3}), NAN), "batch_norm: eps is nan, not in [0, inf)");
  SAYS(layer_norm(f32({2, 3}), {}, {}, -1), "layer_norm: eps is -1, not in [0, inf)");
  SAYS(batch_norm(f32({2, 3}), f32({2}), {}), "batch_norm: gamma (2,) does not fit input (2, 3)");
  SAYS(batch_norm(f32({2, 3}), {}, f64({3})), "batch_norm: input is f32, beta f64");
  SAYS(batch_norm(i64({2, 3}), {}, {}), "batch_norm: (2, 3) of i64 is not (N, C, ...) of f32 or f64");
  SAYS(batch_norm(f32({2, 3}), {}, {}, f32({2}), f32({3})),
       "batch_norm: mean (2,) does not fit input (2, 3)");
  SAYS(batch_norm(f32({2, 3}), {}, {}, f32({3}), f32({4})),
       "batch_norm: variance (4,) does not fit input (2, 3)");
  SAYS(layer_norm(f32({})), "layer_norm: () of f32 is not (..., C) of f32 or f64");
  SAYS(layer_norm(f32({2, 3}), f32({2})), "layer_norm: parameters of shape (2,) do not fit input (2, 3)");
  SAYS(layer_norm(f32({2, 3}), f32({3}), f32({2, 3})),
       "layer_norm: input is (2, 3) f32, gamma and beta must be (3,) f32, not (2, 3) f32");
  SAYS(layer_norm(f32({2, 3}), f64({3})),
       "layer_norm: input is (2, 3) f32, gamma and beta must be (3,) f32, not (3,) f64");
  SAYS(layer_norm(f32({2, 0})), "layer_norm: shape (2, 0) has no elements along the axes");
  SAYS(layer_norm(i64({2, 3})), "layer_norm: (2, 3) of i64 is not (..., C) of f32 or f64");
  SAYS(dropout(f32({2}), 1.5), "dropout: 1.5 is not a probability");
  SAYS(dropout(f32({2}), -.1), "dropout: -0.1 is not a probability");
  SAYS(dropout(i64({2}), .5), "dropout: not defined for i64; cast to f32 or f64 first");
}

TEST_CASE("bad input to losses", "[ops][errors]") {
  SAYS(softmax(f32({2, 3}), 2), "softmax: axis 2 is out of range for 2 axes");
  SAYS(softmax(f32({2, 0})), "softmax: shape (2, 0) has no elements along axis 1");
  SAYS(softmax(i64({2, 3})), "softmax: not defined for i64; cast to f32 or f64 first");
  SAYS(log_softmax(f32({})), "log_softmax: axis -1 is out of range for 0 axes");
  SAYS(cross_entropy(f32({2, 3}), index({0, 1}), {.label_smoothing = 1.5}),
       "cross_entropy: label_smoothing is 1.5, not in [0, 1]");
  SAYS(cross_entropy(f32({2, 3}), index({0, 1}), {.label_smoothing = -.1}),
       "cross_entropy: label_smoothing is -0.1, not in [0, 1]");
  SAYS(cross_entropy(f32({2, 3}), f32({2, 3}), {.label_smoothing = NAN}),
       "cross_entropy: label_smoothing is nan, not in [0, 1]");
  SAYS(cross_entropy(f32({2, 3}), index({0, 1}), {.epsilon = -1}),
       "cross_entropy: epsilon is -1, not in [0, inf)");
  SAYS(cross_entropy(f32({3}), index({0})), "cross_entropy: (3,) of f32 is not (N, C, ...) of f32 or f64");
  SAYS(cross_entropy(f32({2, 3}), index({0, 3})),
       "cross_entropy: label 3 at position 1 is out of range for 3 classes");
  SAYS(cross_entropy(f32({2, 3}), index({-1, 0})),
       "cross_entropy: label -1 at position 0 is out of range for 3 classes");
  SAYS(cross_entropy(f32({2, 3}), index({0, 1, 2})), "cross_entropy: labels (3,) do not fit (2, 3)");
  SAYS(cross_entropy(f32({2, 3}), f32({2})),
       "cross_entropy: probabilities (2,) of f32 do not fit (2, 3); labels are integers, such as i64");
  SAYS(cross_entropy(f32({2, 3}), Variable(zeros({2}, DType::boolean))),
       "cross_entropy: labels must be integers, not bool");
  SAYS(nll_loss(f32({2, 3}), f32({2})), "nll_loss: labels must be integers, not f32");
  SAYS(cross_entropy(f32({2, 3}), f64({2, 3})), "cross_entropy: probabilities are f64, not f32");
  SAYS(cross_entropy(i64({2, 3}), index({0, 1})),
       "cross_entropy: (2, 3) of i64 is not (N, C, ...) of f32 or f64");
  SAYS(cross_entropy(f32({2, 0}), index({0, 1})), "cross_entropy: (2, 0) has no classes");
  SAYS(cross_entropy(f32({0, 3}), index({})), "cross_entropy: losses (0,) have no mean");
  SAYS(cross_entropy(f32({2, 3, 4}), index({0, 1})), "cross_entropy: labels (2,) do not fit (2, 3, 4)");
  SAYS(nll_loss(f32({2, 3}), index({0, 3})), "nll_loss: label 3 at position 1 is out of range for 3 classes");
  SAYS(nll_loss(f32({2, 3}), index({0})), "nll_loss: labels (1,) do not fit (2, 3)");
  SAYS(mse_loss(f32({2, 3}), f32({2})), "mse_loss: targets (2,) do not fit (2, 3)");
  SAYS(mse_loss(f32({2, 3}), f64({2, 3})), "mse_loss: targets are f64, not f32");
  SAYS(mse_loss(i64({2}), i64({2})), "mse_loss: not defined for i64; cast to f32 or f64 first");
  SAYS(mse_loss(f32({0}), f32({0})), "mse_loss: losses (0,) have no mean");
  SAYS(binary_cross_entropy_with_logits(f32({2, 3}), f32({3})),
       "binary_cross_entropy_with_logits: targets (3,) do not fit (2, 3)");
  SAYS(binary_cross_entropy_with_logits(f32({2}), f64({2})),
       "binary_cross_entropy_with_logits: targets are f64, not f32");
}

TEST_CASE("errors: an undefined operand is named with the operation") {
  SAYS(exp(Variable()), "exp: operand 1 is undefined");
  SAYS(f32({2}) + Variable(), "add: operand 2 is undefined");
}

}  // namespace xgrad::tests
