// Gradient checks pass what is right, and name the element of what is wrong, to second order.
#include <xgrad/core/tape/gradcheck.hpp>

#include <xgrad/core/tape/tape.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/gradcheck.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

/// x^2 with a rule that is right, or wrong in one element of its gradient.
Variable faulty_square(const Variable& x) {
  return record("faulty_square", (x * x).data(), {{x, [=](auto& gy) {
                                                     Array error = ones(x.shape(), DType::f64);
                                                     error.mutable_data<double>()[4] = 1.01;
                                                     return gy * x * 2 * Variable(error);
                                                   }}});
}
/// x^2 with a rule that is right, but keeps a plain array: nothing leads back from the gradient to x.
Variable frozen_square(const Variable& x) {
  return record("frozen_square", (x * x).data(),
                {{x, [a = x.data()](auto& gy) { return gy * Variable(a) * 2; }}});
}
/// Normalisation whose statistics are constants in the rule, as in hand-written layers: right at first order,
/// not at second.
Variable frozen_norm(const Variable& x) {
  const Variable d = x - mean(x), scale = rsqrt(mean(d * d) + 1e-5);
  return record("frozen_norm", (d * scale).data(),
                {{x, [s = scale.detach(), n = (d * scale).detach()](auto& gy) {
                    return (gy - mean(gy) - n * mean(gy * n)) * s;
                  }}});
}
const Array x = random_array({2, 3}, 5), w = random_array({3}, 6);

}  // namespace

TEST_CASE("gradcheck: right gradients pass, of any number of inputs") {
  CHECK_THAT(function([](auto& x) { return tanh(x); }), GradientsMatch({x}));
  CHECK_THAT(function([](auto& x, auto& w) { return exp(x) * w; }), GradientsMatch({x, w}));
  CHECK_THAT(function([](auto& a, auto& b, auto& c) { return sin(a * b) + c * a; }),
             GradientsMatch({x, w, number(2)}));
  CHECK_THAT(function([](auto& a, auto& b, auto& c, auto& d) { return a * b * c * d; }),
             GradientsMatch({x, w, x, w}));
  CHECK_THAT(TestFunction([](auto& v) { return v[0] / (v[1] + 3); }), GradientsMatch({x, w}));
  CHECK_THAT(function([](auto& x) { return sum(x * 3); }),
             GradientsMatch({x}));                               // with a second gradient of 0
  const GradcheckOptions coarse{.step = .1, .tolerance = 1e-5};  // f32 has no finer differences
  CHECK_THAT(function([](auto& x) { return cast(cast(x, DType::f32), DType::f64); }),
             GradientsMatch({x}, coarse));
  CHECK_THAT(function([](auto& x) { return cast(x, DType::f32) * 2; }), GradientsMatch({x}, coarse));
}

TEST_CASE("gradcheck: a wrong gradient is found, with its input and element") {
  const auto report = gradcheck([](auto& v) { return v[0] * 2 + faulty_square(v[1]); }, {w, x});
  CHECK_FALSE(report);
  CHECK(report.worst > 1e-4);
  CHECK(report.message.find("in the first gradient of input 1 [1, 1]: ") != std::string::npos);
  CHECK_THAT(function(faulty_square), !GradientsMatch({x}));
}

TEST_CASE("gradcheck: a gradient that is right only at first order fails at second") {
  CHECK_THAT(function(frozen_square), GradientsMatch({x}, {.order = 1}));
  CHECK_THAT(function(frozen_norm), GradientsMatch({x}, {.order = 1}));
  CHECK_THAT(function(frozen_square), !GradientsMatch({x}));
  CHECK_THAT(function(frozen_norm), !GradientsMatch({x}));
  const auto report = gradcheck([](auto& v) { return frozen_norm(v[0]); }, {x});
  CHECK(report.worst > .1);
  CHECK(report.message.find("in the second gradient of input 0 [") != std::string::npos);
}

TEST_CASE("gradcheck: the matcher's message is the report's") {
  const GradientsMatch matcher({x});
  CHECK_FALSE(matcher.match(function(faulty_square)));
  CHECK(matcher.describe().starts_with("has the gradients that differences show: error "));
  CHECK(matcher.describe().find("gradient of input 0 [1, 1]: ") != std::string::npos);
}

TEST_CASE("gradcheck: the report counts what it compared") {
  const TestFunction f = [](auto& v) { return v[0] * v[1]; };
  const auto all = gradcheck(f, {x, w});
  CHECK(all.passed);
  CHECK(all.checked == 2 * (6 + 3));
  CHECK(all.worst < 1e-6);
  CHECK(gradcheck(f, {x, w}, {.order = 1}).checked == 9);
  CHECK(gradcheck(f, {x, w}, {.order = 1, .max_elements = 4}).checked == 4 + 3);
  CHECK(gradcheck([](auto& v) { return v[0] * 2; }, {zeros({0, 2}, DType::f64)}).passed);
}

TEST_CASE("gradcheck: the inputs are left as they were, and nothing is kept") {
  const long before = live_nodes();
  const Array input = x.copy();
  const auto expected = values(input);
  gradcheck([](auto& v) { return exp(v[0]); }, {input});
  CHECK(values(input) == expected);
  CHECK(live_nodes() == before);
}

TEST_CASE("gradcheck: NaN is not right, and neither is a result that depends on nothing") {
  CHECK_THAT(function([](auto& x) { return log(x); }), !GradientsMatch({full({2}, -1, DType::f64)}));
  const auto report = gradcheck([](auto& v) { return v[0].detach(); }, {x});
  CHECK_FALSE(report);
  CHECK(report.message == "the result does not depend on the inputs");
  CHECK(error_of([] { gradcheck([](auto& v) { return v[0]; }, {zeros({2})}); }) ==
        "gradcheck: inputs must be f64, not f32");
  CHECK(error_of([] { gradcheck([](auto& v) -> Variable { fail("f: {}", v.size()); }, {x}); }) == "f: 1");
}

TEST_CASE("gradcheck: numerical gradients of the sum, in f64 and f32") {
  const TestFunction f = [](auto& v) { return v[0] * v[0] * v[1]; };
  const auto g = numerical_gradient(f, {x, w});
  const Variable a(x, requires_grad), b(w, requires_grad);
  const auto exact = grad(f({a, b}), {a, b});
  CHECK(distance(g[0], exact[0].data()) < 1e-7);
  CHECK(distance(g[1], exact[1].data()) < 1e-7);
  const auto single = numerical_gradient(f, {x.cast(DType::f32), w.cast(DType::f32)}, 1e-2);
  CHECK(single[0].dtype() == DType::f32);
  CHECK(distance(single[0].cast(DType::f64), exact[0].data()) < 1e-3);
  CHECK(error_of([] { numerical_gradient([](auto& v) { return v[0]; }, {arange(2)}); }) ==
        "numerical_gradient: i64 cannot have a gradient");
}

TEST_CASE("gradcheck: of a function that takes gradients itself") {
  // The residual of a differential equation, and a gradient penalty.
  const TestFunction residual = [](auto& v) {
    const Variable u = exp(v[0] * v[1]);
    const Variable du = grad(sum(u), {v[0]}, {.create_graph = true})[0];
    return square(du - v[1] * u) + square(du);
  };
  CHECK(gradcheck(residual, {w, x}).passed);
  const TestFunction penalty = [](auto& v) {
    const Variable g = grad(sum(tanh(v[0] * 2)), {v[0]}, {.create_graph = true})[0];
    return square(sqrt(sum(square(g))) - 1);
  };
  CHECK(gradcheck(penalty, {x}).passed);
  const Variable leaf(x, requires_grad);
  const Array numerical = numerical_gradient(penalty, {x})[0];
  CHECK(distance(numerical, grad(penalty({leaf}), {leaf})[0].data()) < 1e-6);
  const long before = live_nodes();
  numerical_gradient(penalty, {x});
  CHECK(live_nodes() == before);
}
