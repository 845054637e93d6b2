// Fits noisy samples of sin(2 pi x) with a small network (the book, volume 3, step 43), and draws it.
#include <numbers>

#include <xgrad/nn/run/plot.hpp>
#include <xgrad/xgrad.hpp>
#include "examples/common/program.hpp"

using namespace xgrad;

namespace {

struct Net {
  Linear fc1{1, 10, {.init = normal(1)}}, fc2{10, 1};
  Variable operator()(const Variable& x) const { return fc2(sigmoid(fc1(x))); }
};

/// Rows "x y" as gnuplot reads them.
std::string rows(const Variable& x, const Variable& y) {
  std::string text;
  for (long i = 0; i < x.size(); ++i)
    text += fmt::format("{} {}\n", x.data().data<float>()[i], y.data().data<float>()[i]);
  return text + "e\n";
}

int run() {
  manual_seed(1);
  const Variable x = default_generator().uniform({100, 1});
  const Variable y = sin(x * (2 * std::numbers::pi)) + Variable(default_generator().uniform({100, 1}));

  Net net;
  SGD sgd(parameters(net), {.lr = .2});
  for (int step = 0; step <= 10000; ++step) {
    const Variable loss = mse_loss(net(x), y);
    if (step % 2000 == 0) print("step {:5}  loss {:.4f}\n", step, loss.item());
    sgd.zero_grad();
    loss.backward();
    sgd.step();
  }

  NoGrad off;
  const Variable at = Variable(arange(201, DType::f32)) / 200;
  const Variable line = reshape(at, {201, 1});
  const std::string script =
      "set xlabel 'x'\nset ylabel 'y'\nplot '-' with points pt 7 ps .5 title 'data', '-' with "
      "lines lw 2 title 'network'\n" +
      rows(x, y) + rows(line, net(line));
  const Drawing drawing = plot(script, 640, 400, "sine.svg");
  print("{}\n", drawing ? "drawn to sine.svg" : "not drawn: " + drawing.failure);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Fits noisy samples of sin(2 pi x) with a small network, and draws it.");
  return program(app, argc, argv, run);
}
