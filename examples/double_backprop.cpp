// Derivatives of derivatives (the book, volume 3, steps 33 to 36): Newton's method, tanh, and a loss with a
// gradient in it.
#include <xgrad/nn/run/plot.hpp>
#include <xgrad/xgrad.hpp>
#include "examples/common/program.hpp"

using namespace xgrad;

namespace {

/// The minimum of y = x^4 - 2 x^2 by Newton's method: x <- x - f'(x) / f''(x).
void newton() {
  Variable x(2., requires_grad);
  print("Newton's method on x^4 - 2 x^2\n");
  for (int i = 0; i < 8; ++i) {
    print("  {}  x = {:.15f}\n", i, x.item());
    const Variable y = pow(x, 4) - 2 * square(x);
    const Variable first = grad(y, {x}, {.create_graph = true})[0];
    const Variable second = grad(first, {x})[0];
    x.set_data((x.detach() - first.detach() / second).data());
  }
}

/// tanh and its first derivatives, each the gradient of the one before.
void tanh_derivatives() {
  const Variable x((Variable(arange(401, DType::f64)) / 400 * 10 - 5).data(), requires_grad);
  std::vector<Variable> curves{tanh(x)};
  for (int order = 1; order <= 4; ++order)
    curves.push_back(grad(sum(curves.back()), {x}, {.create_graph = true})[0]);
  print("\ntanh and its derivatives at 0.5\n");
  std::string script = "set grid\nset xlabel 'x'\nplot ", data;
  for (std::size_t order = 0; order < curves.size(); ++order) {
    print("  order {}  {:+.12f}\n", order, curves[order].data().data<double>()[220]);
    script += fmt::format("{}'-' with lines lw 2 title 'order {}'", order ? ", " : "", order);
    for (long i = 0; i < x.size(); ++i)
      data += fmt::format("{} {}\n", x.data().data<double>()[i], curves[order].data().data<double>()[i]);
    data += "e\n";
  }
  const Drawing drawing = plot(script + "\n" + data, 640, 420, "tanh.svg");
  print("  {}\n", drawing ? "drawn to tanh.svg" : "not drawn: " + drawing.failure);
}

/// z = (dy/dx)^3 + y for y = x^2: a gradient is an ordinary Variable and may be part of what is
/// differentiated.
void gradient_in_a_loss() {
  const Variable x(2., requires_grad), y = square(x);
  const Variable gx = grad(y, {x}, {.create_graph = true})[0];
  const Variable z = pow(gx, 3) + y;
  print("\nz = (dy/dx)^3 + y, y = x^2: dz/dx at 2 is {} (24 x^2 + 2 x = 100)\n", grad(z, {x})[0].item());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Derivatives of derivatives: Newton's method, tanh, and a loss with a gradient in it.");
  return program(app, argc, argv, [] {
    newton();
    tanh_derivatives();
    gradient_in_a_loss();
    return 0;
  });
}
