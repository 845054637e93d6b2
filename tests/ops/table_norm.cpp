// Rows of normalisation and dropout.
#include <cmath>

#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/norm.hpp>
#include "tests/ops/table.hpp"

namespace xgrad::tests {
namespace {

constexpr double eps = 0.1;  // large, so that second derivatives are tame where a channel has one element

double variance(const std::vector<double>& v) {
  const double middle = average(v);
  double sum = 0;
  for (double e : v) sum += (e - middle) * (e - middle);
  return sum / double(v.size());
}
Axes all_but_channels(const Grid& x) {
  Axes axes{0};
  for (int axis = 2; axis < x.rank(); ++axis) axes.push_back(axis);
  return axes;
}
/// (x - mean) / sqrt(var + eps) * gamma + beta, with (C,) each.
Grid normalized(const Grid& x, const Grid& mean, const Grid& var, const Grid* gamma, const Grid* beta) {
  return grid(x.shape, [&](const Index& i) {
    const Index c{i[1]};
    const double y = (x(i) - mean(c)) / std::sqrt(var(c) + eps);
    return y * (gamma ? (*gamma)(c) : 1) + (beta ? (*beta)(c) : 0);
  });
}

const std::vector<Shapes> batches = {{{2, 1}, {1}, {1}},           {{5, 3}, {3}, {3}},
                                     {{2, 3, 4}, {3}, {3}},        {{2, 3, 4, 5}, {3}, {3}},
                                     {{1, 2, 3, 1}, {2}, {2}},     {{17, 33, 3}, {33}, {33}},
                                     {{10, 17, 6, 7}, {17}, {17}}, {{3, 2, 2, 2, 2}, {2}, {2}}};

Row batch_norm_row(const char* what, Variable BatchNormResult::*part,
                   double (*reference)(const std::vector<double>&)) {
  return {"batch_norm", what, [=](auto& x) { return batch_norm(x[0], x[1], x[2], eps).*part; },
          [=](auto& x) { return along(x[0], all_but_channels(x[0]), true, reference); }, batches};
}
Row dropout_row(const char* what, double p, bool training, bool inverted) {
  return {"dropout",
          what,
          [=](auto& x) {
            Generator g(5);
            return dropout(x[0], p, {.training = training, .inverted = inverted, .generator = &g});
          },
          [=](auto& x) {
            Generator g(5);
            const Grid kept(g.bernoulli(x[0].shape, 1 - p, DType::f64));
            return grid(x[0].shape, [&](const Index& i) {
              if (!training) return inverted ? x[0](i) : x[0](i) * (1 - p);
              return kept(i) == 0 ? 0 : inverted ? x[0](i) / (1 - p) : x[0](i);
            });
          },
          {{{}}, {{1}}, {{0}}, {{3, 5}}, {{33, 155}}}};
}
/// Over the last `axes` axes, with gamma and beta as the other inputs when there are any.
Row layer_norm_row(const char* what, int axes, std::vector<Shapes> shapes) {
  return {
      "layer_norm", what,
      [=](auto& x) {
        return x.size() > 1 ? layer_norm(x[0], x[1], x[2], eps) : layer_norm(x[0], {}, {}, eps);
      },
      [=](auto& x) {
        Axes last;
        for (int axis = 1; axis <= axes; ++axis) last.push_back(-axis);
        const Grid mean = along(x[0], last, true, average), var = along(x[0], last, true, variance);
        const Grid y =
            each([](double v, double m, double s) { return (v - m) / std::sqrt(s + eps); }, x[0], mean, var);
        return x.size() > 1 ? each([](double v, double g, double b) { return v * g + b; }, y, x[1], x[2]) : y;
      },
      std::move(shapes)};
}

}  // namespace

Rows norm_rows() {
  return {
      {"batch_norm", "", [](auto& x) { return batch_norm(x[0], x[1], x[2], eps).y; },
       [](auto& x) {
         const Axes axes = all_but_channels(x[0]);
         return normalized(x[0], along(x[0], axes, false, average), along(x[0], axes, false, variance), &x[1],
                           &x[2]);
       },
       batches},
      {"batch_norm",
       "without gamma and beta",
       [](auto& x) { return batch_norm(x[0], {}, {}, eps).y; },
       [](auto& x) {
         const Axes axes = all_but_channels(x[0]);
         return normalized(x[0], along(x[0], axes, false, average), along(x[0], axes, false, variance),
                           nullptr, nullptr);
       },
       {{{4, 3}}, {{2, 3, 2, 2}}}},
      batch_norm_row("its mean", &BatchNormResult::mean, average),
      batch_norm_row("its variance", &BatchNormResult::var, variance),
      {"batch_norm",
       "with given statistics",
       [](auto& x) { return batch_norm(x[0], x[1], x[2], x[3], x[4], eps); },
       [](auto& x) { return normalized(x[0], x[3], x[4], &x[1], &x[2]); },
       {{{1, 1}, {1}, {1}, {1}, {1}},
        {{5, 3}, {3}, {3}, {3}, {3}},
        {{0, 3}, {3}, {3}, {3}, {3}},
        {{2, 3, 4, 5}, {3}, {3}, {3}, {3}},
        {{10, 17, 6, 7}, {17}, {17}, {17}, {17}}},
       last_positive},
      {"batch_norm",
       "with given statistics, without gamma and beta",
       [](auto& x) { return batch_norm(x[0], {}, {}, x[1], x[2], eps); },
       [](auto& x) { return normalized(x[0], x[1], x[2], nullptr, nullptr); },
       {{{5, 3}, {3}, {3}}},
       last_positive},
      layer_norm_row("", 1,
                     {{{1}, {1}, {1}},
                      {{5}, {5}, {5}},
                      {{3, 17}, {17}, {17}},
                      {{2, 3, 4}, {4}, {4}},
                      {{0, 3}, {3}, {3}},
                      {{33, 155}, {155}, {155}}}),
      layer_norm_row("over two axes", 2,
                     {{{2, 3, 4}, {3, 4}, {3, 4}},
                      {{3, 4}, {3, 4}, {3, 4}},
                      {{0, 2, 2}, {2, 2}, {2, 2}},
                      {{3, 33, 60}, {33, 60}, {33, 60}}}),
      layer_norm_row("without gamma and beta", 1, {{{2}}, {{3, 5}}, {{2, 2, 3}}, {{0, 5}}}),
      dropout_row("", .4, true, true),
      dropout_row("of everything", 1, true, true),
      dropout_row("the book's", .4, true, false),
      dropout_row("in evaluation", .4, false, true),
      dropout_row("the book's in evaluation", .4, false, false),
  };
}

}  // namespace xgrad::tests
