// Initialisers.
#include <xgrad/nn/init.hpp>

#include <cmath>

#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace {

struct Fans {
  double in, out;
  explicit Fans(const Shape& shape) {
    expect(shape.rank() >= 2, "init: a weight of shape {} has no fan-in and fan-out", shape);
    const double taps = double(shape.size()) / std::max(1., double(shape[0]) * double(shape[1]));
    in = std::max(1., double(shape[1]) * taps);  // 0 where there is nothing to draw
    out = std::max(1., double(shape[0]) * taps);
  }
};

Array draw_normal(const Shape& shape, double variance) {
  return default_generator().normal(shape, 0, std::sqrt(variance));
}

}  // namespace

Initializer he() {
  return [](const Shape& shape) { return draw_normal(shape, 2 / Fans(shape).in); };
}
Initializer xavier() {
  return [](const Shape& shape) { return draw_normal(shape, 2 / (Fans(shape).in + Fans(shape).out)); };
}
Initializer lecun() {
  return [](const Shape& shape) { return draw_normal(shape, 1 / Fans(shape).in); };
}
Initializer normal(double std) {
  expect(std >= 0 && std < INFINITY, "normal: std is {}, not in [0, inf)", std);
  return [=](const Shape& shape) { return draw_normal(shape, std * std); };
}
Initializer uniform(double low, double high) {
  expect(low <= high && high - low < INFINITY, "uniform: [{}, {}) is not a range", low, high);
  return [=](const Shape& shape) { return default_generator().uniform(shape, low, high); };
}
Initializer uniform_fan_in() {
  return [](const Shape& shape) {
    const double bound = fan_in_bound(shape);
    return default_generator().uniform(shape, -bound, bound);
  };
}
double fan_in_bound(const Shape& weight) { return 1 / std::sqrt(Fans(weight).in); }
Initializer constant(double value) {
  return [=](const Shape& shape) { return full(shape, value); };
}

}  // namespace xgrad
