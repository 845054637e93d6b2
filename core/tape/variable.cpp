// Variables and the lives of their nodes.
#include <xgrad/core/tape/variable.hpp>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/node.hpp>
#include <xgrad/core/tape/tape.hpp>

namespace xgrad {
namespace {

std::atomic<long> node_count{0};
std::atomic<std::uint64_t> last_time{0};
std::uint64_t next_time() { return last_time.fetch_add(1, std::memory_order_relaxed) + 1; }

Node& checked(Node* node) {
  expect(node != nullptr, "variable: it is undefined");
  return *node;
}

}  // namespace

thread_local const RunningRule* running_rule = nullptr;
std::uint64_t latest_time() { return last_time.load(std::memory_order_relaxed); }

long live_nodes() { return node_count.load(); }

Node::Node(Array array) : dtype(array.dtype()), data(std::move(array)), shape(data.shape()) {
  recorded = next_time();
  node_count.fetch_add(1, std::memory_order_relaxed);
}
Node::~Node() { node_count.fetch_sub(1, std::memory_order_relaxed); }

void Node::add_handle() {
  if (handles.fetch_add(1, std::memory_order_relaxed) == 0) retain();
}
void Node::drop_handle() {
  if (handles.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (!keeps_data && refs.load(std::memory_order_acquire) > 1) data = Array();
  release();
}

// A chain may be 200,000 nodes long: nodes are freed in a loop, not by recursion.
void Node::release() {
  if (refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  static thread_local Doomed<Node> doomed;
  doomed.free(this);
}

Node::Extra& Node::get_extra() {
  if (!extra) extra = std::make_unique<Extra>();
  return *extra;
}

Variable::Variable(Node* node) noexcept : node_(node) {
  if (node_) node_->add_handle();
}
// A new node is born with one reference, which becomes that of its handles.
Variable::Variable(Array data) : node_(new Node(std::move(data))) { node_->handles = 1; }
Variable::Variable(double value) : Variable(number(value)) {}
Variable::Variable(Array data, RequiresGrad) : Variable(std::move(data)) { set_requires_grad(true); }
Variable::Variable(double value, RequiresGrad) : Variable(number(value), xgrad::requires_grad) {}
Variable::Variable(const Variable& other) noexcept : Variable(other.node_) {}
Variable::~Variable() {
  if (node_) node_->drop_handle();
}

const Array& Variable::data() const& {
  Node& node = checked(node_);
  // What the rule itself made, after its operation was recorded, it may also write.
  if (running_rule && node.written > running_rule->recorded && node.recorded <= running_rule->recorded)
      [[unlikely]]
    fail(
        "{}: a Variable of shape {} that its gradient needs was written to after {} used it. Where a result "
        "of an earlier training step is used again, such as the state of a recurrent network, detach it: "
        "h = h.detach(). Else call backward() before writing, or write to a copy",
        running_rule->op, node.shape, running_rule->op);
  return node.data;
}
Array& Variable::mutable_data() & {
  Node& node = checked(node_);
  node.written = next_time();
  return node.data;
}
void Variable::set_data(Array data) {
  Node& node = checked(node_);
  expect(data.shape() == node.shape && data.dtype() == node.dtype,
         "set_data: {} of {} cannot replace {} of {}", data.shape(), data.dtype(), node.shape, node.dtype);
  if (node.data.is_number() && !data.is_number()) {  // it stays one
    if (Value::of(data)->refs > 1) data = data.copy();
    Value::of(data)->is_number = true;
  }
  mutable_data() = std::move(data);
}
const Shape& Variable::shape() const& { return checked(node_).shape; }
DType Variable::dtype() const { return checked(node_).dtype; }
bool Variable::requires_grad() const { return checked(node_).requires_grad; }
void Variable::set_requires_grad(bool wanted) {
  Node& node = checked(node_);
  expect(node.links.empty(), "set_requires_grad: this Variable is the result of {}; only leaves can be set",
         node.op);
  expect(!wanted || is_f32_or_f64(node.dtype), "requires_grad: {} cannot have a gradient; use f32 or f64",
         node.dtype);
  node.requires_grad = wanted;
}
const Array& Variable::grad() const& { return checked(node_).grad; }
Array& Variable::mutable_grad() & { return checked(node_).grad; }
void Variable::clear_grad() { checked(node_).grad = Array(); }
void Variable::register_hook(std::function<Variable(const Variable&)> f) {
  expect(requires_grad(), "register_hook: this Variable does not require a gradient");
  checked(node_).get_extra().hooks.push_back(std::move(f));
}
void Variable::adopt() noexcept {
  if (node_) node_->is_parameter = true;
}
bool Variable::orphaned() const { return checked(node_).orphaned; }
void Variable::orphan() noexcept {
  if (node_) node_->orphaned = true;
}
const char* Variable::op() const { return checked(node_).op; }
Variable& Variable::set_name(std::string name) {
  checked(node_).get_extra().name = std::move(name);
  return *this;
}

bool detail::written_in_place(const Variable& a) {
  const Node& node = checked(a.node());
  return node.is_parameter || (node.requires_grad && node.links.empty());
}
void detail::check_in_place(const char* op, const Variable& leaf, const Variable& value) {
  const Node& node = checked(leaf.node());
  expect(!recording() || !(node.requires_grad || value.requires_grad()),
         "{}: {} of shape {} is written in place, which cannot be recorded; put the update under NoGrad, "
         "`{{ NoGrad off; w {} ...; }}`, or give the result to a new Variable",
         op, node.is_parameter ? "a parameter" : "a leaf that requires a gradient", node.shape, op);
}
void detail::write_in_place(const char* op, Variable& leaf, const Variable& value) {
  check_in_place(op, leaf, value);
  NoGrad off;
  const Shape shape = leaf.shape();
  expect(broadcasts_to(value.shape(), shape), "{}: the result has shape {}, which cannot be written into {}",
         op, value.shape(), shape);
  leaf.set_data(broadcast_to(cast(value, leaf.dtype()), shape).data());
  evaluate(leaf.data());  // a value that waits would keep its operands alive
}

}  // namespace xgrad
