#pragma once
// Computing again in the backward pass what would be kept for it.
#include <functional>
#include <tuple>
#include <utility>

#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/scoped.hpp>
#include <xgrad/core/tape/variable.hpp>

namespace xgrad {

namespace detail {

/// What the result of a function depends on beside its arguments: where this thread's default generator
/// stands, and whether layers are trained.
class Surroundings {
 public:
  Surroundings();
  /// While one is alive, they are as they were.
  class [[nodiscard]] Again {
   public:
    explicit Again(const Surroundings& then);

   private:
    Scoped<ThreadGenerator> generator_;
    Scoped<bool> training_, recomputing_;
  };

 private:
  ThreadGenerator generator_;
  bool training_;
};

Variable checkpoint(std::function<Variable()> f);

/// How many calls of functional_call are open on this thread: what stands in the place of parameters is gone
/// when a function is run again.
extern thread_local int substitutions;

}  // namespace detail

/// f(inputs...), of whose parts nothing is kept for backward(): it runs f again when their gradients are
/// wanted
/// ("gradient checkpointing", Chen et al., 2016). Memory for a third more time: a network of n layers in
/// sqrt(n) pieces needs about 2 sqrt(n) of them at a time. Gradients of any order are those of f itself, also
/// with respect to Parameters and other Variables that f refers to, which must live as long as the result.
/// Dropout draws the same mask again, from the thread's default generator; batch normalisation takes a batch
/// into its running statistics once. f is copied. Throws Error, when backward() runs, if a Variable that f
/// reads has been written to since, or if f gives a result of another shape.
template <class F, class... Inputs>
Variable checkpoint(F f, const Inputs&... inputs) {
  return detail::checkpoint([f = std::move(f), kept = std::tuple(Variable(inputs)...)] {
    return std::apply([&](const auto&... x) { return f(x...); }, kept);
  });
}

/// Whether this thread runs a function of checkpoint() again: what a layer counts or averages on the side has
/// been counted before.
bool recomputing();

}  // namespace xgrad
