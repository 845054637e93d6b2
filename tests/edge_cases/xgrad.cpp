// The edge cases by xgrad.
#include "tests/edge_cases/xgrad.hpp"

#include <map>

#include <xgrad/ops/ops.hpp>

namespace xgrad::tests::edge_cases {
namespace {

using Evaluate = Evaluator<Variable>;
using Arguments = Evaluate::Arguments;

Variable value(const Evaluate::Any& any) {
  if (auto* n = std::get_if<long>(&any)) return Variable(double(*n));
  if (auto* x = std::get_if<double>(&any)) return Variable(*x);
  return std::get<Variable>(any);
}
double real(const Evaluate::Any& any) {
  if (auto* n = std::get_if<long>(&any)) return double(*n);
  return std::get<double>(any);
}
long whole(const Evaluate::Any& any) { return std::get<long>(any); }

auto unary(Variable (*f)(const Variable&)) {
  return [f](const Arguments& a) { return f(value(a[0])); };
}
auto binary(Variable (*f)(const Variable&, const Variable&)) {
  return [f](const Arguments& a) { return f(value(a[0]), value(a[1])); };
}
auto reduction(Variable (*f)(const Variable&, const Axes&, bool)) {
  return [f](const Arguments& a) { return f(value(a[0]), {}, false); };
}

const Evaluate::Functions& functions() {
  static const Evaluate::Functions all{
      {"add", binary(add)},
      {"sub", binary(sub)},
      {"mul", binary(mul)},
      {"div", binary(div)},
      {"neg", unary(neg)},
      {"pow", binary(pow)},
      {"maximum", binary(maximum)},
      {"less", binary(less)},
      {"less_equal", binary(less_equal)},
      {"greater", binary(greater)},
      {"exp", unary(exp)},
      {"log", unary(log)},
      {"log1p", unary(log1p)},
      {"expm1", unary(expm1)},
      {"sqrt", unary(sqrt)},
      {"square", unary(square)},
      {"cos", unary(cos)},
      {"tanh", unary(tanh)},
      {"erf", unary(erf)},
      {"normal_cdf", unary(normal_cdf)},
      {"sigmoid", unary(sigmoid)},
      {"softplus", unary(softplus)},
      {"relu", unary(relu)},
      {"gelu", unary(gelu)},
      {"silu", unary(silu)},
      {"sum", reduction(sum)},
      {"mean", reduction(mean)},
      {"var", reduction(var)},
      {"max", reduction(max)},
      {"prod", reduction(prod)},
      {"logsumexp", reduction(logsumexp)},
      {"where", [](const Arguments& a) { return where(value(a[0]), value(a[1]), value(a[2])); }},
      {"clip", [](const Arguments& a) { return clip(value(a[0]), real(a[1]), real(a[2])); }},
      {"cumsum", [](const Arguments& a) { return cumsum(value(a[0]), 0); }},
      {"argmax", [](const Arguments& a) { return Variable(argmax(value(a[0]).data(), 0)); }},
      {"softmax", [](const Arguments& a) { return softmax(value(a[0])); }},
      {"cross_entropy", [](const Arguments& a) { return cross_entropy(value(a[0]), value(a[1])); }},
      {"binary_cross_entropy_with_logits",
       [](const Arguments& a) { return binary_cross_entropy_with_logits(value(a[0]), value(a[1])); }},
      {"layer_norm", [](const Arguments& a) { return layer_norm(value(a[0])); }},
      {"batch_norm", [](const Arguments& a) { return batch_norm(value(a[0]), {}, {}).y; }},
      {"conv2d",
       [](const Arguments& a) { return conv2d(value(a[0]), value(a[1]), {}, {.padding = whole(a[2])}); }},
      {"conv2d_strided",
       [](const Arguments& a) {
         return conv2d(value(a[0]), value(a[1]), {}, {.stride = whole(a[2]), .padding = whole(a[3])});
       }},
      {"conv_transpose2d",
       [](const Arguments& a) {
         return conv_transpose2d(value(a[0]), value(a[1]), {},
                                 {.output_padding = whole(a[2]), .dilation = whole(a[3])});
       }},
      {"fold",
       [](const Arguments& a) {
         return fold(value(a[0]), whole(a[1]), whole(a[2]),
                     {.stride = whole(a[3]), .padding = whole(a[4]), .dilation = whole(a[5])});
       }},
      {"pad",
       [](const Arguments& a) {
         return pad(value(a[0]), {{whole(a[1]), whole(a[2])}});
       }},
      {"slice",
       [](const Arguments& a) { return slice(value(a[0]), 0, whole(a[1]), whole(a[2]), whole(a[3])); }},
  };
  return all;
}

Variable leaf(const nlohmann::json& json, const std::string& dtype) {
  const Input in = input(json);
  const Array data = Array(Shape(in.shape.begin(), in.shape.end()), in.elements)
                         .cast(dtype == "f64"   ? DType::f64
                               : dtype == "i64" ? DType::i64
                                                : DType::f32);
  return dtype == "i64" ? Variable(data) : Variable(data, requires_grad);
}

}  // namespace

std::vector<double> by_xgrad(const Case& c) {
  std::map<std::string, Variable> variables;
  for (auto& [name, json] : c.inputs) variables[name] = leaf(json, c.dtype);
  std::vector<Variable> results{Evaluate(functions(), variables)(c.expression)};
  for (auto& names : c.wrt) {
    std::vector<Variable> xs;
    for (std::size_t from = 0, to = 0; to != std::string::npos; from = to + 1)
      xs.push_back(variables.at(names.substr(from, (to = names.find(',', from)) - from)));
    results = grad(results[0], xs, {.create_graph = true});
  }
  std::vector<double> all;
  for (auto& result : results) {
    const Array elements = result.data().cast(DType::f64);
    all.insert(all.end(), elements.data<double>(), elements.data<double>() + elements.size());
  }
  if (c.at.empty()) return all;
  std::vector<double> some;
  for (long i : c.at) some.push_back(all.at(std::size_t(i)));
  return some;
}

}  // namespace xgrad::tests::edge_cases
