// From pending values to programs: which become steps, in which registers, and where results go.
#include <xgrad/core/array/planner.hpp>

#include <algorithm>

namespace xgrad::lazy {

long next_visit() {
  static long visit = 0;
  return ++visit;
}

bool Planner::lay_out(const Roots& roots) {
  clear();
  program.dtype = roots[0]->pending.computed_in;
  program.domain = domain_of(*roots[0]);
  visit_ = next_visit();
  for (auto& root : roots)
    results_.push_back(visit(root->is_reduction() ? Value::of(root->pending.in[0]) : root.get()));
  for (auto& [leaf, use] : leaves_) {
    if (const StridedRead* read = read_in_place(*leaf, program.domain, program.dtype)) {
      const Value& source = *Value::of(read->source);
      program.leaves.push_back({source.data + read->offset * width(leaf->dtype), leaf->dtype,
                                leaf->shape.size(), Walk(program.domain, read->strides), false});
      kept_.emplace_back(Value::of(read->source));
      continue;
    }
    if (!leaf->ready()) return false;
    const long size = leaf->shape.size();
    program.leaves.push_back({leaf->data, leaf->dtype, size,
                              Walk(leaf->shape, program.domain, short_run_of_leaf),
                              size == program.domain.size()});
  }
  assign_registers();
  find_what_is_needed_later(roots);
  for (auto& step : steps_) ops.push_back(step.value->pending.op);
  for (std::size_t i = 0; i < roots.size(); ++i) {
    Value& root = *roots[i];
    char* out = output_buffer(root, results_[i]);
    outputs.push_back(out);
    if (root.is_reduction())
      reduce(root, operand(results_[i]), out);
    else
      program.stores.push_back({operand(results_[i]), out, root.dtype});
  }
  for (auto& leaf : leaves_) kept_.emplace_back(leaf.value);
  return true;
}

void Planner::run() {
  execute(program);
  for (auto& [from, to, bytes] : copies_) std::copy_n(from, bytes, to);
}

void Planner::clear() {
  program.leaves.clear();
  program.steps.clear();
  program.stores.clear();
  program.reductions.clear();
  program.registers = 0;
  outputs.clear();
  ops.clear();
  copies_.clear();
  leaves_.clear();
  steps_.clear();
  results_.clear();
  idle_.clear();
  kept_.clear();
}

/// The slot of a value: -1 - k for leaf k, else the number of its step.
int Planner::visit(Value* v) {
  auto& marks = v->marks;
  if (marks.visit != visit_) {
    marks.visit = visit_;
    if (!is_step(*v, program.domain, program.dtype)) {
      leaves_.push_back({v, {}});
      marks.slot = -int(leaves_.size());
    } else {
      Step step{v, {}, {}};
      for (int i = 0; i < v->pending.inputs; ++i) step.in[i] = visit(Value::of(v->pending.in[i]));
      steps_.push_back(step);
      marks.slot = int(steps_.size()) - 1;
    }
  }
  ++use_of(marks.slot).count;
  return marks.slot;
}

/// A linear scan over last uses: few registers keep the tiles in the first-level cache.
void Planner::assign_registers() {
  for (int s = 0; s < int(steps_.size()); ++s)
    for (int i = 0; i < steps_[s].value->pending.inputs; ++i) use_of(steps_[s].in[i]).last = s;
  for (int slot : results_)
    if (slot >= 0)
      steps_[slot].is_result = true;
    else
      use_of(slot).last = int(steps_.size());  // sums come after all steps
  for (int s = 0; s < int(steps_.size()); ++s) {
    Step& step = steps_[s];
    const auto& pending = step.value->pending;
    Program::Step out{pending.fns->of(program.dtype), 0, pending.inputs, {}};
    for (int i = 0; i < out.inputs; ++i) {
      out.in[i] = operand(step.in[i]);
      if (step.in[i] < 0) continue;
      Step& from = steps_[step.in[i]];
      if (from.use.last == s && !from.is_result) {  // its register may be written in place
        idle_.push_back(from.reg);
        from.use.last = -1;
      }
    }
    if (step.is_result || idle_.empty()) {
      step.reg = program.registers++;
    } else {
      step.reg = idle_.back();
      idle_.pop_back();
    }
    out.out = operand(s);
    program.steps.push_back(out);
  }
}

namespace {
/// Whether nothing but the program refers to a value: then it goes when the program has run.
bool is_last_use(const Value& v, int uses) { return v.refs.load(std::memory_order_acquire) == uses; }
}  // namespace

/// Where a step stays pending because somebody else refers to it, its operands are needed later.
void Planner::find_what_is_needed_later(const Roots& roots) {
  for (int s = int(steps_.size()); s-- > 0;) {
    Step& step = steps_[s];
    if (contains(roots, *step.value)) continue;
    if (!step.use.needed_later && is_last_use(*step.value, step.use.count)) continue;
    for (int i = 0; i < step.value->pending.inputs; ++i) use_of(step.in[i]).needed_later = true;
  }
}

/// Memory for a root's elements: that of a leaf which nothing else needs, and which neither a sum nor a step
/// after the root's reads, is written in place, unless either is converted.
char* Planner::output_buffer(Value& root, int slot) {
  const bool converted = root.dtype != program.dtype;
  for (std::size_t i = 0; !root.is_reduction() && !converted && i < leaves_.size(); ++i) {
    auto& [leaf, use] = leaves_[i];
    if (leaf->dtype != root.dtype) continue;
    if (use.needed_later || use.last > slot || !(leaf->shape == root.shape) || !leaf->storage) continue;
    if (!is_last_use(*leaf, use.count)) continue;
    if (leaf->storage->refs.load(std::memory_order_acquire) != 1) continue;  // a reshape's, or taken
    root.storage = leaf->storage;
    program.leaves[i].overwritten = true;
    return leaf->data;
  }
  return root.reserve();
}

/// Adds a reduction; of what is reduced in the same way already the result is copied.
void Planner::reduce(const Value& root, int operand, char* out) {
  for (auto& r : program.reductions)
    if (r.kind == root.pending.reduction && r.operand == operand) {
      copies_.push_back({r.out, out, root.shape.size() * width(root.dtype)});
      return;
    }
  ops.push_back(root.pending.op);
  const Walk walk(root.shape, program.domain, short_run_of_sum);
  program.reductions.push_back({root.pending.reduction, operand, out, walk, root.shape});
}

}  // namespace xgrad::lazy
