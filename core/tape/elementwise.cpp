// What elementwise operations have in common once the lambda is a step.
#include <xgrad/core/tape/elementwise.hpp>

namespace xgrad {

Variable detail::elementwise(const char* op, const StepFns& fns, std::span<Edge> edges) {
  Array in[max_inputs];
  for (std::size_t i = 0; i < edges.size(); ++i)
    if (edges[i].input.defined()) in[i] = edges[i].input.data();
  return record(op, lazy::map(op, fns, in, int(edges.size())), edges);
}

}  // namespace xgrad
