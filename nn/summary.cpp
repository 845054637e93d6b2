// Tables and pictures of models, from the recorded graph.
#include "nn/summary.hpp"

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "core/graph.hpp"

namespace xgrad {
namespace {

/// Multiplications of a convolution or a matrix product; 0 for other operations.
double multiply_adds(const GraphNode& node, const std::vector<GraphNode>& nodes) {
  if (node.inputs.size() < 2) return 0;
  const Shape &a = nodes[node.inputs[0]].shape, &b = nodes[node.inputs[1]].shape;
  if (node.op == "matmul") {  // (m, k) (k, n), either of them perhaps transposed
    const double n = double(std::max(1l, node.shape.rank() ? node.shape[node.shape.rank() - 1] : 1));
    return double(a.size()) * n;
  }
  if (node.op == "conv2d") return double(node.shape.size()) * double(b.size()) / double(std::max(1l, b[0]));
  if (node.op == "conv2d_input") return double(a.size()) * double(b.size()) / double(std::max(1l, b[0]));
  return 0;
}

std::string layer_of(const std::string& parameter) {
  const auto dot = parameter.rfind('.');
  return dot == parameter.npos ? parameter : parameter.substr(0, dot);
}

/// 37748736 -> "37.75 M".
std::string short_number(double n) {
  if (n < 1e3) return fmt::format("{}", n);
  if (n < 1e6) return fmt::format("{:.2f} k", n / 1e3);
  if (n < 1e9) return fmt::format("{:.2f} M", n / 1e6);
  return fmt::format("{:.2f} G", n / 1e9);
}

}  // namespace

Summary detail::summarize(const Variable& input, const Variable& output, const Parameters& parameters) {
  std::map<const Node*, const NamedParameter*> known;
  for (auto& p : parameters) known[p.value.node()] = &p;
  const auto nodes = graph(output);
  std::vector<const GraphNode*> order;
  for (auto& node : nodes)
    if (!node.inputs.empty()) order.push_back(&node);
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->recorded < b->recorded; });

  Summary result{input.shape(), {}, 0, 0};
  std::map<const Node*, bool> counted;
  for (const GraphNode* node : order) {
    // A parameter may pass through a reshape on its way: such a node belongs to the operation behind it.
    const bool of_data = std::any_of(node->inputs.begin(), node->inputs.end(),
                                     [&](std::size_t i) { return !known.count(nodes[i].node); });
    long fresh = 0;
    std::string layer;
    for (std::size_t i : node->inputs)
      if (auto p = known.find(nodes[i].node); p != known.end()) {
        layer = layer_of(p->second->name);
        if (!std::exchange(counted[p->first], true)) fresh += p->second->value.size();
      }
    if (result.layers.empty() || (!layer.empty() && layer != result.layers.back().name))
      result.layers.push_back({layer, "", node->shape, 0, 0});
    LayerSummary& row = result.layers.back();
    row.parameters += fresh;
    row.multiply_adds += multiply_adds(*node, nodes);
    if (!of_data) continue;
    row.shape = node->shape;
    if ((" " + row.operations + " ").find(" " + node->op + " ") == std::string::npos)
      row.operations += (row.operations.empty() ? "" : " ") + node->op;
  }
  for (auto& row : result.layers)
    result.parameters += row.parameters, result.multiply_adds += row.multiply_adds;
  return result;
}

std::string Summary::text() const {
  std::size_t wide = 5;
  for (auto& l : layers) wide = std::max(wide, l.name.size());
  auto line = [=](const std::string& name, const std::string& shape, const std::string& parameters,
                  const std::string& work, const std::string& operations) {
    return fmt::format("{:{}}  {:20} {:>12} {:>14}  {}\n", name, wide, shape, parameters, work, operations);
  };
  std::string text = line("layer", "data behind it", "parameters", "multiply-adds", "operations");
  text += line("input", fmt::format("{}", input), "", "", "");
  for (auto& l : layers)
    text += line(l.name, fmt::format("{}", l.shape), l.parameters ? fmt::format("{}", l.parameters) : "",
                 l.multiply_adds > 0 ? short_number(l.multiply_adds) : "", l.operations);
  return text + line("total", "", fmt::format("{}", parameters), short_number(multiply_adds), "");
}

Drawing write_graph(const Variable& y, const Parameters& parameters, const std::string& svg) {
  for (auto& p : parameters) Variable(p.value).set_name(p.name);
  return draw({"dot", "-Tsvg"}, graphviz(y), svg);
}

}  // namespace xgrad
