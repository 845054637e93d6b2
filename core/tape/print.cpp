// Variables as text.
#include <xgrad/core/tape/print.hpp>

#include <fmt/format.h>

#include <ostream>

#include <xgrad/core/tape/node.hpp>

namespace xgrad {
namespace {

std::vector<std::string> notes_of(const Node& node) {
  std::vector<std::string> notes;
  if (node.extra && !node.extra->name.empty()) notes.push_back("name=" + node.extra->name);
  if (*node.op)
    notes.push_back(fmt::format("op={}", node.op));
  else if (node.requires_grad)
    notes.emplace_back("requires_grad");
  return notes;
}

}  // namespace

// Reads the node's data directly: printing inside a gradient rule is not checked for writes.
std::string to_string(const Variable& x, const PrintOptions& options) {
  if (!x.defined()) return "Variable(undefined)";
  return detail::print("Variable", x.node()->data, notes_of(*x.node()), options);
}
std::ostream& operator<<(std::ostream& out, const Variable& x) { return out << to_string(x); }

}  // namespace xgrad

// For tools/debuggers.
extern "C" const char* xgrad_describe_variable(const void* variable);
extern "C" const char* xgrad_describe_variable(const void* variable) {
  using namespace xgrad;
  const Variable& x = *static_cast<const Variable*>(variable);
  if (!x.defined()) return detail::describe("Variable", {}, {});
  return detail::describe("Variable", x.node()->data, notes_of(*x.node()));
}
