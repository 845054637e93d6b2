// Recording, and the pass from a result back to its inputs.
#include <xgrad/core/tape/tape.hpp>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/scoped.hpp>
#include <xgrad/core/tape/anomaly.hpp>
#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/core/tape/node.hpp>
#include <xgrad/core/tape/recompute.hpp>
#include <xgrad/core/tape/trace.hpp>

namespace xgrad {
namespace {

thread_local bool is_recording = true;

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
  /// Nodes recorded up to `frontier` are taken for leaves, and their hooks do not run.
  explicit BackwardPass(const Variable& y, std::uint64_t frontier = 0) : y_(y), frontier_(frontier) {
    count();
  }
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
      if (is_leaf(node)) continue;  // which did not wait
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

  bool is_leaf(const Node* node) const { return node->links.empty() || node->recorded <= frontier_; }
  static bool shallower(Node* a, Node* b) { return a->depth < b->depth; }

  /// Counts the contributions that each node is going to receive; returns all that lead to y.
  std::vector<Node*> count() {
    std::vector<Node*> nodes{y_.node()};
    slots_[y_.node()].missing = 1;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (is_leaf(nodes[i])) continue;
      for (auto& link : nodes[i]->links)
        if (++slots_[link.input.get()].missing == 1) nodes.push_back(link.input.get());
    }
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
    if (--slot.missing == 0 && is_leaf(node)) complete_.emplace_back(node);
  }

  template <class F>
  Variable finish(Node* node, F& visit) {
    Variable g = std::exchange(slots_[node].gradient, {});
    if (node->extra && node->recorded > frontier_)
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
    std::vector<Variable> all;
    if (node.extra && node.extra->joint) all = node.extra->joint(gy, y);
    for (std::size_t i = 0; i < node.links.size(); ++i) {
      const Node::Link& link = node.links[i];
      if (slots_[link.input.get()].missing == 0) continue;
      Variable gx = conform(node.op, link.rule ? link.rule(gy, y) : std::move(all[i]), *link.input);
      if (anomaly::detecting())
        anomaly::check(fmt::format("{}: its gradient rule", node.op), gx.data(), {{gy.data()}},
                       node.non_finite);
      receive(link.input.get(), std::move(gx));
    }
  }

  const detail::Untraced untraced_;
  const Variable y_;  // keeps all nodes alive
  const std::uint64_t frontier_ = 0;
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

// Attributes of the operations here, as traces show them.
struct Target {
  Shape shape;
};
struct Conversion {
  DType dtype;
};
struct Recording {
  bool create_graph;
};

/// grad() of y, the inputs and the first gradient, in this order.
std::vector<Variable> traced_grad(const Variable& y, const std::vector<Variable>& xs,
                                  const GradOptions& options) {
  std::vector<Variable> operands{y};
  operands.insert(operands.end(), xs.begin(), xs.end());
  operands.push_back(options.grad_output);
  auto f = [](const std::vector<Variable>& in, const Recording& o) {
    return grad(in.front(), {in.begin() + 1, in.end() - 1}, {o.create_graph, in.back()});
  };
  return traced("grad", f, Recording{options.create_graph}, operands);
}

}  // namespace

NoGrad::NoGrad() : saved_(std::exchange(is_recording, false)) {}
NoGrad::~NoGrad() { is_recording = saved_; }
bool recording() { return is_recording; }

namespace {

/// The result with links to the inputs that want a gradient and for which there is a rule.
template <class Live>
Variable linked(const char* op, Array y, std::span<Edge> edges, Live live) {
  int non_finite = 0;
  if (anomaly::detecting() && !running_rule) {
    std::vector<Array> inputs;
    for (auto& edge : edges)
      if (edge.input.defined()) inputs.push_back(edge.input.data());
    non_finite = anomaly::check(op, y, inputs);
  }
  Variable result(std::move(y));
  if (tracing()) detail::note_primitive(op, edges, result);
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
    node.keeps_data |= edge.rule && edge.rule.wants_result();
    node.links.push_back({Ref<Node>(edge.input.node()), std::move(edge.rule)});
  }
  return result;
}

}  // namespace

Variable record(const char* op, Array y, std::span<Edge> edges) {
  return linked(op, std::move(y), edges, [](const Edge& e) { return e.rule && e.input.requires_grad(); });
}

Variable record(const char* op, Array y, std::span<Edge> edges, JointRule joint) {
  auto live = [](const Edge& e) { return e.input.requires_grad(); };
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    expect(!edges[i].rule, "{}: an input has a rule of its own beside the joint one", op);
    if (live(edges[i])) wanted.push_back(i);
  }
  Variable result = linked(op, std::move(y), edges, live);
  if (!result.requires_grad()) return result;
  Node& node = *result.node();
  node.keeps_data = joint.wants_result;
  node.get_extra().joint = [op, wanted, count = edges.size(), all = std::move(joint.function)](
                               const Variable& gy, const Variable& y) {
    std::vector<Variable> gradients = all(gy, y), of_links;
    expect(gradients.size() == count, "{}: the joint rule returned {} gradients for {} inputs", op,
           gradients.size(), count);
    for (std::size_t i : wanted) of_links.push_back(std::move(gradients[i]));
    return of_links;
  };
  return result;
}

std::vector<Variable> grad(const Variable& y, const std::vector<Variable>& xs, const GradOptions& options) {
  if (tracing()) return traced_grad(y, xs, options);
  const bool wanted =
      std::any_of(xs.begin(), xs.end(), [](auto& x) { return x.defined() && x.requires_grad(); });
  if (y.defined() && !y.requires_grad() && wanted) {  // as the gradient of something linear is
    std::vector<Variable> none;
    for (auto& x : xs) none.push_back(Variable(zeros(x.shape(), x.dtype())));
    return none;
  }
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

Variable detail::checkpoint(std::function<Variable()> f) {
  if (!is_recording || tracing()) return f();  // a trace keeps everything
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
    BackwardPass(result, frontier).run(gy, [&](Node* node, const Variable& g) {
      if (node->recorded <= frontier) gradients[node] = g;
    });
    std::vector<Variable> all;
    for (Node* input : inputs) all.push_back(gradients[input]);
    return all;
  };
  Array data = y.data();
  data.bytes();  // a value that waits would keep what it is computed from
  y = Variable();
  return record("checkpoint", std::move(data), edges, JointRule(std::move(rule)));
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
  if (tracing()) return traced("add_gradients", add_gradients, a, b);
  auto pass = [](auto& gy) { return gy; };
  return elementwise("add", [](auto x, auto y) { return x + y; }, {{a, pass}, {b, pass}});
}
Variable sum_to(const Variable& x, const Shape& shape) {
  if (tracing()) return traced("sum_to", sum_to, Target{shape}, x);
  if (x.shape() == shape) return x;
  expect(broadcasts_to(shape, x.shape()), "sum_to: {} cannot be summed to {}", x.shape(), shape);
  return record("sum_to", lazy::reduce_to(ReduceKind::sum, x.data(), shape),
                {{x, [from = x.shape()](auto& gy) { return broadcast_to(gy, from); }}});
}
Variable broadcast_to(const Variable& x, const Shape& shape) {
  if (tracing()) return traced("broadcast_to", broadcast_to, Target{shape}, x);
  if (x.shape() == shape) return x;
  return record("broadcast_to", lazy::broadcast_to("broadcast_to", x.data(), shape),
                {{x, [from = x.shape()](auto& gy) { return sum_to(gy, from); }}});
}
Variable cast(const Variable& x, DType dtype) {
  if (tracing()) return traced("cast", cast, Conversion{dtype}, x);
  if (x.dtype() == dtype && !x.data().is_number()) return x;
  expect(is_floating(dtype) || !x.requires_grad(),
         "cast: a Variable that requires a gradient cannot become {}", dtype);
  return record("cast", x.data().cast(dtype), {{x, [from = x.dtype()](auto& gy) { return cast(gy, from); }}});
}

}  // namespace xgrad
