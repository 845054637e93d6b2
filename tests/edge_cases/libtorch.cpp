// Prints what Debian's libtorch gives for each edge case.
#include <torch/torch.h>

#include <map>
#undef CHECK

#include "tests/edge_cases/answers.hpp"

namespace xgrad::tests::edge_cases {
namespace {

using at::Tensor;
using Evaluate = Evaluator<Tensor>;
using Arguments = Evaluate::Arguments;
namespace F = torch::nn::functional;

/// Numbers become tensors of no axes, which take the dtype of what they meet.
Tensor value(const Evaluate::Any& any) {
  if (auto* n = std::get_if<long>(&any)) return torch::tensor(double(*n), torch::kFloat);
  if (auto* x = std::get_if<double>(&any)) return torch::tensor(*x, torch::kDouble);
  return std::get<Tensor>(any);
}
Tensor like(const Evaluate::Any& any, const Evaluate::Any& other) {
  return value(any).to(value(other).scalar_type());
}
double real(const Evaluate::Any& any) {
  if (auto* n = std::get_if<long>(&any)) return double(*n);
  return std::get<double>(any);
}
long whole(const Evaluate::Any& any) { return std::get<long>(any); }
bool is_number(const Evaluate::Any& any) { return any.index() < 2; }

template <class F>
auto unary(F f) {
  return [f](const Arguments& a) { return f(value(a[0])); };
}
template <class F>
auto binary(F f) {
  return [f](const Arguments& a) {
    return f(is_number(a[0]) ? like(a[0], a[1]) : value(a[0]),
             is_number(a[1]) ? like(a[1], a[0]) : value(a[1]));
  };
}

const Evaluate::Functions& functions() {
  using T = const Tensor&;
  static const Evaluate::Functions all{
      {"add", binary([](T a, T b) { return a + b; })},
      {"sub", binary([](T a, T b) { return a - b; })},
      {"mul", binary([](T a, T b) { return a * b; })},
      {"div", binary([](T a, T b) { return a / b; })},
      {"neg", unary([](T x) { return -x; })},
      {"pow", binary([](T a, T b) { return torch::pow(a, b); })},
      {"maximum", binary([](T a, T b) { return torch::maximum(a, b); })},
      {"less", binary([](T a, T b) { return a < b; })},
      {"less_equal", binary([](T a, T b) { return a <= b; })},
      {"greater", binary([](T a, T b) { return a > b; })},
      {"exp", unary([](T x) { return torch::exp(x); })},
      {"log", unary([](T x) { return torch::log(x); })},
      {"log1p", unary([](T x) { return torch::log1p(x); })},
      {"expm1", unary([](T x) { return torch::expm1(x); })},
      {"sqrt", unary([](T x) { return torch::sqrt(x); })},
      {"square", unary([](T x) { return torch::square(x); })},
      {"cos", unary([](T x) { return torch::cos(x); })},
      {"tanh", unary([](T x) { return torch::tanh(x); })},
      {"erf", unary([](T x) { return torch::erf(x); })},
      {"normal_cdf", unary([](T x) { return torch::special::ndtr(x); })},
      {"sigmoid", unary([](T x) { return torch::sigmoid(x); })},
      {"softplus", unary([](T x) { return torch::softplus(x); })},
      {"relu", unary([](T x) { return torch::relu(x); })},
      {"gelu", unary([](T x) { return torch::gelu(x); })},
      {"silu", unary([](T x) { return torch::silu(x); })},
      {"sum", unary([](T x) { return x.sum(); })},
      {"mean", unary([](T x) { return x.mean(); })},
      {"var", unary([](T x) { return x.var(false); })},
      {"max", unary([](T x) { return x.amax(); })},
      {"prod", unary([](T x) { return x.prod(); })},
      {"logsumexp", unary([](T x) { return x.logsumexp(0); })},
      {"cumsum", unary([](T x) { return x.cumsum(0); })},
      {"argmax", unary([](T x) { return x.argmax(); })},
      {"softmax", unary([](T x) { return torch::softmax(x, -1); })},
      {"cross_entropy", binary([](T x, T p) { return torch::cross_entropy_loss(x, p); })},
      {"binary_cross_entropy_with_logits",
       binary([](T x, T t) { return torch::binary_cross_entropy_with_logits(x, t); })},
      {"layer_norm", unary([](T x) { return torch::layer_norm(x, {x.size(-1)}); })},
      {"batch_norm", unary([](T x) { return torch::batch_norm(x, {}, {}, {}, {}, true, .1, 1e-5, false); })},
      {"where",
       [](const Arguments& a) {
         return torch::where(value(a[0]) != 0, is_number(a[1]) ? like(a[1], a[2]) : value(a[1]),
                             is_number(a[2]) ? like(a[2], a[1]) : value(a[2]));
       }},
      {"clip", [](const Arguments& a) { return torch::clamp(value(a[0]), real(a[1]), real(a[2])); }},
      {"conv2d",
       [](const Arguments& a) { return torch::conv2d(value(a[0]), value(a[1]), {}, 1, whole(a[2])); }},
      {"conv2d_strided",
       [](const Arguments& a) {
         return torch::conv2d(value(a[0]), value(a[1]), {}, whole(a[2]), whole(a[3]));
       }},
      {"conv_transpose2d",
       [](const Arguments& a) {
         return torch::conv_transpose2d(value(a[0]), value(a[1]), {}, 1, 0, whole(a[2]), 1, whole(a[3]));
       }},
      {"fold",
       [](const Arguments& a) {
         return torch::col2im(value(a[0]), {whole(a[1]), whole(a[1])}, {whole(a[2]), whole(a[2])},
                              {whole(a[5]), whole(a[5])}, {whole(a[4]), whole(a[4])},
                              {whole(a[3]), whole(a[3])});
       }},
      {"pad",
       [](const Arguments& a) {
         return torch::constant_pad_nd(value(a[0]), {whole(a[1]), whole(a[2])}, 0);
       }},
      {"slice",
       [](const Arguments& a) { return value(a[0]).slice(0, whole(a[1]), whole(a[2]), whole(a[3])); }},
  };
  return all;
}

std::vector<double> by_libtorch(const Case& c) {
  std::map<std::string, Tensor> variables;
  for (auto& [name, json] : c.inputs) {
    const Input in = input(json);
    const auto kind = c.dtype == "f64" ? torch::kDouble : c.dtype == "i64" ? torch::kLong : torch::kFloat;
    variables[name] = torch::tensor(in.elements, torch::kDouble)
                          .reshape(in.shape)
                          .to(kind)
                          .set_requires_grad(c.dtype != "i64");
  }
  std::vector<Tensor> results{Evaluate(functions(), variables)(c.expression)};
  for (auto& names : c.wrt) {
    std::vector<Tensor> xs;
    for (std::size_t from = 0, to = 0; to != std::string::npos; from = to + 1)
      xs.push_back(variables.at(names.substr(from, (to = names.find(',', from)) - from)));
    results = torch::autograd::grad({results[0].sum()}, xs, {}, true, true, true);
    for (std::size_t i = 0; i < xs.size(); ++i)
      if (!results[i].defined()) results[i] = torch::zeros_like(xs[i]);
  }
  std::vector<double> all;
  for (auto& result : results) {
    const Tensor flat = result.detach().to(torch::kDouble).contiguous();
    all.insert(all.end(), flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel());
  }
  if (c.at.empty()) return all;
  std::vector<double> some;
  for (long i : c.at) some.push_back(all.at(std::size_t(i)));
  return some;
}

}  // namespace
}  // namespace xgrad::tests::edge_cases

int main(int argc, char** argv) {
  return xgrad::tests::edge_cases::answer(argc, argv, "libtorch", TORCH_VERSION,
                                          xgrad::tests::edge_cases::by_libtorch);
}
