#pragma once
// A program: the steps of a fused chain over one domain, and how it is run tile by tile (private to
// core/array).
#include <vector>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/array/walk.hpp>

namespace xgrad::lazy {

struct Program {
  struct Leaf {  // operands 0 ... leaves - 1
    const char* data;
    DType dtype;  // where it is not the program's, elements are converted as they are read
    long size;
    Walk walk;
    bool dense;
    bool overwritten = false;  // by a store
  };
  struct Step {  // writes operand `out`, a register
    StepFn fn;
    int out;
    int inputs;
    int in[max_inputs];
    bool non_temporal = false;  // execute() decides
  };
  struct Store {  // the operand's register is the result's own memory
    int operand;
    char* out;
    DType dtype;  // unless it is not the program's: elements are converted from the register then
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
  std::vector<char> scratch;  // for tiles: kept from run to run
};

/// Runs all steps over all tiles, once. The order of every sum is fixed by the shapes: not by threads, nor by
/// the other steps.
void execute(Program& program);
/// Throws Error that tells which of its invariants a program breaks.
void expect_consistent(const Program& program);

}  // namespace xgrad::lazy
