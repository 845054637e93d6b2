// The recorded graph as a list, and as text for Graphviz.
#include <xgrad/core/tape/graph.hpp>

#include <fmt/format.h>

#include <unordered_map>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/node.hpp>

namespace xgrad {

std::vector<GraphNode> graph(const Variable& y) {
  expect(y.defined(), "graph: the Variable is undefined");
  std::unordered_map<const Node*, std::size_t> ids{{y.node(), 0}};
  std::vector<const Node*> nodes{y.node()};
  std::vector<GraphNode> result;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = *nodes[i];
    GraphNode entry{&node,         node.op, node.extra ? node.extra->name : "", node.shape, node.dtype,
                    node.recorded, {}};
    for (auto& link : node.links) {
      auto [known, fresh] = ids.try_emplace(link.input.get(), nodes.size());
      if (fresh) nodes.push_back(link.input.get());
      entry.inputs.push_back(known->second);
    }
    result.push_back(std::move(entry));
  }
  return result;
}

namespace {

/// Text as Graphviz takes it between quotes.
std::string escaped(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\' || c == '\n') result.push_back('\\');
    result.push_back(c == '\n' ? 'n' : c);
  }
  return result;
}

}  // namespace

std::string detail::graphviz_box(const std::string& id, const std::string& label, bool leaf) {
  return fmt::format("  {} [label=\"{}\", shape={}, style=filled, fillcolor=\"{}\"];\n", id, escaped(label),
                     leaf ? "box" : "ellipse", leaf ? "#fff2cc" : "#dae8fc");
}
std::string detail::graphviz_picture(const std::string& boxes, const std::string& arrows) {
  return "digraph xgrad {\n  rankdir=TB;\n  node [fontname=\"sans-serif\", fontsize=11];\n" + boxes + arrows +
         "}\n";
}

std::string graphviz(const Variable& y) {
  expect(y.defined(), "graphviz: the Variable is undefined");
  std::string boxes, arrows;
  std::size_t i = 0;
  for (auto& node : graph(y)) {
    for (std::size_t input : node.inputs) arrows += fmt::format("  n{} -> n{};\n", input, i);
    const bool leaf = node.inputs.empty();
    const std::string label =
        leaf || node.name.empty() ? node.name + node.op : fmt::format("{}: {}", node.name, node.op);
    boxes += detail::graphviz_box(
        fmt::format("n{}", i++),
        fmt::format("{}{}{} {}", label, label.empty() ? "" : "\n", node.shape, node.dtype), leaf);
  }
  return detail::graphviz_picture(boxes, arrows);
}

}  // namespace xgrad
