// Recording, and the pass from a result back to its inputs.
#include "core/tape.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/anomaly.hpp"
#include "core/elementwise.hpp"
#include "core/error.hpp"
#include "core/node.hpp"

namespace xgrad {
namespace {

thread_local bool is_recording = true;

/// Sets a value for a scope, also when a rule throws.
template <class T>
class Scoped {
 public:
  Scoped(T& place, T value) : place_(place), saved_(std::exchange(place, value)) {}
  ~Scoped() { place_ = saved_; }

 private:
  T& place_;
  T saved_;
};

/// The gradient in the shape and dtype of the input: broadcasting is undone here, once for all operations.
Variable conform(const char* op, Variable gx, const Node& input) {
  expect(gx.defined(), "{}: a rule returned no gradient", op);
  if (gx.dtype() != input.dtype) gx = cast(gx, input.dtype);
  if (gx.shape() == input.shape) return gx;
  expect(broadcasts_to(input.shape, gx.shape()),
         "{}: the rule for an input of shape {} returned a gradient of shape {}", op, input.shape,
         gx.shape());
  return sum_to(gx, input.shape);
}

/// One pass from y back to its inputs, deepest first: then a node's gradient is complete when its turn comes.
/// A leaf's is complete with its last contribution, and does not wait for its turn. Gradients are in a local
/// map and go as soon as they are used.
class BackwardPass {
 public:
  explicit BackwardPass(const Variable& y) : y_(y) { count(); }
  /// Where only what leads to some nodes is to receive a gradient.
  BackwardPass(const Variable& y, const std::vector<Variable>& xs) : y_(y) {
    std::unordered_set<const Node*> wanted;
    for (auto& x : xs) wanted.insert(x.node());
    std::vector<Node*> nodes = count();
    std::sort(nodes.begin(), nodes.end(), [](Node* a, Node* b) { return a->depth < b->depth; });
    for (Node* node : nodes)
      for (auto& link : node->links)
        if (wanted.contains(link.input.get()))
          wanted.insert(node);
        else
          --slots_[link.input.get()].missing;
    slots_[y.node()].missing = wanted.contains(y.node());
  }

  /// Calls visit(node, gradient) for each node once its gradient is complete, after the node's hooks.
  template <class F>
  void run(Variable gy, F visit) {
    if (slots_[y_.node()].missing > 0) receive(y_.node(), std::move(gy));
    while (!todo_.empty()) {
      std::pop_heap(todo_.begin(), todo_.end(), shallower);
      Node* node = todo_.back();
      todo_.pop_back();
      if (node->links.empty()) continue;  // a leaf, which did not wait
      step(*node, finish(node, visit));
      for (Node* leaf : complete_) finish(leaf, visit);
      complete_.clear();
    }
    for (Node* leaf : complete_) finish(leaf, visit);
  }

 private:
  struct Slot {
    Variable gradient;
    long missing = 0;  // contributions
  };

  static bool shallower(Node* a, Node* b) { return a->depth < b->depth; }

  /// Counts the contributions that each node is going to receive; returns all that lead to y.
  std::vector<Node*> count() {
    std::vector<Node*> nodes{y_.node()};
    slots_[y_.node()].missing = 1;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      for (auto& link : nodes[i]->links)
        if (++slots_[link.input.get()].missing == 1) nodes.push_back(link.input.get());
    return nodes;
  }

  void receive(Node* node, Variable g) {
    Slot& slot = slots_[node];
    if (slot.gradient.defined()) {
      const Variable sum = add_gradients(slot.gradient, g);
      if (anomaly::detecting())
        anomaly::check("the sum of gradients", sum.data(), {{slot.gradient.data(), g.data()}});
      slot.gradient = sum;
    } else {
      slot.gradient = std::move(g);
      todo_.emplace_back(node);
      std::push_heap(todo_.begin(), todo_.end(), shallower);
    }
    if (--slot.missing == 0 && node->links.empty()) complete_.emplace_back(node);
  }

  template <class F>
  Variable finish(Node* node, F& visit) {
    Variable g = std::exchange(slots_[node].gradient, {});
    if (node->extra)
      for (auto& hook : node->extra->hooks)
        if (Variable replaced = hook(g); replaced.defined()) {
          if (anomaly::detecting()) anomaly::check("a hook", replaced.data(), {{g.data()}});
          g = conform("hook", std::move(replaced), *node);
        }
    visit(node, g);
    return g;
  }

  void step(Node& node, const Variable& gy) {
    const RunningRule rule{node.op, node.recorded};
    Scoped<const RunningRule*> running(running_rule, &rule);
    const Variable y = node.keeps_data ? Node::variable(&node) : Variable();
    for (auto& link : node.links) {
      if (slots_[link.input.get()].missing == 0) continue;
      Variable gx = conform(node.op, link.rule(gy, y), *link.input);
      if (anomaly::detecting())
        anomaly::check(fmt::format("{}: its gradient rule", node.op), gx.data(), {{gy.data()}},
                       node.non_finite);
      receive(link.input.get(), std::move(gx));
    }
  }

  const Variable y_;  // keeps all nodes alive
  std::unordered_map<Node*, Slot> slots_;
  std::vector<Node*> todo_;      // a heap of what has received something
  std::vector<Node*> complete_;  // leaves, whose hooks run when the rules of a node have
};

Variable initial_gradient(const char* caller, const Variable& y, const Variable& given) {
  expect(y.defined() && y.requires_grad(), "{}: the result depends on nothing that requires a gradient",
         caller);
  if (!given.defined()) return Variable(ones(y.shape(), y.dtype()));
  expect(given.shape() == y.shape(), "{}: grad_output has shape {}, the result {}", caller, given.shape(),
         y.shape());
  return given.dtype() == y.dtype() ? given : cast(given, y.dtype());
}

}  // namespace

NoGrad::NoGrad() : saved_(std::exchange(is_recording, false)) {}
NoGrad::~NoGrad() { is_recording = saved_; }
bool recording() { return is_recording; }

Variable record(const char* op, Array y, std::span<Edge> edges) {
  int non_finite = 0;
  if (anomaly::detecting() && !running_rule) {
    std::vector<Array> inputs;
    for (auto& edge : edges)
      if (edge.input.defined()) inputs.push_back(edge.input.data());
    non_finite = anomaly::check(op, y, inputs);
  }
  Variable result(std::move(y));
  auto live = [](const Edge& e) { return e.rule && e.input.requires_grad(); };
  const long count = is_recording ? std::count_if(edges.begin(), edges.end(), live) : 0;
  if (count == 0) return result;
  Node& node = *result.node();
  expect(is_floating(node.dtype), "{}: a result of {} cannot have a gradient", op, node.dtype);
  node.op = op;
  node.requires_grad = true;
  node.non_finite = static_cast<unsigned char>(non_finite);
  node.links.reserve(std::size_t(count));
  for (Edge& edge : edges) {
    if (!live(edge)) continue;
    node.depth = std::max(node.depth, edge.input.node()->depth + 1);
    node.keeps_data |= edge.rule.wants_result();
    node.links.push_back({Ref<Node>(edge.input.node()), std::move(edge.rule)});
  }
  return result;
}

std::vector<Variable> grad(const Variable& y, const std::vector<Variable>& xs, const GradOptions& options) {
  Variable gy = initial_gradient("grad", y, options.grad_output);
  Scoped<bool> scope(is_recording, options.create_graph);
  std::unordered_map<const Node*, Variable> found;
  for (auto& x : xs) {
    expect(x.defined(), "grad: an input is undefined");
    found[x.node()];
  }
  BackwardPass(y, xs).run(std::move(gy), [&](Node* node, const Variable& g) {
    if (auto it = found.find(node); it != found.end()) it->second = g;
  });
  std::vector<Variable> results;
  for (auto& x : xs) {
    Variable& g = found[x.node()];
    if (!g.defined()) g = Variable(zeros(x.shape(), x.dtype()));
    results.push_back(g);
  }
  return results;
}

void Variable::backward() const {
  Variable gy = initial_gradient("backward", *this, {});
  Scoped<bool> scope(is_recording, false);
  std::vector<std::pair<Ref<Node>, Variable>>
      leaves;  // stored at the end: an error in a rule leaves nothing half done
  BackwardPass(*this).run(std::move(gy), [&](Node* node, const Variable& g) {
    if (node->links.empty()) leaves.emplace_back(node, g);
  });
  for (auto& [leaf, g] : leaves)
    if (leaf->grad.defined()) g = add_gradients(Variable(leaf->grad), g);
  for (auto& [leaf, g] : leaves) leaf->grad = std::exchange(g, {}).data();
  try {
    for (auto& [leaf, g] : leaves) leaf->grad.bytes();  // a gradient that waits would keep activations alive
  } catch (...) {  // all have been added: what could not be computed for want of memory waits
  }
}

Variable add_gradients(const Variable& a, const Variable& b) {
  auto pass = [](auto& gy) { return gy; };
  return elementwise("add", [](auto x, auto y) { return x + y; }, {{a, pass}, {b, pass}});
}
Variable sum_to(const Variable& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  expect(broadcasts_to(shape, x.shape()), "sum_to: {} cannot be summed to {}", x.shape(), shape);
  return record("sum_to", lazy::reduce_to(ReduceKind::sum, x.data(), shape),
                {{x, [from = x.shape()](auto& gy) { return broadcast_to(gy, from); }}});
}
Variable broadcast_to(const Variable& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return record("broadcast_to", lazy::broadcast_to("broadcast_to", x.data(), shape),
                {{x, [from = x.shape()](auto& gy) { return sum_to(gy, from); }}});
}
Variable cast(const Variable& x, DType dtype) {
  if (x.dtype() == dtype && !x.data().is_number()) return x;
  expect(is_floating(dtype) || !x.requires_grad(),
         "cast: a Variable that requires a gradient cannot become {}", dtype);
  return record("cast", x.data().cast(dtype), {{x, [from = x.dtype()](auto& gy) { return cast(gy, from); }}});
}

}  // namespace xgrad
