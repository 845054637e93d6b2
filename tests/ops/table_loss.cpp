// Rows of softmax and losses.
#include <cmath>

#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/loss.hpp>
#include "tests/ops/table.hpp"

namespace xgrad::tests {
namespace {

const std::vector<Shapes> vectors = {{{1}}, {{5}}, {{3, 17}}, {{0, 4}}, {{2, 3, 4}}, {{33, 155}}, {{1, 1}}};

Grid log_softmax_by_loops(const Grid& x, int axis) {
  return lines(x, axis, [](auto& line, std::size_t i) { return line[i] - log_sum_exp(line); });
}
Grid softmax_by_loops(const Grid& x, int axis) {
  return each([](double v) { return std::exp(v); }, log_softmax_by_loops(x, axis));
}
Grid reduced(const Grid& losses, Reduction reduction) {
  if (reduction == Reduction::none) return losses;
  return along(losses, {}, false, reduction == Reduction::mean ? average : total);
}
Array labels_for(const Shape& logits) {
  Shape shape = logits;
  shape.erase(1);
  return places(shape, logits[1]);
}
/// log p of the classes, p = softmax(x) + epsilon.
Grid log_p(const Grid& x, double epsilon) {
  return epsilon == 0 ? log_softmax_by_loops(x, 1)
                      : each([=](double p) { return std::log(p + epsilon); }, softmax_by_loops(x, 1));
}
/// - sum of target[c] log_p[c] over the classes.
Grid cross_entropies(const Grid& log_p, const Grid& target) {
  return along(each([](double l, double t) { return -l * t; }, log_p, target), 1, false, total);
}
Grid smoothed(const Grid& target, double s) {
  return each([&](double t) { return t * (1 - s) + s / double(target.dim(1)); }, target);
}
Grid one_hot_by_loops(const Shape& logits) {
  const Grid labels(labels_for(logits));
  return grid(logits, [&](const Index& i) { return double(long(labels(without(i, 1))) == i[1]); });
}

using S = std::vector<Shapes>;
const S logits = {{{1, 1}}, {{5, 3}}, {{17, 33}}, {{2, 3, 4}}, {{3, 2, 2, 3}}, {{50, 100}}, {{6000, 2}}};

Row labels_row(const char* what, CrossEntropyOptions options, const S& shapes) {
  return {"cross_entropy", what,
          [=](auto& x) { return cross_entropy(x[0], labels_for(x[0].shape()), options); },
          [=](auto& x) {
            const Grid target = smoothed(one_hot_by_loops(x[0].shape), options.label_smoothing);
            return reduced(cross_entropies(log_p(x[0], options.epsilon), target), options.reduction);
          },
          shapes};
}
Row probabilities_row(const char* what, CrossEntropyOptions options, const S& shapes) {
  return {"cross_entropy",
          what,
          [=](auto& x) { return cross_entropy(x[0], x[1], options); },
          [=](auto& x) {
            const Grid target = smoothed(x[1], options.label_smoothing);
            return reduced(cross_entropies(log_p(x[0], options.epsilon), target), options.reduction);
          },
          shapes,
          unit};
}
Row nll_row(const char* what, Reduction reduction, const S& shapes) {
  return {"nll_loss", what, [=](auto& x) { return nll_loss(x[0], labels_for(x[0].shape()), reduction); },
          [=](auto& x) { return reduced(cross_entropies(x[0], one_hot_by_loops(x[0].shape)), reduction); },
          shapes};
}

using PairLoss = Variable (*)(const Variable&, const Variable&, Reduction);
Rows pair_rows(const char* op, PairLoss f, double (*reference)(double, double), Draw draw) {
  auto row = [=](const char* what, Reduction reduction, const S& shapes) {
    return Row{op,
               what,
               [=](auto& x) { return f(x[0], x[1], reduction); },
               [=](auto& x) { return reduced(each(reference, x[0], x[1]), reduction); },
               shapes,
               draw};
  };
  return {row("", Reduction::mean, {{{}, {}}, {{1}, {1}}, {{3, 17}, {3, 17}}, {{33, 155}, {33, 155}}}),
          row("sum", Reduction::sum, {{{5}, {5}}, {{0, 3}, {0, 3}}}),
          row("none", Reduction::none, {{{2, 3}, {2, 3}}, {{0}, {0}}})};
}

}  // namespace

Rows loss_rows() {
  const S two = {{{1, 1}, {1, 1}}, {{5, 3}, {5, 3}}, {{2, 3, 4}, {2, 3, 4}}, {{33, 155}, {33, 155}}};
  Rows rows{
      {"softmax", "", [](auto& x) { return softmax(x[0]); },
       [](auto& x) { return softmax_by_loops(x[0], -1); }, vectors},
      {"softmax",
       "along the first axis",
       [](auto& x) { return softmax(x[0], 0); },
       [](auto& x) { return softmax_by_loops(x[0], 0); },
       {{{5}}, {{3, 4}}, {{2, 0}}, {{2, 3, 4}}}},
      {"softmax",
       "of large numbers",
       [](auto& x) { return softmax(x[0] + 5000); },
       [](auto& x) { return softmax_by_loops(x[0], -1); },
       {{{5}}, {{3, 17}}},
       alike},
      {"log_softmax", "", [](auto& x) { return log_softmax(x[0]); },
       [](auto& x) { return log_softmax_by_loops(x[0], -1); }, vectors},
      {"log_softmax",
       "along the middle axis",
       [](auto& x) { return log_softmax(x[0], 1); },
       [](auto& x) { return log_softmax_by_loops(x[0], 1); },
       {{{2, 3}}, {{2, 3, 4}}, {{2, 1, 0}}}},
      {"log_softmax",
       "of large numbers",
       [](auto& x) { return log_softmax(x[0] + 5000); },
       [](auto& x) { return log_softmax_by_loops(x[0], -1); },
       {{{5}}, {{3, 17}}},
       alike},
      labels_row("", {}, logits),
      labels_row("smoothed, sum", {.label_smoothing = .1, .reduction = Reduction::sum},
                 {{{5, 3}}, {{2, 3, 4}}, {{0, 3}}}),
      labels_row("none", {.reduction = Reduction::none}, {{{5, 3}}, {{2, 3, 4}}, {{0, 3}}, {{0, 3, 2}}}),
      labels_row("the book's epsilon", {.epsilon = 1e-7}, {{{1, 1}}, {{5, 3}}, {{2, 3, 4}}}),
      labels_row("everything", {.label_smoothing = .2, .reduction = Reduction::none, .epsilon = .01},
                 {{{5, 3}}, {{2, 3, 4}}}),
      probabilities_row("of probabilities", {}, two),
      probabilities_row("of probabilities, smoothed, sum",
                        {.label_smoothing = .1, .reduction = Reduction::sum}, two),
      probabilities_row("of probabilities, none, epsilon", {.reduction = Reduction::none, .epsilon = .01},
                        {{{5, 3}, {5, 3}}, {{0, 3}, {0, 3}}}),
      nll_row("", Reduction::mean, logits),
      nll_row("sum", Reduction::sum, {{{5, 3}}, {{0, 3}}}),
      nll_row("none", Reduction::none, {{{5, 3}}, {{2, 3, 4}}, {{0, 3, 2}}}),
  };
  auto add = [&](const Rows& more) { rows.insert(rows.end(), more.begin(), more.end()); };
  add(pair_rows(
      "mse_loss", mse_loss, [](double a, double b) { return (a - b) * (a - b); }, normal));
  add(pair_rows(
      "binary_cross_entropy_with_logits", binary_cross_entropy_with_logits,
      [](double x, double t) { return std::log(1 + std::exp(x)) - x * t; }, unit));
  return rows;
}

}  // namespace xgrad::tests
