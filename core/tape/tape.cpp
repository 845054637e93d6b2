// Recording operations, and those that the tape itself needs.
#include <xgrad/core/tape/tape.hpp>

#include <algorithm>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/scoped.hpp>
#include <xgrad/core/tape/anomaly.hpp>
#include <xgrad/core/tape/elementwise.hpp>
#include <xgrad/core/tape/layer_call.hpp>
#include <xgrad/core/tape/node.hpp>
#include <xgrad/core/tape/recompute.hpp>
#include <xgrad/core/tape/traced.hpp>

namespace xgrad {
namespace {

// Attributes of the operations here, as traces show them.
struct Target {
  Shape shape;
};
struct Conversion {
  DType dtype;
};

}  // namespace

thread_local bool is_recording = true;
NoGrad::NoGrad() : recording_(is_recording, false) {}
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
  if (anomaly::detecting())
    if (std::string layer = Named::running(); !layer.empty()) node.get_extra().layer = std::move(layer);
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
  return record("cast", x.data().cast(dtype), {{x, [](auto& gy) { return gy; }}});
}

}  // namespace xgrad
