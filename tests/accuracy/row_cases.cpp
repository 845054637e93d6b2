// Row-wise operations, exactly, with their conditions.
#include <random>

#include <xgrad/ops/ops.hpp>
#include "tests/accuracy/cases.hpp"

namespace xgrad::tests {
namespace {

using Row = std::vector<Real>;

template <class F>
Row each(const Row& x, F f) {
  Row y;
  for (std::size_t i = 0; i < x.size(); ++i) y.push_back(f(i));
  return y;
}
template <class F>
Real total(const Row& x, F f) {
  Real sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum = sum + f(i);
  return sum;
}

/// A row, less its largest element.
struct Softmax {
  Row d, p, weight;  // weight: the condition of p, which is 1 + |d| + sum(p |d|)
  Real largest, log_sum, spread;
  explicit Softmax(const Row& x) : d(x), p(x), weight(x), largest(x[0]) {
    for (auto& v : x) largest = max(largest, v);
    d = each(x, [&](auto i) { return x[i] - largest; });
    std::size_t first = 0;
    while (!(d[first] == 0)) ++first;
    const Real others = total(x, [&](auto i) { return i == first ? Real(0) : exp(d[i]); }), sum = others + 1;
    log_sum = log1p(others);
    p = each(x, [&](auto i) { return exp(d[i]) / sum; });
    spread = total(x, [&](auto i) { return p[i] * abs(d[i]); });
    weight = each(x, [&](auto i) { return abs(d[i]) + spread + 1; });
  }
};

RowResult softmax_of(const Row& x, const Row& g) {
  const Softmax s(x);
  const Real mean = total(x, [&](auto i) { return s.p[i] * g[i]; });
  const Real mean_abs = total(x, [&](auto i) { return s.p[i] * abs(g[i]); });
  return {s.p, each(x, [&](auto i) { return s.p[i] * s.weight[i]; }),
          each(x, [&](auto i) { return s.p[i] * (g[i] - mean); }),
          each(x, [&](auto i) { return s.p[i] * s.weight[i] * (abs(g[i]) + mean_abs); })};
}
RowResult log_softmax_of(const Row& x, const Row& g) {
  const Softmax s(x);
  const Real sum = total(x, [&](auto i) { return g[i]; }),
             sum_abs = total(x, [&](auto i) { return abs(g[i]); });
  return {each(x, [&](auto i) { return s.d[i] - s.log_sum; }),
          each(x, [&](auto i) { return abs(s.d[i]) + s.log_sum + s.spread; }),
          each(x, [&](auto i) { return g[i] - s.p[i] * sum; }),
          each(x, [&](auto i) { return abs(g[i]) + s.p[i] * s.weight[i] * sum_abs; })};
}
RowResult logsumexp_of(const Row& x, const Row& g) {
  const Softmax s(x);
  return {{s.largest + s.log_sum},
          {abs(s.largest) + s.log_sum + s.spread},
          each(x, [&](auto i) { return s.p[i] * g[0]; }),
          each(x, [&](auto i) { return s.p[i] * s.weight[i] * abs(g[0]); })};
}
constexpr std::size_t label = 5;
RowResult cross_entropy_of(const Row& x, const Row& g) {
  const Softmax s(x);
  const Real others = total(x, [&](auto i) { return i == label ? Real(0) : s.p[i] * s.weight[i]; });
  const Real rest = total(x, [&](auto i) { return i == label ? Real(0) : s.p[i]; });
  return {{s.log_sum - s.d[label]},
          {abs(s.d[label]) + s.log_sum + s.spread},
          each(x, [&](auto i) { return g[0] * (i == label ? -rest : s.p[i]); }),
          each(x, [&](auto i) { return abs(g[0]) * (i == label ? others : s.p[i] * s.weight[i]); })};
}
Real target(std::size_t i) { return Real(double(i % 5)) / 4; }
RowResult binary_of(const Row& x, const Row& g) {
  auto softplus = [](const Real& v) { return max(v, 0) + log1p(exp(-abs(v))); };
  auto sigmoid = [](const Real& v) { return Real(1) / (exp(-v) + 1); };
  const Row loss =
      each(x, [&](auto i) { return target(i) * softplus(-x[i]) + (Real(1) - target(i)) * softplus(x[i]); });
  return {loss, loss,
          each(x,
               [&](auto i) {
                 return g[i] * ((Real(1) - target(i)) * sigmoid(x[i]) - target(i) * sigmoid(-x[i]));
               }),
          each(x, [&](auto i) {
            return abs(g[i]) * ((Real(1) - target(i)) * sigmoid(x[i]) + target(i) * sigmoid(-x[i]));
          })};
}

struct Moments {
  Row d;
  Real n, mean, mean_abs, var;
  explicit Moments(const Row& x) : d(x), n(double(x.size())) {
    mean = total(x, [&](auto i) { return x[i]; }) / n;
    mean_abs = total(x, [&](auto i) { return abs(x[i]); }) / n;
    d = each(x, [&](auto i) { return x[i] - mean; });
    var = total(x, [&](auto i) { return d[i] * d[i]; }) / n;
  }
};
RowResult mean_of(const Row& x, const Row& g) {
  const Moments m(x);
  return {{m.mean}, {m.mean_abs}, each(x, [&](auto) { return g[0] / m.n; }), each(x, [&](auto) {
            return abs(g[0]) / m.n;
          })};
}
RowResult var_of(const Row& x, const Row& g) {
  const Moments m(x);
  return {{m.var}, {m.var}, each(x, [&](auto i) { return g[0] * m.d[i] * 2 / m.n; }), each(x, [&](auto i) {
            return abs(g[0]) * (abs(m.d[i]) + m.mean_abs) * 2 / m.n;
          })};
}
constexpr double eps = 0x1p-10;
RowResult layer_norm_of(const Row& x, const Row& g) {
  const Moments m(x);
  const Real scale = sqrt(m.var + eps), far = abs(m.mean) / scale + 1;
  const Row y = each(x, [&](auto i) { return m.d[i] / scale; });
  const Real g_mean = total(x, [&](auto i) { return g[i]; }) / m.n,
             g_abs = total(x, [&](auto i) { return abs(g[i]); }) / m.n;
  const Real gy = total(x, [&](auto i) { return g[i] * y[i]; }) / m.n;
  const Real gy_abs = total(x, [&](auto i) { return abs(g[i] * y[i]); }) / m.n;
  return {y, each(x, [&](auto i) { return abs(y[i]) + far; }),
          each(x, [&](auto i) { return (g[i] - g_mean - y[i] * gy) / scale; }),
          each(x, [&](auto i) { return (abs(g[i]) + g_abs + (abs(y[i]) + far) * gy_abs) / scale; })};
}

Variable losses(const Variable& x) {
  const Array labels = full({x.shape()[0]}, double(label), DType::i64);
  return cross_entropy(x, labels, {.reduction = Reduction::none});
}
Variable binary_losses(const Variable& x) {
  std::vector<double> t;
  for (long i = 0; i < x.size(); ++i) t.push_back(double(target(std::size_t(i % row_length))));
  return binary_cross_entropy_with_logits(x, Variable(Array(x.shape(), t).cast(x.dtype())), Reduction::none);
}

std::vector<RowCase> all_cases() {
  return {
      {"softmax", [](auto& x) { return softmax(x, 1); }, softmax_of,
       "p c with c = 1 + abs(d) + sum(p abs(d))", "p c (abs(g) + sum(p abs(g)))"},
      {"log_softmax", [](auto& x) { return log_softmax(x, 1); }, log_softmax_of,
       "abs(d) + log(sum(exp(d))) + sum(p abs(d))", "abs(g) + p c sum(abs(g))"},
      {"logsumexp", [](auto& x) { return logsumexp(x, 1); }, logsumexp_of,
       "abs(max(x)) + log(sum(exp(d))) + sum(p abs(d))", "p c"},
      {"cross_entropy", losses, cross_entropy_of, "as log_softmax",
       "p c; at the label its sum over the others"},
      {"binary_cross_entropy_with_logits", binary_losses, binary_of, "the value",
       "(1 - t) sigmoid(x) + t sigmoid(-x)"},
      {"mean", [](auto& x) { return mean(x, 1); }, mean_of, "mean(abs(x))", "1 / n"},
      {"var", [](auto& x) { return var(x, 1); }, var_of, "the value", "2 (abs(x - m) + mean(abs(x))) / n"},
      {"layer_norm", [](auto& x) { return layer_norm(x, {}, {}, eps); }, layer_norm_of,
       "k = abs(y) + 1 + abs(m) / s", "(abs(g) + mean(abs(g)) + k mean(abs(g y))) / s"},
  };
}

template <class T>
std::vector<T> draw_rows(int rows) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  std::vector<T> x;
  for (int r = 0; r < rows; ++r)
    for (double scale : {1e-2, 1., 10., 100.})
      for (int kind = 0; kind < 4; ++kind)
        for (int i = 0; i < row_length; ++i) {
          const double v = scale * normal(random);
          x.push_back(T(kind == 0   ? v
                        : kind == 1 ? v + 20 * scale * (i == int(label))
                        : kind == 2 ? std::round(v)
                                    : v + 1000 * scale));
        }
  return x;
}

}  // namespace

const std::vector<RowCase>& row_cases() {
  static const std::vector<RowCase> cases = all_cases();
  return cases;
}

template <class T>
std::array<double, 2> measure(const RowCase& c, int rows) {
  const std::vector<T> elements = draw_rows<T>(rows);
  const long count = long(elements.size()) / row_length;
  const Variable x(Array({count, row_length}, elements), requires_grad);
  const Variable y = c.f(x);
  const long width = y.size() / count;
  std::vector<T> g;
  for (long i = 0; i < y.size(); ++i) g.push_back(T((i * 7 % 11 - 4) / 4.));
  const Variable dx = grad(y, {x}, {.grad_output = Variable(Array(y.shape(), g))})[0];

  std::array<double, 2> worst{};
  auto compare = [&](int which, T got, const Real& want, const Real& condition) {
    const Real unit =
        max(abs(condition) * std::numeric_limits<T>::epsilon() / 2, std::numeric_limits<T>::denorm_min());
    const double error = double(abs(Real(got) - want) / unit);
    if (!(error <= worst[std::size_t(which)])) worst[std::size_t(which)] = error;
  };
  for (long r = 0; r < count; ++r) {
    const RowResult want =
        c.exact({elements.begin() + r * row_length, elements.begin() + (r + 1) * row_length},
                {g.begin() + r * width, g.begin() + (r + 1) * width});
    for (std::size_t i = 0; i < std::size_t(width); ++i)
      compare(0, y.data().template data<T>()[r * width + long(i)], want.value[i], want.value_condition[i]);
    for (std::size_t i = 0; i < row_length; ++i)
      compare(1, dx.data().template data<T>()[r * row_length + long(i)], want.gradient[i],
              want.gradient_condition[i]);
  }
  return worst;
}
template std::array<double, 2> measure<float>(const RowCase&, int);
template std::array<double, 2> measure<double>(const RowCase&, int);

}  // namespace xgrad::tests
