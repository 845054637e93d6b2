// Turns pending values into programs and runs them: which values become steps, which are leaves, which sums
// come along.
#include <algorithm>
#include <mutex>
#include <vector>

#include <xgrad/core/array/program.hpp>
#include <xgrad/core/base/profile.hpp>

namespace xgrad::lazy {
namespace {

constexpr std::size_t max_waiting = 64;  // bounds what sums that nobody reads keep alive
constexpr std::size_t max_roots = 8;
// Steps, counted as a tree: from here on storing what is read again pays.
constexpr int long_to_compute = 12;

// Neither is ever destroyed: arrays in static variables may outlive them.
std::recursive_mutex& running() {  // guards `waiting` and every evaluation
  static auto* mutex = new std::recursive_mutex;
  return *mutex;
}
std::vector<Value*>& waiting() {  // pending reductions, each of which may join a pass over its domain
  static auto* list = new std::vector<Value*>;
  return *list;
}

const Shape& domain_of(const Value& v) { return v.is_reduction ? v.in[0].shape() : v.shape; }

/// A pending value over the domain becomes a step of the program; anything else is a leaf of it.
bool is_step(const Value& v, const Shape& domain) {
  return !v.ready() && !v.is_reduction && v.shape == domain;
}

/// Starts a visit of the values below some roots. Which have been seen is noted in them, under the mutex.
long next_visit() {
  static long visit = 0;
  return ++visit;
}

void collect_leaves(Value* v, const Shape& domain, long visit, std::vector<Ref<Value>>& leaves) {
  if (v->ready() || std::exchange(v->noted, visit) == visit) return;
  if (!is_step(*v, domain)) return void(leaves.emplace_back(v));
  for (int i = 0; i < v->inputs; ++i) collect_leaves(Value::of(v->in[i]), domain, visit, leaves);
}

/// Computes what the program of `root` must find ready.
void run_leaves(Value& root) {
  std::vector<Ref<Value>> leaves;
  const Shape domain = domain_of(root);
  collect_leaves(root.is_reduction ? Value::of(root.in[0]) : &root, domain, next_visit(), leaves);
  for (auto& leaf : leaves) run(leaf.get());
}

bool needs_reduction(const Value& v) {
  if (v.ready()) return false;
  if (v.is_reduction) return true;
  return std::any_of(v.in, v.in + v.inputs, [](const Array& x) { return needs_reduction(*Value::of(x)); });
}

using Roots = std::vector<Ref<Value>>;

bool holds(const Roots& roots, const Value& v) {
  return std::any_of(roots.begin(), roots.end(), [&](auto& root) { return root.get() == &v; });
}

/// Other sums over the same domain and of the same shape, which this pass can compute while the data is at
/// hand.
void add_siblings(Roots& roots) {
  Value& first = *roots[0];
  const Shape domain = domain_of(first), *shape = first.is_reduction ? &first.shape : nullptr;
  for (Value* v : waiting()) {
    if (roots.size() >= max_roots) break;
    if (v == &first || v->ready() || v->dtype != first.dtype || !(domain_of(*v) == domain)) continue;
    if ((shape && !(v->shape == *shape)) || needs_reduction(*Value::of(v->in[0]))) continue;
    if (!v->try_retain()) continue;
    roots.push_back(Ref<Value>::adopt(v));
    shape = &v->shape;
  }
  for (std::size_t i = 1; i < roots.size(); ++i) run_leaves(*roots[i]);
  std::erase_if(roots, [](auto& root) { return root->ready(); });  // came along with a leaf of a sibling
}

/// What is summed, if it is long to compute and somebody else holds it too, is stored on the way.
void add_operands(Roots& roots) {
  for (std::size_t i = roots.size(); i-- > 0 && roots.size() < max_roots;) {
    if (!roots[i]->is_reduction) continue;
    Value& x = *Value::of(roots[i]->in[0]);
    if (is_step(x, x.shape) && !holds(roots, x) && x.steps >= long_to_compute && x.refs > 1)
      roots.emplace_back(&x);
  }
}

/// Lays out programs. There is one, whose room is used again and again.
class Planner {
 public:
  Program program;
  std::vector<char*> outputs;    // of the roots
  std::vector<const char*> ops;  // the names of what it does

  /// The program that computes the roots.
  void lay_out(const Roots& roots) {
    clear();
    program.dtype = roots[0]->dtype;
    program.domain = domain_of(*roots[0]);
    visit_ = next_visit();
    for (auto& root : roots)
      results_.push_back(visit(root->is_reduction ? Value::of(root->in[0]) : root.get()));
    for (auto& [leaf, use] : leaves_) {
      const bool dense = leaf->shape.size() == program.domain.size();
      program.leaves.push_back({leaf->data, Walk(leaf->shape, program.domain, short_run_of_leaf), dense});
    }
    assign_registers();
    find_what_stays(roots);
    for (auto& step : steps_) ops.push_back(step.value->op);
    for (std::size_t i = 0; i < roots.size(); ++i) {
      Value& root = *roots[i];
      char* out = room_for(root, results_[i]);
      outputs.push_back(out);
      if (root.is_reduction)
        reduce(root, operand(results_[i]), out);
      else
        program.stores.push_back({operand(results_[i]), out});
    }
  }
  /// Runs the program.
  void run() {
    execute(program);
    for (auto& [from, to, bytes] : copies_) std::copy_n(from, bytes, to);
  }

 private:
  struct Copy {
    const char* from;
    char* to;
    long bytes;
  };
  struct Use {
    int count = 0;       // by the program: if there are other references, somebody outside needs it
    int last = -1;       // the step that reads it last
    bool stays = false;  // a step that reads it does, pending
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
    bool kept = false;  // it is a result: it has a register of its own
  };
  Use& use_of(int place) {
    return place < 0 ? leaves_[std::size_t(-1 - place)].use : steps_[std::size_t(place)].use;
  }

  void clear() {
    program.leaves.clear(), program.steps.clear(), program.stores.clear(), program.reductions.clear();
    program.registers = 0;
    outputs.clear(), ops.clear(), copies_.clear(), leaves_.clear(), steps_.clear(), results_.clear(),
        idle_.clear();
  }

  /// The place of a value: -1 - k for leaf k, else the number of its step.
  int visit(Value* v) {
    if (v->noted != visit_) {
      v->noted = visit_;
      if (!is_step(*v, program.domain)) {
        leaves_.push_back({v, {}});
        v->place = -int(leaves_.size());
      } else {
        Step step{v, {}, {}};
        for (int i = 0; i < v->inputs; ++i) step.in[i] = visit(Value::of(v->in[i]));
        steps_.push_back(step);
        v->place = int(steps_.size()) - 1;
      }
    }
    ++use_of(v->place).count;
    return v->place;
  }

  /// Adds a reduction; of what is reduced in the same way already the result is copied.
  void reduce(const Value& root, int operand, char* out) {
    for (auto& r : program.reductions)
      if (r.kind == root.reduction && r.operand == operand)
        return void(copies_.push_back({r.out, out, root.shape.size() * width(root.dtype)}));
    ops.push_back(root.op);
    const Walk walk(root.shape, program.domain, short_run_of_sum);
    program.reductions.push_back({root.reduction, operand, out, walk, root.shape});
  }

  int operand(int place) const {
    return place < 0 ? -1 - place : int(leaves_.size()) + steps_[std::size_t(place)].reg;
  }

  /// A linear scan over last uses: few registers keep the tiles in the first-level cache.
  void assign_registers() {
    for (int s = 0; s < int(steps_.size()); ++s)
      for (int i = 0; i < steps_[s].value->inputs; ++i) use_of(steps_[s].in[i]).last = s;
    for (int place : results_)
      if (place >= 0)
        steps_[place].kept = true;
      else
        use_of(place).last = int(steps_.size());  // sums come after all steps
    for (int s = 0; s < int(steps_.size()); ++s) {
      Step& step = steps_[s];
      Program::Step out{step.value->fns->by_dtype[int(program.dtype)], 0, step.value->inputs, {}};
      for (int i = 0; i < out.inputs; ++i) {
        out.in[i] = operand(step.in[i]);
        if (step.in[i] < 0) continue;
        Step& from = steps_[step.in[i]];
        if (from.use.last == s && !from.kept) {  // its register may be written in place
          idle_.push_back(from.reg);
          from.use.last = -1;
        }
      }
      if (step.kept || idle_.empty()) {
        step.reg = program.registers++;
      } else {
        step.reg = idle_.back();
        idle_.pop_back();
      }
      out.out = operand(s);
      program.steps.push_back(out);
    }
  }

  static bool dies(const Value& v, const Use& use) {
    return !use.stays && v.refs.load(std::memory_order_acquire) == use.count;
  }
  /// What nothing but the program refers to dies with it, unless a step that reads it stays pending.
  void find_what_stays(const Roots& roots) {
    for (int s = int(steps_.size()); s-- > 0;) {
      Step& step = steps_[s];
      if (holds(roots, *step.value) || dies(*step.value, step.use)) continue;
      for (int i = 0; i < step.value->inputs; ++i) use_of(step.in[i]).stays = true;
    }
  }

  /// Room for a root's elements: that of a leaf which dies with the program and which neither a sum nor a
  /// step after the root's reads is written in place.
  char* room_for(Value& root, int step) {
    for (std::size_t i = 0; !root.is_reduction && i < leaves_.size(); ++i) {
      auto& [leaf, use] = leaves_[i];
      if (!dies(*leaf, use) || use.last > step || !(leaf->shape == root.shape) || !leaf->storage) continue;
      if (leaf->storage->refs.load(std::memory_order_acquire) != 1) continue;  // a reshape's, or taken
      root.storage = leaf->storage;
      program.leaves[i].overwritten = true;
      return leaf->data;
    }
    return root.reserve();
  }

  long visit_ = 0;
  std::vector<Copy> copies_;
  std::vector<Leaf> leaves_;
  std::vector<Step> steps_;
  std::vector<int> results_, idle_;
};
Planner& planner() {
  static auto* planner = new Planner;  // never destroyed, as above
  return *planner;
}

void fill_empty(Value& v) {  // a sum over nothing
  char* elements = v.reserve();
  std::copy_n(zeros(v.shape, v.dtype).bytes(), v.shape.size() * width(v.dtype), elements);
  v.publish(elements);
}

/// Runs the roots, which have one domain and dtype and whose leaves are ready, with the sums that can join.
void run_roots(Roots roots) {
  if (fusion()) add_siblings(roots);
  if (roots.empty()) return;  // they came along with a leaf of a sibling
  if (domain_of(*roots[0]).size() == 0) {
    for (auto& root : roots) fill_empty(*root);
  } else {
    if (fusion()) add_operands(roots);
    Planner& plan = planner();
    plan.lay_out(roots);
    const profile::Scope scope(
        [&] { return fmt::format("{} {}", fmt::join(plan.ops, " "), plan.program.domain); });
    plan.run();
    for (std::size_t i = 0; i < roots.size(); ++i) roots[i]->publish(plan.outputs[i]);
  }
  for (auto& root : roots) {
    for (Array& in : root->in) in = Array();
    root->inputs = 0;
    if (root->waits) forget(root.get());
  }
}

}  // namespace

void run(Value* value) { run(std::vector{value}); }

void run(std::vector<Value*> values) {
  std::lock_guard lock(running());
  while (!values.empty()) {
    for (Value* v : values)
      if (!v->ready()) run_leaves(*v);
    std::erase_if(values, [](Value* v) { return v->ready(); });  // some came along with a leaf
    if (values.empty()) return;
    const Value& first = *values[0];
    Roots roots;
    for (Value* v : values)
      if (v->dtype == first.dtype && !v->is_reduction && !first.is_reduction && v->shape == first.shape)
        roots.emplace_back(v);
    if (roots.empty()) roots.emplace_back(values[0]);
    run_roots(std::move(roots));
  }
}

Array source(const Array& pending) {
  std::lock_guard lock(running());
  const Value& v = *Value::of(pending);
  return v.ready() ? pending : v.in[0];
}

void await(Value* reduction) {
  std::lock_guard lock(running());
  while (waiting().size() >= max_waiting) {
    Value* oldest = waiting().front();
    if (oldest->try_retain())
      run(Ref<Value>::adopt(oldest).get());
    else
      waiting().erase(waiting().begin());  // another thread is about to free it
  }
  reduction->waits = true;
  waiting().push_back(reduction);
}

void forget(Value* reduction) {
  std::lock_guard lock(running());
  std::erase(waiting(), reduction);
  reduction->waits = false;
}

}  // namespace xgrad::lazy
