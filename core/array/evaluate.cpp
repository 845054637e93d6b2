// Decides what is computed together, and by which thread: pending values become the roots of programs.
#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

#include <xgrad/core/array/planner.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/fork.hpp>
#include <xgrad/core/base/profile.hpp>
#include <xgrad/core/base/scoped.hpp>
#include <xgrad/core/base/threads.hpp>

namespace xgrad::lazy {
namespace {

constexpr long max_queued = 64;  // a thread's: bounds what sums that nobody reads keep alive
constexpr std::size_t max_roots = 8;
// Steps, counted as a tree: from here on storing what is read again pays.
constexpr int long_to_compute = 12;

std::atomic<bool> checking{false};

/// A reduction that may join a pass over its domain, by the thread that recorded it.
struct Queued {
  Value* value;
  const void* thread;
};
const void* this_thread() {
  static thread_local char here;
  return &here;
}

/// What threads share. It is held while programs are laid out, not while they run. Never destroyed: arrays in
/// static variables may outlive it.
struct Evaluator {
  std::mutex mutex;
  // A thread has computed, or has failed to compute, what it had claimed. A child of fork() takes another:
  // those who wait for this one are not there.
  std::condition_variable* done = new std::condition_variable;
  int process = 1;  // counted by forks: what the parent's threads have claimed, they do not compute here
  std::vector<Queued> queue;
  std::vector<std::unique_ptr<Planner>> idle;
};
Evaluator& evaluator() {
  static Evaluator* evaluator = [] {
    auto* made = new Evaluator;
    threads::keep_over_fork(made->mutex);
    return made;
  }();
  return *evaluator;
}
const int prepared = pthread_atfork((evaluator(), nullptr), nullptr, [] {
  evaluator().done = new std::condition_variable;
  ++evaluator().process;
});

thread_local bool holds_lock = false;  // where it does, the last handle of a queued value may go

class Lock {
 public:
  Lock() : lock_(evaluator().mutex), holds_(holds_lock, true) {}
  void wait() { evaluator().done->wait(lock_); }
  void lock() {
    lock_.lock();
    holds_lock = true;
  }
  void unlock() {
    holds_lock = false;
    lock_.unlock();
  }

 private:
  std::unique_lock<std::mutex> lock_;
  Scoped<bool> holds_;
};

void compute(Lock& lock, std::vector<Value*> values);

void collect_leaves(Value* v, const Shape& domain, DType dtype, long visit, std::vector<Ref<Value>>& leaves) {
  if (v->ready() || std::exchange(v->marks.visit, visit) == visit) return;
  if (!is_step(*v, domain, dtype)) {
    if (!read_in_place(*v, domain, dtype)) leaves.emplace_back(v);
    return;
  }
  for (int i = 0; i < v->pending.inputs; ++i)
    collect_leaves(Value::of(v->pending.in[i]), domain, dtype, visit, leaves);
}

/// Computes what the program of `root` must find ready.
void compute_leaves(Lock& lock, Value& root) {
  if (root.ready() || root.marks.claimed || root.pending.kind) return;
  std::vector<Ref<Value>> leaves;
  const Shape domain = domain_of(root);
  collect_leaves(root.is_reduction() ? Value::of(root.pending.in[0]) : &root, domain,
                 root.pending.computed_in, next_visit(), leaves);
  for (auto& leaf : leaves) compute(lock, {leaf.get()});
}

bool needs_leaf(const Value& v, DType dtype) {
  if (v.ready()) return false;
  if (!v.pending.fns || v.marks.claimed || v.pending.computed_in != dtype) return true;
  const auto& in = v.pending.in;
  return std::any_of(in, in + v.pending.inputs,
                     [=](const Array& x) { return needs_leaf(*Value::of(x), dtype); });
}

/// Other sums over the same domain and of the same shape, which this pass can compute while the data is at
/// hand.
void add_siblings(Lock& lock, Roots& roots) {
  Value& first = *roots[0];
  const Shape domain = domain_of(first), *shape = first.is_reduction() ? &first.shape : nullptr;
  for (auto& [v, thread] : evaluator().queue) {
    if (roots.size() >= max_roots) break;
    if (v == &first || thread != this_thread() || v->ready() || v->marks.claimed) continue;
    if (v->pending.computed_in != first.pending.computed_in || !(domain_of(*v) == domain)) continue;
    if ((shape && !(v->shape == *shape)) || needs_leaf(*Value::of(v->pending.in[0]), v->pending.computed_in))
      continue;
    if (!v->try_retain()) continue;
    roots.push_back(Ref<Value>::adopt(v));
    shape = &v->shape;
  }
  for (std::size_t i = 1; i < roots.size(); ++i) compute_leaves(lock, *roots[i]);
  // Some may have come along with a leaf of a sibling, or with what another thread has computed meanwhile.
  std::erase_if(roots, [](auto& root) { return root->ready() || root->marks.claimed; });
}

/// What is summed, if it is long to compute and somebody else holds it too, is stored on the way.
void add_operands(Roots& roots) {
  for (std::size_t i = roots.size(); i-- > 0 && roots.size() < max_roots;) {
    if (!roots[i]->is_reduction()) continue;
    Value& x = *Value::of(roots[i]->pending.in[0]);
    if (is_step(x, x.shape, roots[i]->pending.computed_in) && !contains(roots, x) &&
        x.pending.steps >= long_to_compute && x.refs > 1)
      roots.emplace_back(&x);
  }
}

void fill_empty(Value& v) {  // a sum over nothing
  char* elements = v.reserve();
  const Array zero = zeros(v.shape, v.dtype);
  std::copy_n(zero.bytes(), v.shape.size() * width(v.dtype), elements);
  v.publish(elements);
}

void dequeue(Value* reduction) {
  std::erase_if(evaluator().queue, [=](auto& queued) { return queued.value == reduction; });
  reduction->marks.queued = false;
}

/// A value that has been computed no longer refers to its operands.
void let_go(Value& v) {
  for (Array& in : v.pending.in) in = Array();
  v.pending.inputs = 0;
  v.pending.deferred.reset();
  if (v.marks.queued) dequeue(&v);
}

std::unique_ptr<Planner> take_planner() {
  auto& idle = evaluator().idle;
  if (idle.empty()) return std::make_unique<Planner>();
  auto planner = std::move(idle.back());
  idle.pop_back();
  return planner;
}

/// While one is alive, its thread computes the roots without the lock, and other threads find them claimed.
class Claim {
 public:
  Claim(Lock& lock, const Roots& roots) : lock_(lock), roots_(roots) {
    for (auto& root : roots_) root->marks.claimed = evaluator().process;
    lock_.unlock();
  }
  ~Claim() {
    lock_.lock();
    for (auto& root : roots_) root->marks.claimed = 0;
    evaluator().done->notify_all();
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

 private:
  Lock& lock_;
  const Roots& roots_;
};

void run_program(Lock& lock, Planner& planner, const Roots& roots) {
  const Claim claim(lock, roots);
  if (checking) expect_consistent(planner.program);
  const profile::Scope scope(
      [&] { return fmt::format("{} {}", fmt::join(planner.ops, " "), planner.program.domain); });
  planner.run();
  for (std::size_t i = 0; i < roots.size(); ++i) roots[i]->publish(planner.outputs[i]);
}

void run_deferred(Lock& lock, const Roots& root) {
  Value& v = *root[0];
  {
    const Claim claim(lock, root);
    char* elements = v.reserve();
    v.pending.deferred->write(elements);
    v.publish(elements);
  }
  let_go(v);
}

/// Computes the roots, which have one domain and dtype and were found with their leaves ready, with the sums
/// that can join. Another thread may have come first, so that some are not ready afterwards.
void compute_roots(Lock& lock, Roots roots) {
  if (fusion()) add_siblings(lock, roots);
  if (roots.empty()) return;
  if (domain_of(*roots[0]).size() == 0) {
    for (auto& root : roots) {
      fill_empty(*root);
      let_go(*root);
    }
  } else {
    if (fusion()) add_operands(roots);
    auto planner = take_planner();
    if (planner->lay_out(roots)) run_program(lock, *planner, roots);
    planner->clear();
    for (auto& root : roots)
      if (root->ready()) let_go(*root);
    evaluator().idle.push_back(std::move(planner));
  }
}

/// Returns when all are ready.
void compute(Lock& lock, std::vector<Value*> values) {
  for (;;) {
    for (Value* v : values) compute_leaves(lock, *v);
    std::erase_if(values, [](Value* v) { return v->ready(); });
    if (values.empty()) return;
    Value& first = *values[0];
    if (first.marks.claimed) {
      expect(first.marks.claimed == evaluator().process,
             "array: another thread was computing it when this process was forked");
      lock.wait();
      continue;
    }
    Roots roots{Ref<Value>(&first)};
    if (first.pending.kind) {
      run_deferred(lock, roots);
      continue;
    }
    for (Value* v : values)
      if (first.pending.fns && is_step(*v, first.shape, first.pending.computed_in) && !contains(roots, *v))
        roots.emplace_back(v);
    compute_roots(lock, std::move(roots));
  }
}

}  // namespace

void run(Value* value) { run(std::vector{value}); }

void run(std::vector<Value*> values) {
  Lock lock;
  compute(lock, std::move(values));
}

Array source(const Array& pending) {
  Lock lock;
  const Value& v = *Value::of(pending);
  return v.ready() ? pending : v.pending.in[0];
}

void enqueue(Value* reduction) {
  Lock lock;
  auto& queue = evaluator().queue;
  auto is_ours = [](auto& queued) { return queued.thread == this_thread(); };
  while (std::count_if(queue.begin(), queue.end(), is_ours) >= max_queued) {
    const auto oldest = std::find_if(queue.begin(), queue.end(), is_ours);
    if (!oldest->value->try_retain()) {
      queue.erase(oldest);  // another thread is about to free it
      continue;
    }
    const auto value = Ref<Value>::adopt(oldest->value);
    compute(lock, {value.get()});
    dequeue(value.get());  // whoever has computed it may not have come to that yet
  }
  reduction->marks.queued = true;
  queue.push_back({reduction, this_thread()});
}

void forget(Value* reduction) {
  if (holds_lock) return dequeue(reduction);
  Lock lock;
  dequeue(reduction);
}

bool add_scattered(Array& sum, const Array& more) {
  if (!is_scattered(more)) return false;
  char* elements = sum.mutable_bytes();
  Lock lock;
  Value& v = *Value::of(more);
  if (v.ready() || v.marks.claimed) return false;
  const Roots root{Ref<Value>(&v)};
  const Claim claim(lock, root);
  static_cast<const Scatter&>(*v.pending.deferred).add_to(elements);
  return true;
}

void set_checking(bool on) { checking = on; }

}  // namespace xgrad::lazy
