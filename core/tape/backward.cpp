// The pass from a result back to its inputs, and what is made of it.
#include <algorithm>
#include <deque>
#include <mutex>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/fork.hpp>
#include <xgrad/core/base/scoped.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/core/tape/anomaly.hpp>
#include <xgrad/core/tape/node.hpp>
#include <xgrad/core/tape/recompute.hpp>
#include <xgrad/core/tape/tape.hpp>
#include <xgrad/core/tape/traced.hpp>

namespace xgrad {
namespace {

/// The gradient in the input's shape and in what its dtype is computed in: broadcasting and promotion are
/// undone here, once for all operations.
Variable conform(const char* op, Variable gx, const Node& input) {
  expect(gx.defined(), "{}: a rule returned no gradient", op);
  if (const DType dtype = arithmetic(input.dtype); gx.dtype() != dtype) gx = cast(gx, dtype);
  if (gx.shape() == input.shape) return gx;
  expect(broadcasts_to(input.shape, gx.shape()),
         "{}: the rule for an input of shape {} returned a gradient of shape {}", op, input.shape,
         gx.shape());
  return sum_to(gx, input.shape);
}

/// One pass from y back to its inputs, deepest first: then a node's gradient is complete when its turn comes.
/// A leaf's is complete with its last contribution, and does not wait for its turn. Gradients are in
/// the pass alone and go as soon as they are used. So do nodes that nothing but the pass refers to, with what
/// their rules keep, where y is given away: the last handle to the graph.
class BackwardPass {
 public:
  /// Nodes recorded up to `frontier` are taken for leaves, and their hooks do not run.
  explicit BackwardPass(Variable y, std::uint64_t frontier = 0) : y_(std::move(y)), frontier_(frontier) {
    count();
  }
  /// Where only what leads to some nodes is to receive a gradient.
  BackwardPass(const Variable& y, const std::vector<Variable>& xs) : y_(y) {
    count();
    std::unordered_set<const Node*> wanted;
    for (auto& x : xs) wanted.insert(x.node());
    std::vector<Slot*> slots;
    for (Slot& slot : slots_) slots.push_back(&slot);
    std::sort(slots.begin(), slots.end(), shallower);
    for (Slot* slot : slots)
      for (Slot* input : inputs(*slot))
        if (wanted.contains(input->node))
          wanted.insert(slot->node);
        else
          --input->missing;
    slots_.front().missing = wanted.contains(y.node());
  }

  /// Calls visit(node, gradient) for each node once its gradient is complete, after the node's hooks.
  template <class F>
  void run(Variable gy, F visit) {
    Slot& root = slots_.front();
    root.owner = Ref<Node>(root.node);
    y_ = Variable();
    if (root.missing > 0) receive(root, std::move(gy));
    while (!todo_.empty()) {
      std::pop_heap(todo_.begin(), todo_.end(), shallower);
      Slot& slot = *todo_.back();
      todo_.pop_back();
      if (is_leaf(slot.node)) continue;  // which did not wait
      const Variable g = finish(slot, visit);
      step(slot, g);
      for (Slot* leaf : complete_) finish(*leaf, visit);
      complete_.clear();
    }
    for (Slot* leaf : complete_) finish(*leaf, visit);
  }

 private:
  struct Slot {
    explicit Slot(Node* of) : node(of) {}
    Node* node;
    Variable gradient;
    long missing = 0;             // contributions
    std::size_t first_input = 0;  // in inputs_, one for each of the node's links
    Ref<Node> owner;              // empty while links keep the node
  };

  bool is_leaf(const Node* node) const { return node->links.empty() || node->recorded <= frontier_; }
  std::span<Slot* const> inputs(const Slot& slot) const {
    return {inputs_.data() + slot.first_input, is_leaf(slot.node) ? 0 : slot.node->links.size()};
  }
  static bool shallower(Slot* a, Slot* b) { return a->node->depth < b->node->depth; }

  /// Counts the contributions that each node is going to receive.
  void count() {
    std::unordered_map<Node*, Slot*> found;
    auto slot_of = [&](Node* node) {
      if (node->refs == 1) return &slots_.emplace_back(node);  // no other link leads to it
      Slot*& slot = found[node];
      if (!slot) slot = &slots_.emplace_back(node);
      return slot;
    };
    slot_of(y_.node())->missing = 1;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      Node* node = slots_[i].node;
      slots_[i].first_input = inputs_.size();
      if (is_leaf(node)) continue;
      for (auto& link : node->links) {
        Slot* input = slot_of(link.input.get());
        ++input->missing;
        inputs_.push_back(input);
      }
    }
  }

  /// What is scattered is added in place, and its zeros are never written: the gradient of a sequence that
  /// was taken apart would otherwise be as long for each step.
  static Variable sum(Variable a, Variable b) {
    const bool in_place = !is_recording && !anomaly::detecting();
    if (in_place && lazy::is_scattered(a.data()) && !lazy::is_scattered(b.data())) std::swap(a, b);
    if (in_place && lazy::is_scattered(b.data())) {
      Array result = a.data();
      a = Variable();
      const bool numbers = result.is_number() && b.data().is_number();
      if (lazy::add_scattered(result, b.data())) {
        Value::of(result)->is_number = numbers;
        return Variable(std::move(result));
      }
      a = Variable(std::move(result));
    }
    const Variable result = add_gradients(a, b);
    if (anomaly::detecting()) anomaly::check("the sum of gradients", result.data(), {{a.data(), b.data()}});
    return result;
  }

  void receive(Slot& slot, Variable g) {
    if (slot.gradient.defined()) {
      slot.gradient = sum(std::move(slot.gradient), std::move(g));
    } else {
      slot.gradient = std::move(g);
      todo_.push_back(&slot);
      std::push_heap(todo_.begin(), todo_.end(), shallower);
    }
    if (--slot.missing == 0 && is_leaf(slot.node)) complete_.push_back(&slot);
  }

  template <class F>
  Variable finish(Slot& slot, F& visit) {
    Node* node = slot.node;
    Variable g = std::exchange(slot.gradient, {});
    if (node->extra && node->recorded > frontier_)
      for (auto& hook : std::vector(node->extra->hooks))  // which may register others
        if (Variable replaced = hook(g); replaced.defined()) {
          if (anomaly::detecting()) anomaly::check("a hook", replaced.data(), {{g.data()}});
          g = conform("hook", std::move(replaced), *node);
        }
    visit(node, g);
    return g;
  }

  void step(Slot& slot, const Variable& gy) {
    Node& node = *slot.node;
    const Ref<Node> owner = std::move(slot.owner);
    const RunningRule rule{node.op, node.recorded};
    Scoped<const RunningRule*> running(running_rule, &rule);
    const bool ours = owner && node.handles == 0 && node.refs == 1;
    std::vector<Node::Link> taken;
    if (ours) taken.swap(node.links);
    auto& links = ours ? taken : node.links;
    const Variable y = node.keeps_data ? Node::variable(&node) : Variable();
    std::vector<Variable> all;
    if (node.extra && node.extra->joint) all = node.extra->joint(gy, y);
    for (std::size_t i = 0; i < links.size(); ++i) {
      Node::Link& link = links[i];
      Slot& input = *inputs_[slot.first_input + i];
      if (input.missing == 0) continue;
      Variable gx = conform(node.op, link.rule ? link.rule(gy, y) : std::move(all[i]), *link.input);
      if (anomaly::detecting())
        anomaly::check(fmt::format("{}{}: its gradient rule", in_layer(node), node.op), gx.data(),
                       {{gy.data()}}, node.non_finite);
      receive(input, std::move(gx));
      if (ours && !input.owner) input.owner = std::move(link.input);
    }
  }

  static std::string in_layer(const Node& node) {
    return node.extra && !node.extra->layer.empty() ? node.extra->layer + ": " : "";
  }

  const detail::Untraced untraced_;
  Variable y_;  // keeps all nodes alive
  const std::uint64_t frontier_ = 0;
  std::deque<Slot> slots_;  // y's first
  std::vector<Slot*> inputs_;
  std::vector<Slot*> todo_;      // a heap of what has received something
  std::vector<Slot*> complete_;  // leaves, whose hooks run when the rules of a node have
};

Variable initial_gradient(const char* caller, const Variable& y, const Variable& given) {
  expect(y.defined() && y.requires_grad(), "{}: the result depends on nothing that requires a gradient",
         caller);
  if (!given.defined()) return Variable(ones(y.shape(), arithmetic(y.dtype())));
  expect(given.shape() == y.shape(), "{}: grad_output has shape {}, the result {}", caller, given.shape(),
         y.shape());
  return cast(given, arithmetic(y.dtype()));
}

struct Recording {
  bool create_graph, allow_constants;
};

/// grad() of y, the inputs and the first gradient, in this order.
Variables traced_grad(const Variable& y, const std::vector<Variable>& xs, const GradOptions& options) {
  std::vector<Variable> operands{y};
  operands.insert(operands.end(), xs.begin(), xs.end());
  operands.push_back(options.grad_output);
  auto f = [](const std::vector<Variable>& in, const Recording& o) {
    return grad(in.front(), {in.begin() + 1, in.end() - 1}, {o.create_graph, in.back(), o.allow_constants});
  };
  return traced("grad", f, Recording{options.create_graph, options.allow_constants}, operands);
}

void check_wanted(const std::vector<Variable>& xs, bool allow_constants) {
  for (std::size_t i = 0; i < xs.size(); ++i) {
    expect(xs[i].defined(), "grad: input {} is undefined", i);
    expect(allow_constants || xs[i].requires_grad(),
           "grad: input {} of shape {} does not require a gradient, so nothing leads back to it; make it by "
           "Variable(data, requires_grad) before y is computed from it, or ask for zeros by "
           "{{.allow_constants = true}}",
           i, xs[i].shape());
  }
}

/// Leaves are shared by threads: one at a time adds to their gradients.
std::mutex& adding() {
  static std::mutex* mutex = [] {
    auto* made = new std::mutex;
    threads::keep_over_fork(*made);
    return made;
  }();
  return *mutex;
}

}  // namespace

Variables grad(const Variable& y, const std::vector<Variable>& xs, const GradOptions& options) {
  if (tracing()) return traced_grad(y, xs, options);
  check_wanted(xs, options.allow_constants);
  const bool wanted =
      std::any_of(xs.begin(), xs.end(), [](auto& x) { return x.defined() && x.requires_grad(); });
  if (y.defined() && !y.requires_grad() && wanted) {  // as the gradient of something linear is
    Variables none;
    for (auto& x : xs) none.push_back(Variable(zeros(x.shape(), arithmetic(x.dtype()))));
    return none;
  }
  Variable gy = initial_gradient("grad", y, options.grad_output);
  Scoped<bool> scope(is_recording, options.create_graph);
  std::unordered_map<const Node*, Variable> found;
  for (auto& x : xs) found[x.node()];
  BackwardPass(y, xs).run(std::move(gy), [&](Node* node, const Variable& g) {
    if (auto it = found.find(node); it != found.end()) it->second = g;
  });
  Variables results;
  for (auto& x : xs) {
    Variable& g = found[x.node()];
    if (!g.defined()) g = Variable(zeros(x.shape(), arithmetic(x.dtype())));
    results.push_back(g);
  }
  return results;
}

Variable detail::checkpoint(std::function<Variable()> f) {
  if (!is_recording || tracing()) return f();  // a trace keeps everything
  expect(substitutions == 0,
         "checkpoint: within functional_call the second run would meet the model's own parameters; call the "
         "function without checkpoint there");
  const std::uint64_t start = latest_time();
  const Surroundings surroundings;
  Variable y = f();
  if (!y.requires_grad() || y.node()->recorded <= start) return y;
  std::vector<Node*> nodes{y.node()}, inputs;
  std::unordered_set<Node*> met{y.node()};
  std::vector<Edge> edges;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (auto& link : nodes[i]->links) {
      Node* input = link.input.get();
      if (!met.insert(input).second) continue;
      if (input->recorded > start) {
        nodes.push_back(input);
      } else {
        inputs.push_back(input);
        edges.push_back(Node::variable(input));
      }
    }
  auto rule = [=, shape = y.shape()](const Variable& gy) {
    const Surroundings::Again again(surroundings);
    const std::uint64_t frontier = latest_time();
    Variable result;
    {
      Scoped<bool> scope(is_recording, true);
      result = f();
    }
    expect(result.shape() == shape && result.requires_grad(),
           "checkpoint: the function gave a result of shape {} at first and {} when it was run again", shape,
           result.shape());
    std::unordered_map<Node*, Variable> gradients;
    BackwardPass(std::move(result), frontier).run(gy, [&](Node* node, const Variable& g) {
      if (node->recorded <= frontier) gradients[node] = g;
    });
    std::vector<Variable> all;
    for (Node* input : inputs) all.push_back(gradients[input]);
    return all;
  };
  Array data = y.data();
  evaluate(data);  // a value that waits would keep what it is computed from
  y = Variable();
  return record("checkpoint", std::move(data), edges, JointRule(std::move(rule)));
}

void Variable::backward() const& { Variable(*this).backward(); }
void Variable::backward() && {
  Variable gy = initial_gradient("backward", *this, {});
  Scoped<bool> scope(is_recording, false);
  std::vector<std::pair<Ref<Node>, Variable>>
      leaves;  // stored at the end: an error in a rule leaves nothing half done
  BackwardPass(std::move(*this)).run(std::move(gy), [&](Node* node, const Variable& g) {
    if (node->links.empty()) leaves.emplace_back(node, g);
  });
  {
    const std::lock_guard lock(adding());
    for (auto& [leaf, g] : leaves)
      if (leaf->grad.defined()) g = add_gradients(Variable(leaf->grad), g);
    for (auto& [leaf, g] : leaves) leaf->grad = g.data();
  }
  try {
    for (auto& [leaf, g] : leaves) evaluate(g.data());  // a gradient that waits would keep activations alive
  } catch (...) {  // all have been added: what could not be computed for want of memory waits
  }
}

}  // namespace xgrad
