#pragma once
// A program: the steps of a fused chain over one domain, and how it is run tile by tile (private to
// core/lazy).
#include <vector>

#include "core/lazy.hpp"

namespace xgrad::lazy {

/// How an operand that is broadcast over the domain is walked: its own collapsed axes, so that neither the
/// runs nor the order of a sum depend on what else is in the program.
struct Walk {
  Shape dims;
  Strides strides;
  // Short runs of one element, such as a channel's over an image of 7x7, cost more than what is done with
  // them. Where they repeat along the first axis, one repetition is written out and walked instead, and sums
  // are taken element by element of it: `dims` is then {repetitions, elements}, and these are how it is
  // written.
  Shape short_dims;
  Strides short_strides;

  /// Runs below `short_run` are written out.
  Walk(const Shape& shape, const Shape& domain, long short_run);
  bool written_out() const { return short_dims.rank() > 0; }
};

// Measured: longer runs are quicker as they are.
inline constexpr long short_run_of_leaf = 64, short_run_of_sum = 32;

struct Program {
  struct Leaf {  // operands 0 ... leaves - 1
    const char* data;
    Walk walk;
    bool dense;
  };
  struct Step {  // writes operand `out`, a register
    StepFn fn;
    int out;
    int inputs;
    int in[max_inputs];
    bool past_caches = false;  // execute() decides
  };
  struct Store {  // the register is the result's own memory
    int operand;
    char* out;
  };
  struct Reduce {
    ReduceKind kind;
    int operand;
    char* out;
    Walk walk;
    Shape shape;
  };
  DType dtype;
  Shape domain;
  std::vector<Leaf> leaves;
  std::vector<Step> steps;
  std::vector<Store> stores;
  std::vector<Reduce> reductions;  // all of one shape
  int registers = 0;
};

/// Runs all steps over all tiles, once. The order of every sum is fixed by the shapes: not by threads, nor by
/// the other steps.
void execute(Program& program);

}  // namespace xgrad::lazy
