// Tells three spirals apart (the book, volume 3, step 48), and draws which points the network gives to which.
#include <cmath>

#include <xgrad/datasets/loader.hpp>
#include <xgrad/nn/models/mlp.hpp>
#include <xgrad/nn/run/plot.hpp>
#include <xgrad/xgrad.hpp>
#include "examples/common/program.hpp"

using namespace xgrad;

namespace {

/// 100 points of each class, (300, 2), and their classes.
std::pair<Array, Array> spirals() {
  const Array noise = default_generator().normal({300}, 0, .2);
  Array points({300, 2}), classes({300}, DType::i64);
  for (long i = 0; i < 300; ++i) {
    const double radius = double(i % 100) / 100,
                 angle = double(i / 100) * 4 + 4 * radius + noise.data<float>()[i];
    points.mutable_data<float>()[2 * i] = float(radius * std::sin(angle));
    points.mutable_data<float>()[2 * i + 1] = float(radius * std::cos(angle));
    classes.mutable_data<std::int64_t>()[i] = i / 100;
  }
  return {points, classes};
}

/// "x y class" for gnuplot.
std::string rows(const Array& points, const Array& classes) {
  std::string text;
  for (long i = 0; i < classes.size(); ++i)
    text += fmt::format("{} {} {}\n", points.data<float>()[2 * i], points.data<float>()[2 * i + 1],
                        classes.data<std::int64_t>()[i]);
  return text + "e\n";
}

int run() {
  manual_seed(1);
  const auto [points, classes] = spirals();
  MLP net({2, 10, 3}, {.activation = sigmoid, .init = lecun()});
  SGD sgd(parameters(net), {.lr = 1});
  Generator& random = default_generator();
  for (int epoch = 1; epoch <= 300; ++epoch) {
    const std::vector<long> order = random.permutation(300);
    double loss = 0;
    for (long first = 0; first < 300; first += 30) {  // batches of 30
      const Array batch(
          {30}, std::vector<std::int64_t>(&order[std::size_t(first)], &order[std::size_t(first)] + 30));
      const Variable y = net(take(Variable(points), batch));
      const Variable error = cross_entropy(y, take(Variable(classes), batch).data());
      sgd.zero_grad();
      error.backward();
      sgd.step();
      loss += error.item() / 10;
    }
    if (epoch % 50 == 0) print("epoch {:3}  loss {:.4f}\n", epoch, loss);
  }

  NoGrad off;
  constexpr long side = 120;
  Array grid({side * side, 2});
  for (long i = 0; i < side * side; ++i) {
    grid.mutable_data<float>()[2 * i] = float(i % side) * 2.2f / side - 1.1f;
    grid.mutable_data<float>()[2 * i + 1] = float(i / side) * 2.2f / side - 1.1f;
  }
  const Array seen = argmax(net(Variable(points)), 1), everywhere = argmax(net(Variable(grid)), 1);
  long right = 0;
  for (long i = 0; i < 300; ++i) right += seen.data<std::int64_t>()[i] == classes.data<std::int64_t>()[i];
  print("{} of 300 points are correct\n", right);
  const std::string script =
      "set palette defined (0 '#4c78a8', 1 '#f58518', 2 '#54a24b')\nunset colorbox\nset size square\nset key "
      "off\n"
      "plot [-1.1:1.1][-1.1:1.1] '-' with points pt 5 ps .5 lc palette z, '-' with points pt 7 ps .9 lc rgb "
      "'#222222', "
      "'-' with points pt 7 ps .6 lc palette z\n" +
      rows(grid, everywhere) + rows(points, classes) + rows(points, classes);
  const Drawing drawing = plot(script, 560, 560, "spiral.svg");
  print("{}\n", drawing ? "drawn to spiral.svg" : "not drawn: " + drawing.failure);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Separates three spirals with a small network, and draws what it has learned.");
  return program(app, argc, argv, run);
}
