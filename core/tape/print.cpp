// Variables as text.
#include <xgrad/core/tape/print.hpp>

#include <fmt/format.h>

#include <ostream>

#include <xgrad/core/array/lazy.hpp>
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

// The node's data: printing is no use of it that a rule could get wrong.
std::string to_string(const Variable& x, const PrintOptions& options) {
  if (!x.defined()) return "Variable(undefined)";
  return detail::print("Variable", x.node()->data, notes_of(*x.node()), options);
}
std::ostream& operator<<(std::ostream& out, const Variable& x) { return out << to_string(x); }

}  // namespace xgrad

namespace {
thread_local std::string described_variable;
}

// For debuggers, as xgrad_describe_array.
extern "C" const char* xgrad_describe_variable(const void* variable);
extern "C" const char* xgrad_describe_variable(const void* variable) {
  using namespace xgrad;
  const Variable& x = *static_cast<const Variable*>(variable);
  if (!x.defined() || (x.node()->data.defined() && Value::of(x.node()->data)->ready()))
    described_variable = to_string(x, {.threshold = 100});
  else
    described_variable = fmt::format("Variable(pending, shape={}, dtype={}{}{})", x.node()->shape.str(),
                                     name(x.node()->dtype), *x.node()->op ? ", op=" : "", x.node()->op);
  return described_variable.c_str();
}
