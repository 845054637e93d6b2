#pragma once
// Elementwise work is recorded as small programs and run when somebody needs the data: one pass over memory a
// chain. The tape knows nothing of it. docs/architecture.md explains how it works.
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include <xgrad/core/array/array.hpp>
#include <xgrad/core/base/counted.hpp>

namespace xgrad {

/// One operand of a step: stride 1 walks the elements, stride 0 repeats one pack (64 bytes) of equal ones.
struct Arg {
  const void* data;
  std::ptrdiff_t stride;
};
/// Computes n elements, a multiple of 64 bytes, of `out` from the operands; the data is aligned to 64 bytes.
using StepFn = void (*)(void* out, const Arg* in, long n, bool non_temporal);
/// A step for each dtype of arithmetic; null where the operation does not exist.
struct StepFns {
  StepFn f32, f64, i64;
  bool is_predicate = false;  // its results are 0 and 1, stored as bool

  /// Throws Error for a dtype that is none of arithmetic.
  StepFn of(DType dtype) const {
    if (dtype == DType::f32) return f32;
    if (dtype == DType::f64) return f64;
    if (dtype == DType::i64) return i64;
    detail::not_computed_in(dtype);
  }
};

enum class ReduceKind : unsigned char { sum, max, min };

/// How a kernel makes an array whose elements are needed: often they are not, all of them or as an array.
struct Deferred {
  virtual ~Deferred() = default;
  /// Writes all elements.
  virtual void write(char* out) const = 0;
};
/// Of an array that is 0 but for a part of it, such as the gradient of what a slice was taken from: added to
/// another array without those zeros.
struct Scatter : Deferred {
  /// Adds the elements of the part to an array of the same shape.
  virtual void add_to(char* sum) const = 0;
};
/// Of an array that has elements of another, such as a slice: programs read them where they are.
struct StridedRead : Deferred {
  Array source;     // has been computed
  long offset;      // of the first element, in elements as the strides
  Strides strides;  // along the axes of the result
};

inline constexpr int max_inputs = 4;

/// The storage of an array's elements, shared by its reshapes.
struct Storage {
  std::atomic<int> refs{1};
  std::size_t bytes;
  char* data;

  static Ref<Storage> allocate(std::size_t bytes);
  void retain() { refs.fetch_add(1, std::memory_order_relaxed); }
  void release();
};

/// What an Array points to: elements, or the step, the reduction or the kernel that will make them.
struct Value {
  /// How the elements will be made. What it refers to goes, under the evaluator's lock, once they are there.
  struct Pending {
    const StepFns* fns = nullptr;  // of a step
    enum : unsigned char {
      none,
      scatter,
      read
    } kind = none;  // of `deferred`, which goes with what it refers to
    std::unique_ptr<const Deferred> deferred;
    ReduceKind reduction = ReduceKind::sum;
    DType computed_in = DType::f32;  // by a step or a reduction, which round to the value's dtype
    unsigned char inputs = 0;
    int steps = 0;             // of the program, counted as a tree: an upper bound
    int depth = 0;             // pending values below, reductions included
    const char* op = nullptr;  // for profiles
    Array in[max_inputs];
  };
  /// The evaluator's bookkeeping, under its lock.
  struct Marks {
    bool queued = false;  // a reduction that may join a pass over its domain
    int claimed = 0;      // by a thread that is computing it: the number of its process, else 0
    int slot = 0;         // in the program that is laid out …
    long visit = 0;       // … by the visit of this number
  };

  std::atomic<int> refs{1};
  std::atomic<bool> has_data{false};  // set last: another thread that sees it sees the elements
  DType dtype;
  bool is_number = false;  // takes the dtype of what it meets, whatever its shape
  Marks marks;
  Value* next_doomed = nullptr;
  char* data = nullptr;  // null while pending
  Ref<Storage> storage;  // empty for at most `inline_bytes`
  Shape shape;
  Pending pending;
  alignas(16) char small[64 + 48];  // room for a few elements, wherever 64-byte alignment falls

  static constexpr std::size_t inline_bytes = 64;

  /// Throws Error that names `op` when there can be no such array.
  Value(const Shape& s, DType d, const char* op = "array") : dtype(d), shape(s) {
    check_shape(op, s, width(d));
  }
  /// Room for the elements; the value is ready once it is published.
  char* reserve();
  void publish(char* elements) {
    data = elements;
    has_data.store(true, std::memory_order_release);
  }
  void allocate() { publish(reserve()); }
  bool ready() const { return has_data.load(std::memory_order_acquire); }
  /// Of a pending value.
  bool is_reduction() const { return !pending.fns && !pending.kind; }
  void retain() { refs.fetch_add(1, std::memory_order_relaxed); }
  void release();
  /// Takes a reference unless the last one is already gone.
  bool try_retain();
  ~Value();

  static Value* of(const Array& a) { return a.value_; }
  /// Takes over the one reference that a new value is born with.
  static Array handle(Value* value) { return Array(value); }
};

/// Bytes in a pack of the instruction set that the library was compiled for.
int simd_bytes();

/// An array made of numbers in another dtype. Throws Error that names `op` when an integer cannot hold one.
Array number_as(const char* op, const Array& number, DType dtype);

namespace lazy {

/// The elementwise function over the operands, promoted and broadcast. Throws Error that names `op` when
/// the shapes do not broadcast or the operation does not support the dtype.
Array map(const char* op, const StepFns& fns, Array* in, int inputs);
/// `x` reduced to `shape`, to which it must be an expansion: the adjoint of broadcasting, for sum.
Array reduce_to(ReduceKind reduction, const Array& x, const Shape& shape);
/// `x` repeated along axes of length 1 or missing in front. Throws Error that names `op` when it does not
/// fit.
Array broadcast_to(const char* op, const Array& x, const Shape& shape);
/// The elements as another dtype.
Array cast(const Array& x, DType dtype);
/// An array that is made by `scatter`, whose own operands have been computed.
Array scattered(const char* op, const Shape& shape, DType dtype, std::unique_ptr<const Scatter> scatter);
/// An array that has elements of another one.
Array strided(const char* op, const Shape& shape, std::unique_ptr<const StridedRead> read);
/// Whether it is pending and will be made by a scatter.
bool is_scattered(const Array& a);
/// Adds `more`, of the same shape and dtype, to `sum`, in its memory where nobody else holds it. Does nothing
/// and returns false where `more` is not pending or not scattered.
bool add_scattered(Array& sum, const Array& more);
/// Computes the elements of `value` now; those of several values in as few passes as their domains allow.
void run(Value* value);
void run(std::vector<Value*> values);
/// The first input of a pending value; the value itself when it has been computed meanwhile.
Array source(const Array& pending);
/// Lets a pending reduction join a pass over its domain, until it is forgotten.
void enqueue(Value* reduction);
void forget(Value* reduction);
inline void materialize(Value* value) {
  if (!value->ready()) run(value);
}

/// Fusion can be turned off: each operation then runs at its call. The results have the same bits.
void set_fusion(bool on);
bool fusion();
/// With true, every program is checked before it runs; throws Error that names the broken invariant.
void set_checking(bool on);

}  // namespace lazy
}  // namespace xgrad
