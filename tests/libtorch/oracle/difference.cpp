// Do xgrad and libtorch agree about a program? And if not, is it meant?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include <xgrad/core/base/error.hpp>
#include "tests/libtorch/oracle/program.hpp"

namespace xgrad::tests::oracle {
namespace {

using Part = std::vector<Array> Results::*;
constexpr Part parts[] = {&Results::values, &Results::first, &Results::second};
const char* const part_names[] = {"value", "first gradient", "second gradient"};

double at(const Array& a, long i) { return a.data<double>()[i]; }
std::string number(double x) { return std::isnan(x) ? "NaN" : fmt::format("{:.17g}", x); }
bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }
double largest(const Array& a) {
  double most = 0;
  for (double x : a.elements<double>())
    if (std::isfinite(x)) most = std::max(most, std::abs(x));
  return most;
}

/// How far libtorch's results move when every operation's result moves by a factor 1 + size or 1 - size.
class Condition {
 public:
  Condition(const Program& p, const Results& clean, double size, bool absolute) : clean_(clean) {
    for (double s : {size, size / 10})
      for (std::uint64_t seed : {1, 2}) moved_.push_back(theirs(p, {s, absolute, seed}));
  }
  /// The largest move; NaN where the noise decides about a branch, so that the move does not shrink with it.
  double move(Part part, std::size_t i, long e) const {
    const double b = at((clean_.*part)[i], e);
    double moves[4];
    for (std::size_t k = 0; k < 4; ++k) moves[k] = std::abs(at((moved_[k].*part)[i], e) - b);
    const double far = std::max(moves[0], moves[1]), near = std::max(moves[2], moves[3]);
    return std::isfinite(far) && near <= .3 * far ? far : NAN;
  }

 private:
  const Results& clean_;
  std::vector<Results> moved_;
};

class Comparison {
 public:
  Comparison(const Program& p, Explained& explained) : p_(p), explained_(explained) {}

  std::string run() {
    std::string errors[2];
    for (int side = 0; side < 2; ++side) {
      try {
        (side ? theirs_ : ours_) = side ? theirs(p_) : ours(p_, DType::f64);
      } catch (const std::exception& e) {
        errors[side] = e.what();
        errors[side] = errors[side].substr(0, errors[side].find('\n'));
      }
    }
    if (!errors[0].empty() && !errors[1].empty()) return "";
    if (!errors[0].empty()) return "xgrad alone refuses it: " + errors[0];
    if (!errors[1].empty()) return "libtorch alone refuses it: " + errors[1];
    for (int order = 0; order < 3; ++order) {
      if (std::string what = compare(order); !what.empty()) return what;
      if (stop_) return "";
    }
    return "";
  }

 private:
  std::string compare(int order) {
    const auto &mine = ours_.*parts[order], &other = theirs_.*parts[order];
    for (std::size_t i = 0; i < mine.size() && !stop_; ++i) {
      const std::size_t name = i + (order ? 0 : p_.leaves.size());
      if (mine[i].shape() != other[i].shape())
        return fmt::format("the shape of v{}: {}, theirs {}", name, mine[i].shape().str(),
                           other[i].shape().str());
      for (long e = 0; e < mine[i].size(); ++e) {
        if (agree(order, i, e)) continue;
        if (const char* rule = explanation(order, i, e)) {
          rules_.insert(rule);
          if (!stop_) continue;
          break;
        }
        return fmt::format("{} of v{}, element {}: {}, theirs {}", part_names[order], name, e,
                           number(at(mine[i], e)), number(at(other[i], e)));
      }
    }
    for (auto& rule : rules_) ++explained_[rule];
    rules_.clear();
    return "";
  }

  bool agree(int order, std::size_t i, long e) {
    const double a = at((ours_.*parts[order])[i], e), b = at((theirs_.*parts[order])[i], e);
    if (same(a, b)) return true;
    if (!std::isfinite(a) || !std::isfinite(b)) return false;
    if (std::abs(a - b) <= 1e-12 * std::abs(b) + 1e-300) return true;  // less is subnormal
    if (!condition_) condition_.emplace(p_, theirs_, 1e-13, false);
    return within(*condition_, order, i, e);
  }
  bool within(const Condition& condition, int order, std::size_t i, long e) const {
    const double a = at((ours_.*parts[order])[i], e), b = at((theirs_.*parts[order])[i], e);
    const double move = condition.move(parts[order], i, e);
    return std::abs(a - b) <=
           (std::isnan(move) ? 1e-11 * (1 + largest((theirs_.*parts[order])[i])) : 3 * move);
  }

  /// The rule by which an element is meant to differ; null when there is none.
  const char* explanation(int order, std::size_t i, long e);
  std::optional<bool> contradicted(int order, std::size_t i, long e);
  struct Slopes {
    double left, right, size;  // the size of what they are computed from
    double least() const { return std::min(left, right); }
    double most() const { return std::max(left, right); }
    double steepest() const { return std::max(std::abs(left), std::abs(right)); }
  };
  std::optional<Slopes> slopes(int order, std::size_t i, long e, double h);
  std::optional<bool> contradicted_by(int order, std::size_t i, long e, double h);

  bool agreed(int order, std::size_t i, long e) { return !contradicted(order, i, e).value_or(false); }
  bool has(const std::set<std::string>& ops) const {
    return std::any_of(p_.code.begin(), p_.code.end(),
                       [&](auto& i) { return ops.contains(rows()[i.row].op); });
  }
  /// Whether a leaf or a value has such an element.
  bool somewhere(bool (*such)(double)) const {
    auto any = [=](const Array& a) { return std::ranges::any_of(a.elements<double>(), such); };
    return std::ranges::any_of(p_.leaves, any) || std::ranges::any_of(ours_.values, any);
  }
  /// Whether the values differ by rounding: where inputs are tied on purpose they do not.
  bool rounded_apart() const {
    for (std::size_t k = 0; k < ours_.values.size(); ++k)
      if (!std::ranges::equal(ours_.values[k].elements<double>(), theirs_.values[k].elements<double>(), same))
        return true;
    return false;
  }
  /// Whether normal_cdf gave anything below 1e-7 that is not 0, of which libtorch keeps no more than 9
  /// digits.
  bool normal_tail_met() const {
    for (std::size_t k = 0; k < p_.code.size(); ++k)
      if (rows()[p_.code[k].row].op == std::string("normal_cdf"))
        for (double y : ours_.values[k].elements<double>())
          if (y > 0 && y < 1e-7) return true;
    return false;
  }
  bool nan_somewhere() const {
    return somewhere([](double x) { return std::isnan(x); });
  }

  const Program& p_;
  Explained& explained_;
  Results ours_, theirs_;
  std::optional<Condition> condition_, absolute_, slight_;
  std::set<const char*> rules_;
  bool stop_ = false;
};

const char* Comparison::explanation(int order, std::size_t i, long e) {
  const double a = at((ours_.*parts[order])[i], e), b = at((theirs_.*parts[order])[i], e);
  if (std::isfinite(a) && std::isfinite(b)) {
    // Where sigmoid, tanh, ... saturate, libtorch computes 1 - y; elsewhere it subtracts rounded means.
    if (!absolute_) absolute_.emplace(p_, theirs_, 1e-13, true), slight_.emplace(p_, theirs_, 1e-16, true);
    if (std::isnan(condition_->move(parts[order], i, e)) && rounded_apart()) {
      stop_ = true;
      return "a tie or a threshold that rounding decides";
    }
    if (within(*absolute_, order, i, e) || within(*slight_, order, i, e))  // the first may leave a domain
      return "libtorch is inexact where functions saturate or means are subtracted";
  }
  if (has({"normal_cdf"}) && normal_tail_met()) {
    stop_ = true;
    return "libtorch's normal_cdf has few digits in its tail, or is 0";
  }
  // In rules, 0 times anything is 0, so that what is not selected has no part in a gradient.
  if (order && std::isnan(b) && !std::isnan(a)) {
    const std::optional<bool> witness = contradicted(order, i, e);
    if (!witness) return "0 times inf or NaN is 0 in gradients; not finite around, so without a witness";
    if (!*witness) return "0 times inf or NaN is 0 in gradients; finite differences agree";
  }
  // a^(b - 1) (1 + b log a) is not 0 where b is 0, where libtorch masks it; and it divides products by
  // factors.
  if (order == 2 && has({"pow"}) && agreed(order, i, e)) return "libtorch's mixed second derivative of pow";
  if (order == 2 && has({"prod"}) && agreed(order, i, e)) return "libtorch's second derivative of prod";
  // Where the value is NaN there is no derivative; libtorch passes the gradient on, or 0.
  if (order && std::isnan(a) && nan_somewhere()) return "what is NaN has no derivative";
  // Of several NaNs the first is taken, as NumPy's argmax does; libtorch takes the last.
  if (order && has({"max_pool2d"}) && nan_somewhere()) return "the first NaN of a window gets the gradient";
  if (order && std::isinf(a) && a == -b && has({"sqrt", "rsqrt", "pow"}))
    return "the slope of sqrt at -0 is that at 0";
  if (order && std::isinf(a) && a == -b && somewhere([](double x) { return x == 0 && std::signbit(x); }))
    return "a sum of -0 is 0, on which side of a pole it may be";
  if (order && std::isnan(a) && std::isinf(b) && somewhere([](double x) { return std::isinf(x); }))
    return "infinite gradients cancel";
  if (has({"sin", "cos"}) && somewhere([](double x) { return std::abs(x) > 1e10; })) {
    stop_ = order == 0;  // what is rounded is a part of a turn
    return "sine or cosine of what is not known to a radian";
  }
  if (!order && has({"pow"}) && std::isinf(a) && !std::isfinite(b)) {
    stop_ = true;  // libtorch takes square roots
    return "pow(-0, -.5) and pow(-inf, .5) are inf by IEEE 754";
  }
  if (!order && has({"batch_norm", "layer_norm"}) && somewhere([](double x) { return std::abs(x) > 1e11; })) {
    stop_ = true;  // xgrad scales x - mean, libtorch x and the mean: beside a scale of 10 no digit is left
    return "normalisation of huge or infinite numbers";
  }
  if (!order && std::isnan(b) && a == 0 && has({"strong_mul", "strong_div"})) {
    stop_ = true;
    return "0 times inf or NaN is 0 in the products of rules";
  }
  if (!order && std::isnan(b) && !std::isnan(a) &&
      has({"gelu", "silu", "softmax", "log_softmax", "logsumexp", "cross_entropy",
           "binary_cross_entropy_with_logits"})) {
    stop_ = true;  // what is computed from it differs too
    return "limits at infinite inputs";
  }
  return nullptr;
}

/// Whether finite differences of xgrad's values (or, for second order, of its first gradients) say something
/// else about this element (nothing where they are not finite or jump): neither the slope on the left, nor
/// that on the right, nor anything between.
std::optional<bool> Comparison::contradicted(int order, std::size_t i, long e) try {
  const double x = std::abs(at(p_.leaves[i], e));
  std::optional<bool> result = contradicted_by(order, i, e, 1e-6 * std::max(1.0, x));
  if (result.value_or(false) && x > 0) result = contradicted_by(order, i, e, 1e-6 * x);
  return result;
} catch (const Error&) {  // an index that follows from the values, say
  return {};
}
std::optional<bool> Comparison::contradicted_by(int order, std::size_t i, long e, double h) {
  const double a = at((ours_.*parts[order])[i], e);
  if (!std::isfinite(a)) return {};
  const std::optional<Slopes> s = slopes(order, i, e, h);
  if (!s || s->steepest() > 1e8 * (1 + std::abs(a))) return {};  // a pole
  const double tolerance = 1e-3 * (std::max(s->size, std::abs(a)) + s->most() - s->least()) + 1e-6;
  if (a >= s->least() - tolerance && a <= s->most() + tolerance) return false;
  const std::optional<Slopes> closer = slopes(order, i, e, h / 8);
  if (!closer || closer->steepest() > 4 * s->steepest()) return {};  // a jump
  return true;
}
/// The slopes of xgrad's values or first gradients by finite differences; nothing where they are not finite.
std::optional<Comparison::Slopes> Comparison::slopes(int order, std::size_t i, long e, double h) {
  const double x = at(p_.leaves[i], e);
  if (!std::isfinite(x)) return {};
  Results results[3];
  for (int side = 0; side < 3; ++side) {
    Program moved = p_;
    moved.leaves[i].mutable_data<double>()[e] = x + (side - 1) * h;
    results[side] = ours(moved, DType::f64, false);
  }
  double slopes[2] = {0, 0}, size = 0;
  bool finite = true;
  auto add = [&](std::uint64_t seed, auto part) {
    const Array w = weights(seed, part(results[0]).shape());
    for (long k = 0; k < w.size(); ++k)
      for (int side = 0; side < 2; ++side) {
        const double from = at(part(results[side]), k), to = at(part(results[side + 1]), k);
        slopes[side] += at(w, k) * (to - from) / h;
        size = std::max(size, std::abs(from) * 1e-3);
        finite &= std::isfinite(from) && std::isfinite(to);
      }
  };
  if (order == 1)
    add(0, [](const Results& r) { return r.values.back(); });
  else
    for (std::size_t k = 0; k < p_.leaves.size(); ++k)
      add(k + 1, [=](const Results& r) { return r.first[k]; });
  if (!finite || !std::isfinite(slopes[0]) || !std::isfinite(slopes[1])) return {};
  return Slopes{slopes[0], slopes[1], size};
}

}  // namespace

std::string difference(const Program& p, Explained& explained) { return Comparison(p, explained).run(); }

}  // namespace xgrad::tests::oracle
