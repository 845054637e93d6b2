// Shapes by signed distance (after Quilez, https://iquilezles.org/articles/distfunctions2d), one generator an
// image.
#include <xgrad/datasets/synthetic.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>

namespace xgrad {
namespace {

constexpr int side = 32;
constexpr double pi = std::numbers::pi;

struct Point {
  double x, y;
};
using Colour = std::array<double, 3>;  // red, green, blue in [0, 1]

double box(Point p, double half_x, double half_y) {
  return std::max(std::abs(p.x) - half_x, std::abs(p.y) - half_y);
}

// Each gives the distance to the edge of a shape that about fills the unit circle: negative inside.
double circle(Point p) { return std::hypot(p.x, p.y) - .85; }
double square(Point p) { return box(p, .72, .72); }
double triangle(Point p) { return std::max(std::abs(p.x) * std::sqrt(.75) - p.y * .5, p.y) - .5; }
double cross(Point p) { return std::min(box(p, .92, .26), box(p, .26, .92)); }
double ring(Point p) { return std::abs(std::hypot(p.x, p.y) - .7) - .19; }
double crescent(Point p) {
  return std::max(std::hypot(p.x + .1, p.y) - .9, .78 - std::hypot(p.x - .42, p.y));
}
double stripes(Point p) { return box({p.x, p.y - .6 * std::clamp(std::round(p.y / .6), -1., 1.)}, .86, .17); }

double star(Point p) {
  // Folded into half of one of the five points, whose edge runs from the tip (0, 1) to the notch between two
  // points.
  const double sector = 2 * pi / 5, turn = std::atan2(p.x, -p.y);
  const double angle = std::abs(turn - sector * std::round(turn / sector)), radius = std::hypot(p.x, p.y);
  const Point q{radius * std::sin(angle), radius * std::cos(angle)};
  const Point notch{.42 * std::sin(pi / 5), .42 * std::cos(pi / 5)};
  const double length = std::hypot(notch.x, notch.y - 1);
  return (q.x * (1 - notch.y) - (1 - q.y) * notch.x) / length;
}

double heart(Point p) {
  const double x = std::abs(p.x) / 1.65, y = .58 - p.y / 1.65;  // it stands on its tip, 1.1 high
  const auto length = [](double a, double b) { return std::hypot(a, b); };
  if (x + y > 1) return 1.65 * (length(x - .25, y - .75) - std::sqrt(2) / 4);
  const double m = .5 * std::max(x + y, 0.);
  const double d = std::min(length(x, y - 1), length(x - m, y - m));
  return 1.65 * std::copysign(d, x - y);
}

double checker(Point p) {
  constexpr double cell = .5;
  const double u = p.x / cell, v = p.y / cell, i = std::round(u), j = std::round(v);
  const double edge = cell * (.5 - std::max(std::abs(u - i), std::abs(v - j)));
  const bool filled = std::fmod(std::abs(i) + std::abs(j), 2) == 0;
  return std::max(filled ? -edge : edge, box(p, 1.5 * cell, 1.5 * cell));
}

struct Kind {
  const char* name;
  double (*distance)(Point);
};
constexpr Kind kinds[] = {{"circle", circle},   {"square", square},  {"triangle", triangle}, {"cross", cross},
                          {"star", star},       {"ring", ring},      {"crescent", crescent}, {"heart", heart},
                          {"stripes", stripes}, {"checker", checker}};

double between(Generator& g, double low, double high) { return low + (high - low) * g.uniform(); }

Colour random_colour(Generator& g) { return {g.uniform(), g.uniform(), g.uniform()}; }
double brightness(const Colour& c) { return .3 * c[0] + .6 * c[1] + .1 * c[2]; }

/// What one image shows.
struct Scene {
  explicit Scene(Generator& g) {
    size = between(g, 9, 13);
    centre = {between(g, size, side - size), between(g, size, side - size)};
    angle = between(g, -pi / 6, pi / 6);
    do ground = random_colour(g), shape = random_colour(g);
    while (brightness(shape) < brightness(ground) + .25);
    for (double& s : slope) s = between(g, -.008, .008);
    noise = between(g, .01, .05);
  }
  double size;  // the radius in pixels
  Point centre;
  double angle;
  Colour shape, ground;
  double slope[2];  // of the light, per pixel
  double noise;     // the most that is added or taken
};

void paint(const Kind& kind, Generator& g, std::uint8_t* image) {
  const Scene scene(g);
  const double c = std::cos(scene.angle) / scene.size, s = std::sin(scene.angle) / scene.size;
  std::uint64_t bits = 0;
  for (int i = 0; i < side * side; ++i) {
    const Point p{i % side + .5 - scene.centre.x, i / side + .5 - scene.centre.y};
    const double distance = scene.size * kind.distance({c * p.x + s * p.y, c * p.y - s * p.x});
    const double cover = std::clamp(.5 - distance, 0., 1.);
    const double light = scene.slope[0] * p.x + scene.slope[1] * p.y;
    for (std::size_t channel = 0; channel < 3; ++channel, bits >>= 16) {
      if ((std::size_t(i) * 3 + channel) % 4 == 0) bits = g.next();
      const double grain = scene.noise * (double(bits & 0xffff) / 32767.5 - 1);
      const double value =
          scene.ground[channel] + cover * (scene.shape[channel] - scene.ground[channel]) + light + grain;
      image[long(channel) * side * side + i] = std::uint8_t(std::lround(255 * std::clamp(value, 0., 1.)));
    }
  }
}

/// The images first ... first + n - 1 of the endless series that the seed fixes.
Dataset draw_shapes(const std::string& name, long n, std::uint64_t seed, std::uint64_t first) {
  expect(n >= 0, "shapes: {} images cannot be drawn", n);
  Dataset data{name, Array({n, 3, side, side}, DType::u8), Array({n}, DType::i64)};
  for (const auto& kind : kinds) data.classes.push_back(kind.name);
  auto* images = data.images.mutable_data<std::uint8_t>();
  auto* labels = data.labels.mutable_data<std::int64_t>();
  threads::for_ranges(n, 16, [&](long begin, long end) {
    for (long i = begin; i < end; ++i) {
      Generator g(seed, (first + std::uint64_t(i)) << 16);  // an image uses some 800 positions
      labels[i] = g.below(std::ssize(kinds));
      paint(kinds[labels[i]], g, images + i * 3 * side * side);
    }
  });
  return data;
}

}  // namespace

Split shapes(long train, long test, std::uint64_t seed) {
  return {draw_shapes("shapes train", train, seed, 1ull << 46),
          draw_shapes("shapes test", test, seed, 3ull << 45)};
}

}  // namespace xgrad
