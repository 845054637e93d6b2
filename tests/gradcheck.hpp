#pragma once
// A Catch2 matcher for gradients, to second order:
//   CHECK_THAT(function([](auto& x, auto& w) { return tanh(x) * w; }), GradientsMatch({x, w}));
#include <xgrad/core/tape/gradcheck.hpp>
#include "tests/catch.hpp"

namespace xgrad::tests {

/// A function of one to four Variables as one of a vector of them.
template <class F>
TestFunction function(F f) {
  using V = const Variable&;
  if constexpr (std::is_invocable_v<F, V>)
    return [f](auto& v) { return f(v.at(0)); };
  else if constexpr (std::is_invocable_v<F, V, V>)
    return [f](auto& v) { return f(v.at(0), v.at(1)); };
  else if constexpr (std::is_invocable_v<F, V, V, V>)
    return [f](auto& v) { return f(v.at(0), v.at(1), v.at(2)); };
  else
    return [f](auto& v) { return f(v.at(0), v.at(1), v.at(2), v.at(3)); };
}

/// Matches a TestFunction whose gradients at the inputs gradcheck() finds right; else its report names the
/// worst element.
class GradientsMatch : public Catch::MatcherBase<TestFunction> {
 public:
  GradientsMatch(std::vector<Array> inputs, const GradcheckOptions& options = {})
      : inputs_(std::move(inputs)), options_(options) {}
  bool match(const TestFunction& f) const override {
    const GradcheckReport report = gradcheck(f, inputs_, options_);
    message_ = report.message;
    return report.passed;
  }
  std::string describe() const override { return "has the gradients that differences show: " + message_; }

 private:
  std::vector<Array> inputs_;
  GradcheckOptions options_;
  mutable std::string message_;
};

}  // namespace xgrad::tests
