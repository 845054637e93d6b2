#pragma once
// Lays out the program that computes some pending values (private to core/array).
#include <vector>

#include <xgrad/core/array/program.hpp>

namespace xgrad::lazy {

/// Values that one program computes: all over one domain and in one dtype.
using Roots = std::vector<Ref<Value>>;

/// What the program of a pending step or reduction goes over: the elements that a reduction reads, or its
/// own.
inline const Shape& domain_of(const Value& v) { return v.is_reduction() ? v.pending.in[0].shape() : v.shape; }
/// Whether a value becomes a step of a program over `domain` in `dtype`; anything else is a leaf of it.
inline bool is_step(const Value& v, const Shape& domain, DType dtype) {
  return !v.ready() && v.pending.fns && !v.marks.claimed && v.shape == domain &&
         v.pending.computed_in == dtype;
}
/// The strided read by which a program over `domain` in `dtype` can read a pending value in place, or null.
inline const StridedRead* read_in_place(const Value& v, const Shape& domain, DType dtype) {
  const bool is_read =
      !v.ready() && v.pending.kind == Value::Pending::read && v.shape == domain && v.dtype == dtype;
  return is_read ? static_cast<const StridedRead*>(v.pending.deferred.get()) : nullptr;
}
inline bool contains(const Roots& roots, const Value& v) {
  for (auto& root : roots)
    if (root.get() == &v) return true;
  return false;
}
/// Starts a visit of the values below some roots: those that have been seen are marked with its number.
long next_visit();

/// Everything here but run() happens under the lock of core/array/evaluate.cpp. Its memory is used again for
/// the next program.
class Planner {
 public:
  Program program;
  std::vector<char*> outputs;    // of the roots
  std::vector<const char*> ops;  // the names of what it does

  /// Lays out the program that computes the roots. Returns false where a leaf is not ready.
  bool lay_out(const Roots& roots);
  /// Runs the program, whose leaves are kept meanwhile.
  void run();
  /// Gives up the leaves.
  void clear();

 private:
  struct Copy {
    const char* from;
    char* to;
    long bytes;
  };
  struct Use {
    int count = 0;              // by the program: if there are other references, somebody outside needs it
    int last = -1;              // the step that reads it last
    bool needed_later = false;  // by a step that reads it and stays pending
  };
  struct Leaf {
    Value* value;
    Use use;
  };
  struct Step {
    Value* value;
    int in[max_inputs];
    Use use;
    int reg = -1;
    bool is_result = false;  // it has a register of its own
  };

  Use& use_of(int slot) {
    return slot < 0 ? leaves_[std::size_t(-1 - slot)].use : steps_[std::size_t(slot)].use;
  }
  int operand(int slot) const {
    return slot < 0 ? -1 - slot : int(leaves_.size()) + steps_[std::size_t(slot)].reg;
  }
  int visit(Value* v);
  void assign_registers();
  void find_what_is_needed_later(const Roots& roots);
  char* output_buffer(Value& root, int slot);
  void reduce(const Value& root, int operand, char* out);

  long visit_ = 0;
  std::vector<Copy> copies_;
  std::vector<Leaf> leaves_;
  std::vector<Step> steps_;
  std::vector<int> results_, idle_;
  std::vector<Ref<Value>> kept_;
};

}  // namespace xgrad::lazy
