// Traces: calls as they come, and the program that leads from some values to others.
#include <xgrad/core/tape/trace.hpp>

#include <algorithm>
#include <unordered_map>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/node.hpp>
#include <xgrad/core/tape/tape.hpp>
#include <xgrad/core/tape/traced.hpp>

namespace xgrad {
namespace {

constinit thread_local Trace* innermost_trace = nullptr;

/// x with a node of its own.
Variable same(const Variable& x) {
  return record("identity", x.data(), {{x, [](auto& gy) { return gy; }}});
}

/// Makes a program of calls.
class Builder {
 public:
  explicit Builder(const Names& names) : names_(names) {}

  void input(const Variable& x, std::string name) {
    expect(x.defined(), "trace: an input is undefined");
    program.inputs.push_back(add(x, std::move(name)));
  }
  void call(const detail::NotedCall& call) {
    Operation op{call.op, {}, call.attributes, {}, path_of(call.layers, names_), call.layer_call, call.again};
    for (const Variable& x : call.operands) op.operands.push_back(x.defined() ? operand(x) : -1);
    if (op.layer.empty()) op.layer = owner(op);
    for (const Variable& y : call.results) op.results.push_back(add(y, ""));
    program.operations.push_back(std::move(op));
  }
  void output(const Variable& y) {
    expect(y.defined(), "trace: an output is undefined");
    const int id = operand(y);
    expect(!program.values[std::size_t(id)].constant.defined(),
           "trace: an output of shape {} was not computed from operations while the trace was alive",
           y.shape());
    program.outputs.push_back(id);
  }
  /// Drops what leads to no output.
  void prune() {
    std::vector<bool> wanted(program.values.size());
    for (int id : program.outputs) wanted[std::size_t(id)] = true;
    auto is_wanted = [&](int id) { return id >= 0 && wanted[std::size_t(id)]; };
    std::vector<Operation> kept;
    for (auto op = program.operations.rbegin(); op != program.operations.rend(); ++op) {
      if (std::none_of(op->results.begin(), op->results.end(), is_wanted)) continue;
      for (int id : op->operands)
        if (id >= 0) wanted[std::size_t(id)] = true;
      kept.push_back(std::move(*op));
    }
    std::reverse(kept.begin(), kept.end());
    program.operations = std::move(kept);
    for (int id : program.inputs) wanted[std::size_t(id)] = true;
    for (auto& op : program.operations)
      for (int id : op.results) wanted[std::size_t(id)] = true;  // also those of several that nobody reads
    std::vector<int> place(program.values.size(), -1);
    std::vector<ProgramValue> values;
    for (std::size_t i = 0; i < place.size(); ++i)
      if (wanted[i]) place[i] = int(values.size()), values.push_back(std::move(program.values[i]));
    program.values = std::move(values);
    auto move = [&](std::vector<int>& ids) {
      for (int& id : ids)
        if (id >= 0) id = place[std::size_t(id)];
    };
    move(program.inputs);
    move(program.outputs);
    for (auto& op : program.operations) move(op.operands), move(op.results);
  }

  Program program;

 private:
  int add(const Variable& x, std::string name, Variable constant = {}) {
    const int id = int(program.values.size());
    program.values.push_back({std::move(name), x.shape(), x.dtype(), std::move(constant)});
    nodes_[x.node()] = id;
    arrays_.try_emplace(x.data().identity(), id);
    return id;
  }
  /// A value that is known, or else a constant. Data of a known value in another node were detached from it.
  int operand(const Variable& x) {
    if (auto node = nodes_.find(x.node()); node != nodes_.end()) return node->second;
    if (auto array = arrays_.find(x.data().identity()); array != arrays_.end()) {
      auto detach = [](std::span<const Variable> in) { return std::vector{in[0].detach()}; };
      const int id = add(x, "");
      program.operations.push_back({"detach", {array->second}, {}, {id}, "", 0, detach});
      return id;
    }
    return add(x, names_.find(x.node()), x);
  }
  /// The layer to which a parameter among the operands belongs: a user's struct opens no LayerCall.
  std::string owner(const Operation& op) const {
    std::string layer;
    for (int id : op.operands)
      if (layer.empty() && id >= 0) layer = layer_of(program.values[std::size_t(id)].name);
    return layer;
  }

  const Names& names_;
  std::unordered_map<const Node*, int> nodes_;
  std::unordered_map<const void*, int> arrays_;
};

}  // namespace

constinit thread_local bool detail::is_tracing = false;

Trace::Trace() : outer_(std::exchange(innermost_trace, this)), tracing_(detail::is_tracing, true) {}
Trace::~Trace() { innermost_trace = outer_; }

void detail::note(const NotedCall& call) {
  for (Trace* trace = innermost_trace; trace; trace = trace->outer_) trace->calls_.push_back(call);
}

void detail::note_primitive(const char* op, std::span<const Edge> edges, const Variable& result) {
  std::vector<Variable> operands;
  for (const Edge& edge : edges) operands.push_back(edge.input);
  auto again = [op](std::span<const Variable>) -> std::vector<Variable> {
    fail("{}: a program cannot call it again; begin it with `if (tracing()) return traced(\"{}\", ...)`", op,
         op);
  };
  note({op, std::move(operands), {result}, {}, LayerCall::open(), LayerCall::innermost(), again});
}

void detail::set_apart(Variable& result, const std::vector<Variable>& operands) {
  for (const Variable& x : operands)
    if (x.defined() && x.node() == result.node()) result = same(x);
}

Program Trace::program(const std::vector<Variable>& inputs, const std::vector<Variable>& outputs,
                       const Names& names) const {
  Builder builder(names);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    builder.input(inputs[i], inputs.size() == 1 ? "x" : fmt::format("x{}", i));
  for (auto& call : calls_) builder.call(call);
  for (const Variable& y : outputs) builder.output(y);
  builder.prune();
  return std::move(builder.program);
}

}  // namespace xgrad
