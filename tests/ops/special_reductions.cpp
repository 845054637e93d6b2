// Special values of reductions, softmax, losses and normalisation: also of one element and of none.
#include <numbers>

#include "tests/ops/special.hpp"

namespace xgrad::tests {
namespace {

using enum Authority;
using Inputs = std::vector<Variable>;

/// A reduction of all elements.
Special all(const char* op, Variable (*f)(const Variable&, const Axes&, bool), V x, V value,
            std::optional<V> gradient = {}, std::optional<V> second = {}, Authority authority = calculus) {
  return {op,
          {std::move(x)},
          [=](auto& in) { return f(in[0], {}, false); },
          std::move(value),
          std::move(gradient),
          std::move(second),
          authority};
}
/// A function along the only axis.
Special along(const char* op, Variable (*f)(const Variable&, Axis), V x, V value,
              std::optional<V> gradient = {}, std::optional<V> second = {}, Authority authority = calculus) {
  return {op,
          {std::move(x)},
          [=](auto& in) { return f(in[0], 0); },
          std::move(value),
          std::move(gradient),
          std::move(second),
          authority};
}
Special fails(Special row, const char* error) {
  row.error = error;
  return row;
}

Specials reductions() {
  auto index = [](auto& in) { return Variable(argmax(in[0], 0)); };
  const char* none = "no elements";
  return {
      all("sum", sum, {}, {0}, V{}, V{}, numpy),
      all("sum", sum, {3}, {3}, V{1}, V{0}),
      all("sum", sum, {inf, -inf}, {nan}, V{1, 1}, V{0, 0}, ieee),
      all("sum", sum, {nan, 1}, {nan}, V{1, 1}, {}, ieee),
      fails(all("mean", mean, {}, {}), none),
      all("mean", mean, {3}, {3}, V{1}, V{0}),
      all("mean", mean, {nan, inf}, {nan}, V{.5, .5}, V{0, 0}, ieee),
      fails(all("var", var, {}, {}), none),
      all("var", var, {3}, {0}, V{0}, V{0}, numpy),
      all("var", var, {2, 2}, {0}, V{0, 0}, V{0, 0}),
      all("var", var, {inf, 1}, {nan}, {}, {}, numpy),
      all("var", var, {nan, 1}, {nan}, V{nan, nan}, {}, numpy),
      fails(all("max", max, {}, {}), none),
      all("max", max, {4}, {4}, V{1}, V{0}),
      all("max", max, {-inf, -inf}, {-inf}, V{.5, .5}, V{0, 0}),
      all("max", max, {1, inf, inf}, {inf}, V{0, .5, .5}, V{0, 0, 0}),
      all("max", max, {1, nan, inf}, {nan}, V{nan, nan, nan}, {}, numpy),
      fails(all("min", min, {}, {}), none),
      all("min", min, {4}, {4}, V{1}, V{0}),
      all("min", min, {inf, inf}, {inf}, V{.5, .5}, V{0, 0}),
      all("min", min, {1, nan, -inf}, {nan}, V{nan, nan, nan}, {}, numpy),
      all("prod", prod, {}, {1}, V{}, V{}, numpy),
      all("prod", prod, {7}, {7}, V{1}, V{0}),
      all("prod", prod, {0, 0, 2}, {0}, V{0, 0, 0}, V{2, 2, 0}),
      all("prod", prod, {0, inf}, {nan}, V{inf, 0}, V{1, 1}, ieee),
      all("prod", prod, {nan, 0}, {nan}, V{0, nan}, {}, ieee),
      all("logsumexp", logsumexp, {}, {-inf}, V{}, V{}, numpy),
      all("logsumexp", logsumexp, {3}, {3}, V{1}, V{0}),
      all("logsumexp", logsumexp, {-inf, -inf}, {-inf}, V{0, 0}, V{0, 0}),
      all("logsumexp", logsumexp, {inf, 0, 800}, {inf}, V{1, 0, 0}, V{0, 0, 0}),
      all("logsumexp", logsumexp, {-inf, 2}, {2}, V{0, 1}, V{0, 0}),
      all("logsumexp", logsumexp, {1e4, 1e4}, {1e4 + std::numbers::ln2}, V{.5, .5}, V{0, 0}),
      all("logsumexp", logsumexp, {nan, 1}, {nan}, V{nan, nan}, {}, numpy),
      along("cumsum", cumsum, {}, {}, V{}, V{}, numpy),
      along("cumsum", cumsum, {2}, {2}, V{1}, V{0}),
      along("cumsum", cumsum, {inf, -inf, 1}, {inf, nan, nan}, V{3, 2, 1}, V{0, 0, 0}, ieee),
      {"argmax", {{1, nan, inf, nan}}, index, {1}, {}, {}, numpy},
      {"argmax", {{-inf, -inf}}, index, {0}, {}, {}, numpy},
      {"argmax", {{-0., 0}}, index, {0}, {}, {}, numpy},
      {"argmax", {{5}}, index, {0}, {}, {}, numpy},
      fails({"argmax", {{}}, index, {}}, none),
  };
}

Specials losses() {
  auto by_label = [](long label) {
    return [=](const Inputs& in) {
      return cross_entropy(reshape(in[0], {1, -1}), Array({1}, std::vector<std::int64_t>{label}));
    };
  };
  auto by_probability = [](const Inputs& in) {
    return cross_entropy(reshape(in[0], {1, -1}), reshape(in[1], {1, -1}).detach());
  };
  auto nll = [](const Inputs& in) { return nll_loss(reshape(in[0], {1, -1}), array<std::int64_t>({0})); };
  auto squares = [](const Inputs& in) { return mse_loss(in[0], in[1]); };
  return {
      fails(along("softmax", softmax, {}, {}), "no elements"),
      along("softmax", softmax, {5}, {1}, V{0}, V{0}),
      along("softmax", softmax, {-inf, 0}, {0, 1}, V{0, 0}, V{0, 0}),
      along("softmax", softmax, {inf, 0}, {1, 0}, V{0, 0}, V{0, 0}),
      along("softmax", softmax, {-inf, -inf}, {nan, nan}, {}, {}, pytorch),
      along("softmax", softmax, {nan, 1}, {nan, nan}, V{nan, nan}, {}, pytorch),
      fails(along("log_softmax", log_softmax, {}, {}), "no elements"),
      along("log_softmax", log_softmax, {5}, {0}, V{0}, V{0}),
      along("log_softmax", log_softmax, {-inf, 0}, {-inf, 0}, V{1, -1}, V{0, 0}),
      along("log_softmax", log_softmax, {inf, 0}, {0, -inf}, V{-1, 1}, V{0, 0}),
      along("log_softmax", log_softmax, {-inf, -inf}, {nan, nan}, {}, {}, pytorch),
      along("log_softmax", log_softmax, {nan, 1}, {nan, nan}, V{nan, nan}, {}, pytorch),
      {"cross_entropy", {{7}}, by_label(0), {0}, V{0}, V{0}},
      {"cross_entropy", {{-inf, 0}}, by_label(1), {0}, V{0, 0}, V{0, 0}},
      {"cross_entropy", {{-inf, 0}}, by_label(0), {inf}, V{-1, 1}, V{0, 0}},
      {"cross_entropy", {{inf, 0}}, by_label(0), {0}, V{0, 0}, V{0, 0}},
      {"cross_entropy", {{nan, 0}}, by_label(0), {nan}, V{nan, nan}, {}, pytorch},
      {"cross_entropy", {{-inf, 0}, {0, 1}}, by_probability, {0}, V{0, 0, 0, 0}, V{0, 0, 0, 0}},
      {"nll_loss", {{-inf, 0}}, nll, {inf}, V{-1, 0}, V{0, 0}},
      {"nll_loss", {{0}}, nll, {-0.}, V{-1}, V{0}},
      {"mse_loss", {{3}, {3}}, squares, {0}, V{0, 0}, V{0, 0}},
      fails({"mse_loss", {{}, {}}, squares, {}}, "have no mean"),
  };
}

Specials normalisation() {
  auto lines = [](const Inputs& in) { return layer_norm(reshape(in[0], {1, -1}), {}, {}, 1e-5); };
  auto columns = [](const Inputs& in) { return batch_norm(reshape(in[0], {-1, 1}), {}, {}, 1e-5).y; };
  auto dropped = [](double p) { return [=](const Inputs& in) { return dropout(in[0], p, {}); }; };
  return {
      {"layer_norm", {{3}}, lines, {0}, V{0}, V{0}, pytorch},
      {"layer_norm", {{2, 2}}, lines, {0, 0}, V{0, 0}, V{0, 0}},
      {"layer_norm", {{nan, 1}}, lines, {nan, nan}, V{nan, nan}, {}, pytorch},
      {"layer_norm", {{inf, 1}}, lines, {nan, nan}, V{nan, nan}, {}, pytorch},
      {"batch_norm", {{2, 2}}, columns, {0, 0}, V{0, 0}, V{0, 0}},
      {"batch_norm", {{nan, 1}}, columns, {nan, nan}, V{nan, nan}, {}, pytorch},
      fails({"batch_norm", {{3}}, columns, {}}, "batch_norm: "),
      {"dropout", {{0, inf, nan, 3}}, dropped(0), {0, inf, nan, 3}, V{1, 1, 1, 1}, V{0, 0, 0, 0}},
      {"dropout", {{0, -2, 3}}, dropped(1), {0, 0, 0}, V{0, 0, 0}, V{0, 0, 0}},
      {"dropout", {{}}, dropped(.5), {}, V{}, V{}},
  };
}

}  // namespace

Specials special_reductions() {
  Specials rows = reductions();
  for (auto part : {losses(), normalisation()}) rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace xgrad::tests
