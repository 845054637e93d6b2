// Errors in units of the last place against MPFR, at points of all magnitudes.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <xgrad/core/tape/tape.hpp>
#include "tests/accuracy/cases.hpp"

namespace xgrad::tests {
namespace {

template <class T>
using Points = std::vector<std::vector<T>>;  // for each input

/// Numbers are in the order of their bits, negative ones downwards.
template <class T>
auto bits_of(T x) {
  return std::bit_cast<std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>(x);
}
template <class T, class Random>
T any_magnitude(Random& random) {
  using Bits = decltype(bits_of(T()));
  std::uniform_int_distribution<Bits> draw(0, bits_of(std::numeric_limits<T>::max()));
  const T magnitude = std::bit_cast<T>(draw(random));
  return random() & 1 ? magnitude : -magnitude;
}

template <class T>
std::vector<T> points_of_one(const Case& c, int n) {
  std::mt19937_64 random(1);
  std::vector<T> x{0, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(),
                   std::numeric_limits<T>::denorm_min()};
  for (int i = 0; i < 2 * n; ++i) x.push_back(any_magnitude<T>(random));
  for (auto [low, high] : c.dense) {
    std::uniform_real_distribution<T> draw{T(low), T(high)};
    for (int i = 0; i < 6 * n / int(c.dense.size()); ++i) x.push_back(draw(random));
  }
  std::vector<double> near = c.near;
  for (auto [low, high] : c.dense) near.insert(near.end(), {low, high});
  for (double at : near) {
    T up = T(at), down = T(at);
    for (int i = 0; i < 40; ++i) {
      x.push_back(up = std::nextafter(up, T(INFINITY)));
      x.push_back(down = std::nextafter(down, T(-INFINITY)));
    }
    for (int i = 1; i < std::numeric_limits<T>::digits; ++i)
      for (T step : {std::ldexp(T(1), -i), -std::ldexp(T(1), -i)}) x.push_back(T(at) + step);
  }
  return x;
}

template <class T>
Points<T> points(const Case& c, int n) {
  if (c.inputs == 1) return {points_of_one<T>(c, n)};
  std::mt19937_64 random(2);
  Points<T> x(2);
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < 2; ++k) {
      auto [low, high] = c.dense[std::size_t(k)];
      std::uniform_real_distribution<T> draw{T(low), T(high)};
      const T v = i % 2 ? draw(random) : any_magnitude<T>(random);
      x[std::size_t(k)].push_back(k == 0 && c.positive ? std::abs(v) : v);
    }
  return x;
}

/// What grad() gives, also where y does not depend on anything.
std::vector<Variable> gradients(const Variable& y, const std::vector<Variable>& x) {
  if (y.requires_grad()) return grad(y, x, {.create_graph = true});
  std::vector<Variable> result;
  for (auto& input : x) result.push_back(Variable(zeros_like(input.data())));
  return result;
}

template <class T>
void compare(T got, const Term& want, const std::vector<double>& at, bool beyond, std::size_t order,
             Errors& errors) {
  using Limits = std::numeric_limits<T>;
  const Real scale = max(abs(want.value), want.largest), smallest = Limits::min();
  Real least = scale, most = scale;
  for (const Real& f : want.factors) least = abs(f) < least ? abs(f) : least, most = max(most, abs(f));
  const bool subnormal = least < smallest, overflow = scale < most && Real(Limits::max()) < most;
  double ulps = 0;
  if (std::isnan(got) || is_nan(want.value)) {
    ulps = std::isnan(got) && is_nan(want.value) ? 0 : INFINITY;
  } else if (got != T(want.value)) {
    // An overflow counts as the next power of two.
    const Real next = Real::power_of_two(Limits::max_exponent);
    const Real result = std::isinf(got) ? (got > 0 ? next : -next) : Real(got);
    const long exponent = scale == 0 ? 0 : std::min<long>(scale.exponent(), Limits::max_exponent - 1);
    Real unit = Real::power_of_two(exponent - Limits::digits + 1);
    if (subnormal) unit = Real(Limits::denorm_min()) * max(1, scale / least);
    ulps = double(abs(result - want.value) / unit);
  }
  auto& kind = beyond || overflow ? errors.beyond : subnormal ? errors.subnormal : errors.normal;
  if (Worst& worst = kind[order]; !(ulps <= worst.ulps)) worst = {ulps, at};
}

}  // namespace

template <class T>
Errors measure(const Case& c, int n) {
  const Points<T> all = points<T>(c, n);
  std::vector<Variable> x;
  for (auto& p : all) x.emplace_back(Array({long(p.size())}, p), requires_grad);
  std::array<std::vector<Variable>, 3> got;
  got[0] = {c.f(x)};
  got[1] = gradients(got[0][0], x);
  for (auto& g : got[1])
    for (auto& h : gradients(g, x)) got[2].push_back(h);
  Errors errors;
  for (std::size_t i = 0; i < all[0].size(); ++i) {
    std::vector<double> at;
    for (auto& p : all) at.push_back(double(p[i]));
    const Terms want = c.exact({at.begin(), at.end()});
    for (std::size_t order = 0; order < 3; ++order)
      for (std::size_t k = 0; k < got[order].size(); ++k)
        compare(got[order][k].data().template data<T>()[i], want[order][k], at, std::abs(at[0]) > c.limit,
                order, errors);
  }
  return errors;
}
template Errors measure<float>(const Case&, int);
template Errors measure<double>(const Case&, int);

}  // namespace xgrad::tests
