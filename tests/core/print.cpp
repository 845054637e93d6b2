// Arrays and Variables as text.
#include <xgrad/core/tape/print.hpp>

#include <sstream>

#include <xgrad/nn/parameter.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

TEST_CASE("print: rows are aligned, with as many digits as are needed, at most four") {
  CHECK(to_string(array<float>({1, 2, 3})) == "array([1., 2., 3.])");
  CHECK(to_string(array<float>({{1, -2.5}, {30, 4}})) ==
        "array([[ 1.0, -2.5],\n"
        "       [30.0,  4.0]])");
  CHECK(to_string(array<float>({.1, 1. / 3})) == "array([0.1000, 0.3333])");
  CHECK(to_string(array<std::int64_t>({{1, 20}, {-300, 4}})) ==
        "array([[   1,   20],\n"
        "       [-300,    4]])");
  CHECK(to_string(array<bool>({true, false})) == "array([ true, false])");
  CHECK(to_string(arange(8, DType::f32).reshape({2, 2, 2})) ==
        "array([[[0., 1.],\n"
        "        [2., 3.]],\n"
        "\n"
        "       [[4., 5.],\n"
        "        [6., 7.]]])");
}

TEST_CASE("print: magnitudes that differ much are in scientific notation") {
  CHECK(to_string(array<float>({1e-5, 1.5})) == "array([1.0e-05, 1.5e+00])");
  CHECK(to_string(array<float>({1e10, 1})) == "array([1.e+10, 1.e+00])");
  CHECK(to_string(array<float>({12345, 2})) == "array([12345.,     2.])");
  CHECK(to_string(array<float>({0, 0})) == "array([0., 0.])");
}

TEST_CASE("print: infinities and NaN") {
  CHECK(to_string(array<float>({NAN, INFINITY, -INFINITY, 1.5})) == "array([ nan,  inf, -inf,  1.5])");
  CHECK(to_string(full({}, NAN)) == "array(nan)");
}

TEST_CASE("print: one number has the digits that distinguish it") {
  CHECK(to_string(full({}, .1)) == "array(0.1)");
  CHECK(to_string(full({}, 2)) == "array(2.)");
  CHECK(to_string(full({}, 1. / 3, DType::f64)) == "array(0.3333333333333333, dtype=f64)");
  CHECK(to_string(full({}, 1. / 3, DType::bf16)) == "array(0.334, dtype=bf16)");
  CHECK(to_string(full({}, 3, DType::i64)) == "array(3)");
  CHECK(to_string(number(2)) == "array(2.)");
}

TEST_CASE("print: the dtype is noted where the elements do not show it") {
  CHECK(to_string(ones({2}, DType::f64)) == "array([1., 1.], dtype=f64)");
  CHECK(to_string(ones({2}, DType::f16)) == "array([1., 1.], dtype=f16)");
  CHECK(to_string(ones({2}, DType::u8)) == "array([1, 1], dtype=u8)");
  CHECK(to_string(ones({2}, DType::i32)) == "array([1, 1], dtype=i32)");
}

TEST_CASE("print: nothing") {
  CHECK(to_string(zeros({0})) == "array([], shape=(0,))");
  CHECK(to_string(zeros({2, 0, 3}, DType::i64)) == "array([], shape=(2, 0, 3), dtype=i64)");
  CHECK(to_string(zeros({1l << 50, 0})) == "array([], shape=(1125899906842624, 0))");
  CHECK(to_string(Array()) == "array(undefined)");
  CHECK(to_string(Variable()) == "Variable(undefined)");
}

TEST_CASE("print: large arrays are abridged, and their shape is noted") {
  CHECK(to_string(arange(1001)) == "array([   0,    1,    2, ...,  998,  999, 1000], shape=(1001,))");
  CHECK(to_string(arange(10000, DType::f32).reshape({100, 100})) ==
        "array([[   0.,    1.,    2., ...,   97.,   98.,   99.],\n"
        "       [ 100.,  101.,  102., ...,  197.,  198.,  199.],\n"
        "       [ 200.,  201.,  202., ...,  297.,  298.,  299.],\n"
        "       ...,\n"
        "       [9700., 9701., 9702., ..., 9797., 9798., 9799.],\n"
        "       [9800., 9801., 9802., ..., 9897., 9898., 9899.],\n"
        "       [9900., 9901., 9902., ..., 9997., 9998., 9999.]], shape=(100, 100))");
  CHECK(to_string(arange(20), {.threshold = 10, .edge = 1}) == "array([ 0, ..., 19], shape=(20,))");
  CHECK(to_string(zeros({3, 1000})).find("...") != std::string::npos);
}

TEST_CASE("print: long rows are broken") {
  const std::string text = to_string(arange(100));
  CHECK(text.starts_with("array([ 0,  1,  2,"));
  CHECK(text.find(" 20,\n       21,") != std::string::npos);
  for (std::size_t begin = 0, end; begin < text.size(); begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    CHECK(end - begin <= 95);
  }
}

TEST_CASE("print: Variables note the operation, or that they require a gradient") {
  Variable x(array<float>({-1, 2}), requires_grad);
  CHECK(to_string(x) == "Variable([-1.,  2.], requires_grad)");
  CHECK(to_string(relu(x)) == "Variable([0., 2.], op=relu)");
  CHECK(to_string(x.detach()) == "Variable([-1.,  2.])");
  x.set_name("w");
  CHECK(to_string(x) == "Variable([-1.,  2.], name=w, requires_grad)");
  CHECK(to_string(Variable(2.0)) == "Variable(2.)");
  CHECK(to_string(Variable(ones({1, 2}, DType::f64), requires_grad)) ==
        "Variable([[1., 1.]], dtype=f64, requires_grad)");
}

TEST_CASE("print: by fmt and by streams") {
  const Array a = array<float>({1.25, 2});
  const Variable x = a;
  CHECK(fmt::format("{} {}", a, x) == "array([1.25, 2.00]) Variable([1.25, 2.00])");
  CHECK(fmt::format("{:.1f} {:.0}", a, x) == "array([1.2, 2.0]) Variable([1., 2.])");
  CHECK(fmt::format("{:.1e}", a) == "array([1.2e+00, 2.0e+00])");
  CHECK(fmt::format("{}", Parameter(a)) == "Variable([1.25, 2.00], requires_grad)");
  CHECK(fmt::format("{} {} {:>8}|{:<6}|", a.shape(), DType::f16, Shape{2, 3}, DType::f32) ==
        "(2,) f16   (2, 3)|f32   |");
  std::ostringstream out;
  out << a << ' ' << x << ' ' << a.shape() << ' ' << a.dtype();
  CHECK(out.str() == "array([1.25, 2.00]) Variable([1.25, 2.00]) (2,) f32");
  CHECK(error_of([&] { (void)fmt::format(fmt::runtime("{:d}"), a); }) ==
        "format: arrays are written by {}, {:.2}, {:.2f} or {:.2e}");
}

TEST_CASE("print: what waits is computed, and nothing is recorded or refused") {
  const Variable x(ones({100, 100}), requires_grad);
  CHECK(to_string(x * 2).starts_with("Variable([[2., 2., 2., ..., 2."));
  Variable w(array<float>({1}), requires_grad);
  const Variable y = record("shown", w.data(), {{w, [=](auto& gy) {
                                                   CHECK(to_string(w) == "Variable([5.], requires_grad)");
                                                   return gy;
                                                 }}});
  w.mutable_data().mutable_data<float>()[0] = 5;
  y.backward();
}
