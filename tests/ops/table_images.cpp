// Rows of convolution and pooling. tests/ops/definitions.cpp goes through many more geometries.
#include <algorithm>

#include "tests/ops/reference_images.hpp"
#include "tests/ops/table.hpp"

namespace xgrad::tests {
namespace {

Row conv_row(const char* what, Conv2dOptions options, std::vector<Shapes> shapes) {
  return {"conv2d", what,
          [=](auto& x) { return conv2d(x[0], x[1], x.size() > 2 ? x[2] : Variable(), options); },
          [=](auto& x) {
            const Grid y = conv2d_by_loops(x[0], x[1], options);
            return x.size() > 2 ? add_channels(y, x[2]) : y;
          },
          std::move(shapes)};
}
Row conv_transpose_row(const char* what, ConvTranspose2dOptions options, std::vector<Shapes> shapes) {
  return {"conv_transpose2d", what,
          [=](auto& x) { return conv_transpose2d(x[0], x[1], x.size() > 2 ? x[2] : Variable(), options); },
          [=](auto& x) {
            const Grid y = conv_transpose2d_by_loops(x[0], x[1], options);
            return x.size() > 2 ? add_channels(y, x[2]) : y;
          },
          std::move(shapes)};
}
Row unfold_row(const char* what, Pair kernel, WindowOptions options, std::vector<Shapes> shapes) {
  return {"unfold", what, [=](auto& x) { return unfold(x[0], kernel, options); },
          [=](auto& x) { return unfold_by_loops(x[0], kernel, options); }, std::move(shapes)};
}
/// The second input lends its shape to the images.
Row fold_row(const char* what, Pair kernel, WindowOptions options, std::vector<Shapes> shapes) {
  return {"fold", what,
          [=](auto& x) {
            return fold(x[0], {x[1].dim(2), x[1].dim(3)}, kernel, options);
          },
          [=](auto& x) { return fold_by_loops(x[0], x[1].shape, kernel, options); }, std::move(shapes)};
}
Row max_pool_row(const char* what, Pair kernel, PoolOptions options, std::vector<Shapes> shapes) {
  return {"max_pool2d",
          what,
          [=](auto& x) { return max_pool2d(x[0], kernel, options); },
          [=](auto& x) {
            return pool_by_loops(x[0], kernel, options, false,
                                 [](auto& v) { return *std::max_element(v.begin(), v.end()); });
          },
          std::move(shapes),
          apart};
}
Row avg_pool_row(const char* what, Pair kernel, PoolOptions options, std::vector<Shapes> shapes) {
  return {"avg_pool2d", what, [=](auto& x) { return avg_pool2d(x[0], kernel, options); },
          [=](auto& x) { return pool_by_loops(x[0], kernel, options, true, average); }, std::move(shapes)};
}

const std::vector<Shapes> images = {
    {{1, 1, 4, 4}}, {{2, 3, 5, 7}}, {{0, 2, 4, 4}}, {{1, 0, 4, 4}}, {{5, 17, 9, 9}}};
/// And where there is padding.
const std::vector<Shapes> padded = {
    {{1, 1, 1, 1}}, {{2, 3, 5, 7}}, {{0, 2, 4, 4}}, {{1, 0, 4, 4}}, {{5, 17, 9, 9}}};

}  // namespace

Rows image_rows() {
  return {
      conv_row("", {},
               {{{1, 1, 1, 1}, {1, 1, 1, 1}},
                {{2, 3, 5, 6}, {4, 3, 3, 2}},
                {{0, 3, 5, 6}, {4, 3, 3, 3}},
                {{2, 0, 4, 4}, {3, 0, 2, 2}},
                {{2, 3, 4, 4}, {0, 3, 2, 2}},
                {{3, 17, 17, 17}, {5, 17, 3, 3}}}),
      conv_row("with bias", {.padding = 1},
               {{{2, 3, 4, 4}, {2, 3, 3, 3}, {2}}, {{0, 3, 4, 4}, {2, 3, 3, 3}, {2}}}),
      conv_row("with all options", {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2},
               {{{2, 4, 5, 6}, {6, 2, 3, 2}, {6}}, {{1, 2, 3, 3}, {2, 1, 2, 2}, {2}}}),
      conv_transpose_row("", {},
                         {{{1, 1, 1, 1}, {1, 1, 1, 1}},
                          {{2, 3, 4, 5}, {3, 2, 3, 2}},
                          {{0, 3, 4, 4}, {3, 2, 3, 3}},
                          {{2, 0, 3, 3}, {0, 2, 2, 2}},
                          {{3, 5, 15, 15}, {5, 17, 3, 3}}}),
      conv_transpose_row(
          "with all options",
          {.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}, .dilation = {2, 1}, .groups = 2},
          {{{2, 4, 3, 4}, {4, 3, 3, 2}, {6}}, {{1, 2, 2, 2}, {2, 1, 2, 3}, {2}}}),
      unfold_row("", 2, {},
                 {{{1, 1, 2, 2}}, {{2, 3, 4, 5}}, {{0, 2, 3, 3}}, {{2, 0, 3, 3}}, {{3, 5, 17, 33}}}),
      unfold_row("with all options", {2, 3}, {.stride = {2, 1}, .padding = {1, 2}, .dilation = {2, 1}},
                 padded),
      fold_row("", 2, {},
               {{{1, 4, 1}, {1, 1, 2, 2}},
                {{2, 12, 12}, {2, 3, 4, 5}},
                {{0, 4, 1}, {0, 1, 2, 2}},
                {{3, 20, 512}, {3, 5, 17, 33}}}),
      fold_row("of a 1x1 kernel", 1, {}, {{{1, 1, 1}, {1, 1, 1, 1}}, {{2, 3, 20}, {2, 3, 4, 5}}}),
      fold_row("with all options", {2, 3}, {.stride = {2, 1}, .padding = {1, 2}, .dilation = {2, 1}},
               {{{2, 18, 27}, {2, 3, 5, 7}}, {{1, 6, 12}, {1, 1, 4, 4}}}),
      max_pool_row("", 2, {}, images),
      max_pool_row("overlapping, with padding", 3, {.stride = 2, .padding = 1}, padded),
      max_pool_row("with all options", {2, 4}, {.stride = {1, 3}, .padding = {1, 2}}, padded),
      avg_pool_row("", 2, {}, images),
      avg_pool_row("overlapping, with padding", 3, {.stride = 2, .padding = 1}, padded),
      avg_pool_row("with all options", {2, 4}, {.stride = {1, 3}, .padding = {1, 2}}, padded),
      {"global_avg_pool", "", [](auto& x) { return global_avg_pool(x[0]); },
       [](auto& x) {
         return along(x[0], {2, 3}, false, average);
       },
       padded},
  };
}

}  // namespace xgrad::tests
