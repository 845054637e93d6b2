// Gradient checking by central differences.
#include <xgrad/core/tape/gradcheck.hpp>

#include <algorithm>
#include <cmath>

#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace {

using Arrays = std::vector<Array>;
using Scalar = std::function<double(const Arrays&)>;

double dot(const Array& a, const Array& b) {
  const Array x = a.cast(DType::f64), y = b.cast(DType::f64);
  double total = 0;
  for (long i = 0; i < x.size(); ++i) total += x.data<double>()[i] * y.data<double>()[i];
  return total;
}

/// (f(x + step) - f(x - step)) / 2 step along one element; the step that was really taken counts.
template <class T>
double central_difference(const Scalar& f, Arrays& xs, std::size_t input, long element, double step) {
  const T middle = xs[input].data<T>()[element];
  auto at = [&](T value) {
    xs[input].mutable_data<T>()[element] = value;
    return f(xs);
  };
  const T high = T(middle + step), low = T(middle - step);
  const double rise = at(high);
  const double result = (rise - at(low)) / (double(high) - double(low));
  xs[input].mutable_data<T>()[element] = middle;
  return result;
}

class Checker {
 public:
  Checker(const GradcheckOptions& options) : options_(options), generator_(options.seed) {}

  /// Compares d with the differences of f.
  void compare(const char* what, const Scalar& f, Arrays xs, const Arrays& d) {
    for (std::size_t i = 0; i < xs.size(); ++i) {
      const long size = xs[i].size();
      for (long k : sample(size)) {
        const double exact = d[i].data<double>()[k];
        const double numerical = central_difference<double>(f, xs, i, k, options_.step);
        note(std::abs(exact - numerical) / std::max(1.0, std::abs(numerical)),
             fmt::format("{} gradient of input {} {}: {:.10g}, by differences {:.10g}", what, i,
                         element_name(xs[i].shape(), k), exact, numerical));
      }
    }
  }
  Array weights(const Shape& shape) { return generator_.normal(shape, 0, 1, DType::f64); }

  GradcheckReport report;

 private:
  std::vector<long> sample(long size) {
    std::vector<long> chosen;
    if (size <= options_.max_elements)
      for (long k = 0; k < size; ++k) chosen.push_back(k);
    else
      for (long k = 0; k < options_.max_elements; ++k) chosen.push_back(generator_.below(size));
    return chosen;
  }
  void note(double error, std::string where) {
    ++report.checked;
    if (std::isnan(error)) error = INFINITY;
    if (error > options_.tolerance) report.passed = false;
    if (error <= report.worst && !report.message.empty()) return;
    report.worst = error;
    report.message = fmt::format("error {:.2g} in the {}", error, where);
  }

  const GradcheckOptions options_;
  Generator generator_;
};

std::vector<Variable> leaves(const Arrays& xs) {
  std::vector<Variable> result;
  for (auto& x : xs) result.emplace_back(x, requires_grad);
  return result;
}
/// f at moved inputs. They require gradients, as those it is checked at: f may call grad() itself.
Array value_at(const TestFunction& f, const Arrays& xs) { return f(leaves(xs)).data(); }
Arrays arrays(const std::vector<Variable>& xs) {
  Arrays result;
  for (auto& x : xs) result.push_back(x.data());
  return result;
}

}  // namespace

GradcheckReport gradcheck(const TestFunction& f, const Arrays& inputs, const GradcheckOptions& options) {
  for (auto& x : inputs) expect(x.dtype() == DType::f64, "gradcheck: inputs must be f64, not {}", x.dtype());
  Checker checker(options);
  std::vector<Variable> xs = leaves(inputs);
  Variable y = f(xs);
  const Array w = checker.weights(y.shape());
  if (!y.requires_grad()) {
    checker.report.message = "the result does not depend on the inputs";
    checker.report.passed = false;
    return checker.report;
  }
  std::vector<Variable> gs = grad(y, xs, {.create_graph = options.order > 1, .grad_output = Variable(w)});
  checker.compare(
      "first", [&](const Arrays& at) { return dot(value_at(f, at), w); }, inputs, arrays(gs));
  if (options.order < 2) return checker.report;

  // Second order: the gradients' weighted sum is a function like any other.
  Arrays ws;
  for (auto& x : inputs) ws.push_back(checker.weights(x.shape()));
  Arrays second;
  for (auto& x : inputs) second.push_back(zeros_like(x));
  for (std::size_t i = 0; i < gs.size(); ++i) {
    if (!gs[i].requires_grad()) continue;
    auto part = arrays(grad(gs[i], xs, {.grad_output = Variable(ws[i])}));
    for (std::size_t k = 0; k < second.size(); ++k)
      for (long e = 0; e < second[k].size(); ++e)
        second[k].mutable_data<double>()[e] += part[k].data<double>()[e];
  }
  auto weighted = [&](const Arrays& at) {
    std::vector<Variable> moved = leaves(at);
    auto g = arrays(grad(f(moved), moved, {.grad_output = Variable(w)}));
    double total = 0;
    for (std::size_t i = 0; i < g.size(); ++i) total += dot(g[i], ws[i]);
    return total;
  };
  checker.compare("second", weighted, inputs, second);
  return checker.report;
}

std::vector<Array> numerical_gradient(const TestFunction& f, const Arrays& inputs, double step) {
  Scalar total = [&](const Arrays& at) {
    const Array y = value_at(f, at);
    return dot(y, ones(y.shape(), DType::f64));
  };
  Arrays xs = inputs, gradients;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    expect(is_f32_or_f64(xs[i].dtype()), "numerical_gradient: {} cannot have a gradient", xs[i].dtype());
    Array g(xs[i].shape(), xs[i].dtype());
    dispatch_floating(g.dtype(), [&]<class T>() {
      for (long k = 0; k < g.size(); ++k)
        g.mutable_data<T>()[k] = T(central_difference<T>(total, xs, i, k, step));
    });
    gradients.push_back(g);
  }
  return gradients;
}

}  // namespace xgrad
