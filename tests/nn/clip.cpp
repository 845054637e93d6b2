// Clipped gradients: ordinary ones, those whose squares leave the range, and those that are no numbers.
#include <xgrad/nn/clip.hpp>

#include <fmt/format.h>

#include <xgrad/core/base/threads.hpp>
#include <xgrad/nn/layers.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using tests::error_of;

TEST_CASE("gradients are clipped by their common norm and by value") {
  Parameter a(zeros({2})), b(zeros({1}));
  const Parameters both{{"a", a}, {"b", b}};
  auto set = [&] {
    a.mutable_grad() = full({2}, 2);
    b.mutable_grad() = full({1}, -1);
  };
  set();
  CHECK(clip_grad_norm(both, 6) == Approx(3));
  CHECK(a.grad().data<float>()[0] == 2);
  CHECK(clip_grad_norm(both, 1.5) == Approx(3));
  CHECK(a.grad().data<float>()[1] == Approx(1));
  CHECK(b.grad().data<float>()[0] == Approx(-.5));
  set();
  clip_grad_value(both, 1.25);
  CHECK(a.grad().data<float>()[0] == Approx(1.25));
  CHECK(b.grad().data<float>()[0] == -1);
}

TEST_CASE("a norm neither overflows nor vanishes where its squares do") {
  for (auto [dtype, large, small] : {std::tuple(DType::f32, 1e20, 1e-30),
                                     {DType::f32, 3e38, 1e-36},
                                     {DType::f64, 1e200, 1e-200},
                                     {DType::f64, 1.6e308, 1e-310}})
    for (double value : {large, small}) {
      INFO(value);
      Parameter a(zeros({4}, dtype)), b(zeros({0}, dtype)), c(zeros({1}, dtype));
      const Parameters all{{"a", a}, {"b", b}, {"c", c}};
      a.mutable_grad() = array<double>({value, 0, 0, 0}).cast(dtype);
      b.mutable_grad() = zeros({0}, dtype);
      c.mutable_grad() = zeros({1}, dtype);
      CHECK(clip_grad_norm(all, INFINITY) == Approx(value).epsilon(1e-5));
      const double limit = value / 8 > 1 ? 1 : value / 8;
      clip_grad_norm(all, limit);
      CHECK(a.grad().item(0) == Approx(limit).epsilon(1e-5));
    }
}

TEST_CASE("a norm beyond the range of double still scales the gradients right") {
  Parameter a(zeros({100}, DType::f64));
  a.mutable_grad() = full({100}, -1e308, DType::f64);
  CHECK(std::isinf(clip_grad_norm({{"a", a}}, 5)));
  CHECK(a.grad().data<double>()[7] == Approx(-.5));
}

TEST_CASE("a gradient that is not finite is an error that names its parameter, and nothing is changed") {
  for (DType dtype : {DType::f32, DType::f64}) {
    Parameter a(zeros({2}, dtype)), b(zeros({3}, dtype));
    const Parameters both{{"fc.weight", a}, {"fc.bias", b}};
    auto set = [&](double value) {
      a.mutable_grad() = full({2}, 8, dtype);
      b.mutable_grad() = array<double>({1, value, 1}).cast(dtype);
    };
    auto unchanged = [&] { return a.grad().item(0) == 8; };
    set(NAN);
    CHECK(error_of([&] { clip_grad_norm(both, 1); }) == "clip_grad_norm: the gradient of fc.bias holds NaN");
    CHECK(unchanged());
    CHECK(error_of([&] { clip_grad_value(both, 1); }) ==
          "clip_grad_value: the gradient of fc.bias holds NaN");
    CHECK(unchanged());
    for (double infinite : {INFINITY, -INFINITY}) {
      set(infinite);
      CHECK(error_of([&] { clip_grad_norm(both, 1); }) ==
            "clip_grad_norm: the gradient of fc.bias holds inf");
      CHECK(unchanged());
      clip_grad_value(both, 2);
      CHECK(b.grad().item(1) == std::copysign(2, infinite));
    }
    for (double limit : {-1., double(NAN)}) {
      CHECK(error_of([&] { clip_grad_norm(both, limit); }) ==
            fmt::format("clip_grad_norm: {} is not a norm", limit));
      CHECK(error_of([&] { clip_grad_value(both, limit); }) ==
            fmt::format("clip_grad_value: {} is not a limit", limit));
    }
  }
}

TEST_CASE("a parameter that is given twice counts once, and the number of threads changes no bit") {
  Parameter a(zeros({2}));
  a.mutable_grad() = full({2}, 3);
  CHECK(clip_grad_norm({{"a", a}, {"again", a}}, 3) == Approx(3 * std::sqrt(2)));
  CHECK(a.grad().data<float>()[0] == Approx(3 / std::sqrt(2)));

  const tests::Restore restore;
  Parameter large(zeros({700'001}));
  large.mutable_grad() = Generator(1).normal({700'001});
  threads::set(1);
  const double alone = clip_grad_norm({{"large", large}}, INFINITY);
  threads::set(3);
  CHECK(clip_grad_norm({{"large", large}}, INFINITY) == alone);
}
