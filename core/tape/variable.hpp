#pragma once
// A Variable is a handle to a node of the graph: data, and the edges it was computed from.
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include <xgrad/core/array/array.hpp>
#include <xgrad/core/base/scoped.hpp>

namespace xgrad {

struct Node;  // core/tape/node.hpp

/// Says that gradients with respect to a new Variable will be asked for: `Variable x(2.0, requires_grad);`.
struct RequiresGrad {};
/// Its value, as calls write it.
inline constexpr RequiresGrad requires_grad{};

/// An array whose history is known. Copies are handles to the same node. The graph lives as long as its last
/// handle. (Book 3, steps 1 to 9; there the history is kept by Function objects, here by the node itself.)
class Variable {
 public:
  /// None: defined() is false, and asking for its data, shape or gradient is an Error.
  Variable() noexcept = default;
  /// A constant: no gradient is computed for it.
  Variable(Array data);
  /// A constant number, which takes the dtype of what it is combined with.
  Variable(double number);
  /// A leaf, with respect to which gradients are wanted. Throws Error for integers.
  Variable(Array data, RequiresGrad);
  /// The same for a number.
  Variable(double number, RequiresGrad);

  ///@{
  /// Copies are handles to the same node; what was moved from holds none.
  Variable(const Variable& other) noexcept;
  Variable(Variable&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Variable& operator=(Variable other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ///@}
  ~Variable();

  /// Whether it is a Variable at all.
  bool defined() const { return node_ != nullptr; }
  ///@{
  /// The data; of a temporary Variable, which may be its last handle, an Array of its own. Throws Error in a
  /// rule for what was written to after the rule's operation was recorded.
  const Array& data() const&;
  Array data() const&& { return data(); }
  ///@}
  /// The data for writing. A rule that needs what was there before then raises an error instead of using it.
  Array& mutable_data() &;
  /// Replaces the data by an array of the same shape and dtype; throws Error for another. Otherwise as
  /// mutable_data().
  void set_data(Array data);
  ///@{
  /// The lengths of the axes.
  const Shape& shape() const&;
  Shape shape() const&& { return shape(); }
  ///@}
  /// The type of the elements.
  DType dtype() const;
  /// The number of axes.
  int rank() const { return shape().rank(); }
  /// The number of elements.
  long size() const { return shape().size(); }
  /// The length of one axis; negative axes count from the last.
  long dim(int axis) const { return data().dim(axis); }
  /// The only element as a double, or the one at a place, one index for each axis: x.item(), x.item(0, -1).
  /// Throws Error as Array::item.
  template <std::integral... Index>
  double item(Index... index) const {
    return data().item(index...);
  }
  /// The elements in row-major order, as Array::to_vector.
  template <class T>
  std::vector<T> to_vector() const {
    return data().template to_vector<T>();
  }

  /// Whether it is a leaf with respect to which gradients are wanted, or was computed from one and recorded.
  bool requires_grad() const;
  /// Freezes a leaf (false) or lets it learn again. Throws Error for the result of an operation.
  void set_requires_grad(bool wanted);
  ///@{
  /// What backward() has added up here; an undefined Array when there is nothing.
  const Array& grad() const&;
  Array grad() const&& { return grad(); }
  ///@}
  /// The same for writing, as clip_grad_norm does.
  Array& mutable_grad() &;
  /// Forgets the gradient.
  void clear_grad();
  /// Calls f with this Variable's gradient as soon as it is complete (a leaf's does not wait for the rest of
  /// the pass); what f returns takes its place, unless it is undefined.
  void register_hook(std::function<Variable(const Variable& grad)> f);
  /// Adds the gradients of sum(*this) to .grad() of every leaf that requires one. Never records itself: for
  /// higher orders call grad(). Threads may call it at once, also where their graphs end in the same leaves:
  /// no gradient is lost, but the order in which theirs are added is not fixed, and roundings depend on it.
  /// Throws Error when nothing here requires a gradient.
  void backward() const&;
  /// The same for a loss that is given away, `std::move(loss).backward()`: its graph is freed while the pass
  /// walks back, where nobody else holds a part of it. A handle to the logits, also a temporary one of the
  /// same expression, keeps what they were computed from.
  void backward() &&;

  /// The same data without the history.
  Variable detach() const { return Variable(data()); }
  /// The operation that made this Variable; "" for a leaf or a constant.
  const char* op() const;
  /// A name for pictures and messages; returns *this.
  Variable& set_name(std::string name);

  /// What all handles to a Variable have in common, as GraphNode::node names it; for comparisons only.
  Node* node() const { return node_; }
  /// Whether it belonged to a Parameter that has been destroyed or given other data since: what is left are
  /// handles, and training them changes no model.
  bool orphaned() const;

 protected:
  /// Marks the data as a Parameter's, which compound assignments write into.
  void adopt() noexcept;
  /// Tells all handles that the Parameter they belong to releases them.
  void orphan() noexcept;

 private:
  friend struct Node;
  explicit Variable(Node* node) noexcept;
  Node* node_ = nullptr;
};

/// Writes the elements and what is to be noted, as core/tape/print.hpp says.
std::ostream& operator<<(std::ostream& out, const Variable& x);

/// Several Variables: a std::vector whose elements outlive it where it is a temporary, so that
/// `const auto& du = grad(u, {x})[0];` and loops over what that is made of refer to something.
class Variables : public std::vector<Variable> {
 public:
  using vector::vector;
  /// The same elements.
  Variables(std::vector<Variable> xs) : vector(std::move(xs)) {}
  ///@{
  /// The element at a place, which is not checked.
  Variable& operator[](std::size_t i) & { return vector::operator[](i); }
  const Variable& operator[](std::size_t i) const& { return vector::operator[](i); }
  Variable operator[](std::size_t i) const&& { return vector::operator[](i); }
  ///@}
};

namespace detail {
/// Whether `a += b` writes into the data that all handles share, instead of making `a` a handle to the sum:
/// where `a` is a Parameter, or a leaf that requires a gradient.
bool written_in_place(const Variable& a);
/// Writes a value into such a leaf, repeated to its shape and converted to its dtype. Throws Error that names
/// `op` when that does not fit, and while operations are recorded unless neither of them requires a gradient.
void write_in_place(const char* op, Variable& leaf, const Variable& value);
/// Throws Error that names `op` as write_in_place does while operations are recorded.
void check_in_place(const char* op, const Variable& leaf, const Variable& value);
}  // namespace detail

/// What grad() begins with, whether it is recorded, and what it accepts.
struct GradOptions {
  bool create_graph =
      false;  ///< record the gradients' own computation, so that they can be differentiated again
  Variable grad_output = {};     ///< the gradient of y, of its shape; ones when not given
  bool allow_constants = false;  ///< zeros for an x that requires no gradient, instead of an Error
};
/// The gradients of sum(y) with respect to each x, in their order and of their shapes; zeros where y does not
/// depend on x. Nothing is stored. Throws Error when y requires no gradient, and for an x that requires none,
/// to which nothing can lead back: most likely `requires_grad` was forgotten where it was made.
Variables grad(const Variable& y, const std::vector<Variable>& xs, const GradOptions& options = {});

/// While one is alive, operations on this thread are not recorded: `NoGrad off;`.
class [[nodiscard]] NoGrad {
 public:
  NoGrad();

 private:
  Scoped<bool> recording_;
};
/// Whether operations on this thread are recorded.
bool recording();

/// How many nodes there are in the process: what a leak would show in.
long live_nodes();

/// The graph that y was computed by, as text for Graphviz: `dot -Tsvg`.
std::string graphviz(const Variable& y);

}  // namespace xgrad
