#pragma once
// The node behind a Variable (private to core).
#include <atomic>
#include <cstdint>
#include <memory>

#include <xgrad/core/base/counted.hpp>
#include <xgrad/core/tape/rule.hpp>

namespace xgrad {

/// Handles (Variables) keep a node and its data; edges keep the node alone, so that the data of an activation
/// goes as soon as neither the program nor a rule can ask for it.
struct Node {
  struct Link {
    Ref<Node> input;
    Rule rule;
  };
  struct Extra {  // what few nodes have
    std::string name;
    std::string layer;  // in which the operation was called, where anomalies were looked for
    std::vector<std::function<Variable(const Variable&)>> hooks;
    std::function<std::vector<Variable>(const Variable& gy, const Variable& y)> joint;  // for all links
  };

  std::atomic<int> handles{0};
  std::atomic<int> refs{1};  // edges, and one for all handles together
  bool requires_grad = false;
  bool keeps_data = false;       // a rule asks for the result
  unsigned char non_finite = 0;  // how bad the data and the inputs were, where anomalies were looked for
  bool is_parameter = false;     // compound assignments write into it
  bool orphaned = false;         // the Parameter that it belonged to is gone
  DType dtype;
  const char* op = "";
  long depth = 0;                           // 1 + that of the deepest input: a topological order
  std::uint64_t recorded = 0, written = 0;  // times on a clock that ticks with every new node and every write
  Array data;
  Shape shape;
  Array grad;
  std::vector<Link> links;
  Node* next_doomed = nullptr;
  std::unique_ptr<Extra> extra;

  explicit Node(Array data);
  ~Node();
  void retain() { refs.fetch_add(1, std::memory_order_relaxed); }
  void release();
  void add_handle();
  void drop_handle();
  Extra& get_extra();

  static Variable variable(Node* node) { return Variable(node); }
};

/// Whether operations on this thread are recorded.
extern thread_local bool is_recording;

/// The rule that is running on this thread: reading what was written since its operation was recorded is an
/// error.
struct RunningRule {
  const char* op;
  std::uint64_t recorded;
};
extern thread_local const RunningRule* running_rule;

/// The time of the last node or write.
std::uint64_t latest_time();

}  // namespace xgrad
