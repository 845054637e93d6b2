// The table of special values, checked in f32 and f64, alone and among other elements.
#include "tests/ops/special.hpp"

#include "tests/catch.hpp"

namespace xgrad::tests {
namespace {

std::string text(const V& v) {
  std::string s;
  for (double x : v) s += (s.empty() ? "" : ", ") + Catch::StringMaker<double>::convert(x);
  return "{" + s + "}";
}
const char* name_of(Authority a) {
  return a == Authority::ieee       ? "IEEE"
         : a == Authority::calculus ? "calculus"
         : a == Authority::numpy    ? "NumPy"
                                    : "PyTorch";
}

/// Equal within some units of f32; signs of zeros count where IEEE says what they are.
bool agree(const V& got, const V& want, bool signs) {
  for (std::size_t i = 0; signs && i < std::min(got.size(), want.size()); ++i)
    if (want[i] == 0 && got[i] == 0 && std::signbit(got[i]) != std::signbit(want[i])) return false;
  return same(got, want, 4e-7);
}

/// The gradients of sum(y) for all inputs, one after another.
std::vector<Variable> gradients_of(const Variable& y, const std::vector<Variable>& x) {
  if (y.requires_grad()) return grad(y, x, {.create_graph = true});
  std::vector<Variable> zero;
  for (auto& input : x) zero.push_back(Variable(zeros_like(input.data())));
  return zero;
}
V joined(const std::vector<Variable>& parts) {
  V all;
  for (auto& part : parts)
    for (double x : values(part)) all.push_back(x);
  return all;
}

void check(const Special& s, DType dtype) {
  std::vector<Variable> x;
  std::string at;
  for (auto& input : s.inputs) x.push_back(leaf(input, dtype)), at += text(input);
  INFO(s.op << " of " << at << " in " << name(dtype) << ", as by " << name_of(s.authority));
  if (!s.error.empty()) {
    CHECK_THAT(error_of([&] { values(s.f(x)); }), Catch::Contains(s.error));
    return;
  }
  const Variable y = s.f(x);
  INFO("value " << text(values(y)) << " should be " << text(s.value));
  CHECK(agree(values(y), s.value, s.authority == Authority::ieee));
  if (!s.gradient) return;
  const std::vector<Variable> g = gradients_of(y, x);
  INFO("gradient " << text(joined(g)) << " should be " << text(*s.gradient));
  CHECK(agree(joined(g), *s.gradient, false));
  if (!s.second) return;
  Variable total(zeros({}, dtype));
  for (auto& part : g) total += sum(part);
  const V second = joined(gradients_of(total, x));
  INFO("second gradient " << text(second) << " should be " << text(*s.second));
  CHECK(agree(second, *s.second, false));
}

}  // namespace

const Specials& special_values() {
  static const Specials all = [] {
    Specials rows = special_elementwise();
    for (auto part : {special_activations(), special_reductions(), special_moves()})
      rows.insert(rows.end(), part.begin(), part.end());
    return rows;
  }();
  return all;
}

TEST_CASE("operations at zeros, ties, infinities, NaN, one element and none", "[ops][special]") {
  for (auto& s : special_values())
    for (DType dtype : {DType::f32, DType::f64}) check(s, dtype);
}

}  // namespace xgrad::tests
