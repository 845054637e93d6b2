#pragma once
// Are the gradients right? Compared with finite differences, to second order.
#include <functional>
#include <string>
#include <vector>

#include <xgrad/core/tape/variable.hpp>

namespace xgrad {

/// A function of several Variables.
using TestFunction = std::function<Variable(const std::vector<Variable>&)>;

/// What gradcheck() compares, and how closely.
struct GradcheckOptions {
  int order = 2;            ///< 1, or 2 to check the gradient of the gradient too
  double step = 1e-5;       ///< of the central differences
  double tolerance = 1e-6;  ///< largest |exact - numerical| / max(1, |numerical|)
  long max_elements = 200;  ///< of each input that are moved; more are sampled
  std::uint64_t seed = 1;   ///< of the directions and the sample
};

/// The outcome of a gradient check.
struct GradcheckReport {
  bool passed = true;   ///< no error beyond the tolerance, in a result that depends on the inputs
  double worst = 0;     ///< largest error met, relative beyond 1
  long checked = 0;     ///< elements compared
  std::string message;  ///< where the largest error is: order, input, element, both values
  /// Whether it passed.
  explicit operator bool() const { return passed; }
};

/// Compares the gradients of f at the inputs (f64) with central differences, element by element. f is made a
/// scalar by random weights, its gradients likewise for second order. What f captures is held fixed. f may
/// call grad() with {.create_graph = true}. Throws Error for inputs that are not f64, and whatever f throws.
GradcheckReport gradcheck(const TestFunction& f, const std::vector<Array>& inputs,
                          const GradcheckOptions& options = {});

/// The gradient of sum(f) for each input by central differences of the given step: slow, and independent of
/// every rule (the book's numerical_gradient, page 104 of the first volume). Inputs may be f32 or f64.
std::vector<Array> numerical_gradient(const TestFunction& f, const std::vector<Array>& inputs,
                                      double step = 1e-4);

}  // namespace xgrad
