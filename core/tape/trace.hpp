#pragma once
// What a thread computes: each public operation as it was called.
#include <vector>

#include <xgrad/core/base/scoped.hpp>
#include <xgrad/core/tape/layer_call.hpp>
#include <xgrad/core/tape/operations.hpp>

namespace xgrad {

namespace detail {
struct NotedCall;
void note(const NotedCall& call);
}  // namespace detail

/// While one is alive, the public operations that this thread calls are noted, each once, as it was called;
/// those within an operation, and within gradient rules, are not. Their operands and results stay alive as
/// long as it does. Traces may be nested.
///   Trace trace;
///   const Variable y = net(x);
///   const Program program = trace.program({x}, {y}, names_of(net));
class [[nodiscard]] Trace {
 public:
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// The operations that lead from the inputs to the outputs; what else they read are constants of the
  /// program. What an operation is called without (data computed on Arrays outside xgrad's operations,
  /// numbers read by item()) is a constant too. Throws Error when an output was not computed while this was
  /// alive.
  Program program(const std::vector<Variable>& inputs, const std::vector<Variable>& outputs,
                  const Names& names = {}) const;

 private:
  friend void detail::note(const detail::NotedCall& call);
  std::vector<detail::NotedCall> calls_;
  Trace* outer_;
  Scoped<bool> tracing_;
};

}  // namespace xgrad
