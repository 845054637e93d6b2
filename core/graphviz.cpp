// The recorded graph as text for Graphviz.
#include <fmt/format.h>

#include <unordered_map>

#include "core/error.hpp"
#include "core/node.hpp"

namespace xgrad {

static std::string escaped(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\' || c == '\n') result.push_back('\\');
    result.push_back(c == '\n' ? 'n' : c);
  }
  return result;
}

std::string graphviz(const Variable& y) {
  expect(y.defined(), "graphviz: the Variable holds nothing");
  std::unordered_map<const Node*, std::size_t> ids{{y.node(), 0}};
  std::vector<const Node*> nodes{y.node()};
  std::string arrows;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (auto& link : nodes[i]->links) {
      auto [known, fresh] = ids.try_emplace(link.input.get(), nodes.size());
      if (fresh) nodes.push_back(link.input.get());
      arrows += fmt::format("  n{} -> n{};\n", known->second, i);
    }
  std::string text = "digraph xgrad {\n  rankdir=TB;\n  node [fontname=\"sans-serif\", fontsize=11];\n";
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = *nodes[i];
    const bool leaf = node.links.empty();
    const std::string name = node.extra ? node.extra->name : "";
    const std::string label =
        escaped(leaf || name.empty() ? name + node.op : fmt::format("{}: {}", name, node.op));
    text += fmt::format("  n{} [label=\"{}{}{} {}\", shape={}, style=filled, fillcolor=\"{}\"];\n", i, label,
                        label.empty() ? "" : "\\n", node.shape, node.dtype, leaf ? "box" : "ellipse",
                        leaf ? "#fff2cc" : "#dae8fc");
  }
  return text + arrows + "}\n";
}

}  // namespace xgrad
