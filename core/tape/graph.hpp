#pragma once
// The recorded graph, to be looked at.
#include <string>
#include <vector>

#include <xgrad/core/tape/variable.hpp>

namespace xgrad {

/// A node of the recorded graph.
struct GraphNode {
  const Node* node;                 ///< the Variable::node() of a handle to it
  std::string op;                   ///< what made it; "" for a leaf
  std::string name;                 ///< as set_name() gave it
  Shape shape;                      ///< of its data
  DType dtype;                      ///< of its data
  std::uint64_t recorded;           ///< later nodes have larger ones
  std::vector<std::size_t> inputs;  ///< their indices in the list; inputs without a gradient are not recorded
};

/// All nodes that y was computed by, y first; each comes once.
std::vector<GraphNode> graph(const Variable& y);

namespace detail {
/// A box with a label, any text, and a picture of boxes and arrows, for Graphviz.
std::string graphviz_box(const std::string& id, const std::string& label, bool leaf);
std::string graphviz_picture(const std::string& boxes, const std::string& arrows);
}  // namespace detail

}  // namespace xgrad
