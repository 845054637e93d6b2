// What is recorded and what is computed at once.
#include <xgrad/core/array/lazy.hpp>

#include <algorithm>
#include <cstring>

#include <xgrad/core/array/map.hpp>
#include <xgrad/core/array/program.hpp>
#include <xgrad/core/base/error.hpp>

namespace xgrad {

Array number_as(const char* op, const Array& number, DType dtype) {
  if (number.dtype() == dtype) return number;
  if (!is_floating(dtype))
    for (double value : number.elements<double>())
      expect(can_hold(dtype, value), "{}: {} cannot hold {}; cast the array first", op, dtype, value);
  return number.rank() == 0 ? full({}, number.item(), dtype) : number.cast(dtype);
}

namespace lazy {
namespace {

constexpr long eager_below = 4096;  // up to here one step at once beats a program (1.1 us)
constexpr int max_steps = 48;       // of a program; 8 to 24 split batch norm
constexpr int max_depth = 200;      // bounds the recursion through reductions

std::atomic<bool> fusing{true};

struct Repeat {
  auto operator()(auto a) const { return a; }
};
constexpr const StepFns& repeat = all_steps<Repeat, 1>;

bool is_broadcast(const Value& v) { return !v.ready() && v.pending.fns == &repeat; }

DType common_dtype(const char* op, Array* in, int inputs) {
  const Array* first = std::find_if_not(in, in + inputs, [](const Array& a) { return a.is_number(); });
  const DType dtype = first == in + inputs ? DType::f64 : first->dtype();
  for (int i = 0; i < inputs; ++i) {
    if (in[i].is_number()) in[i] = number_as(op, in[i], dtype);
    expect(in[i].dtype() == dtype, "{}: dtypes {} and {} differ; cast one of them", op, dtype, in[i].dtype());
  }
  return dtype;
}

/// Runs one step over ready operands of one shape, or of one element.
void run_at_once(Value& v, const Array* in, int inputs) {
  v.allocate();
  alignas(64) char splat[max_inputs][64];
  Arg args[max_inputs];
  const long size = v.shape.size(), element = width(v.dtype), lanes = 64 / element;
  for (int i = 0; i < inputs; ++i) {
    const Value& x = *Value::of(in[i]);
    args[i] = {x.data, 1};
    if (x.shape.size() == size) continue;
    for (long k = 0; k < lanes; ++k) std::memcpy(splat[i] + k * element, x.data, std::size_t(element));
    args[i] = {splat[i], 0};
  }
  v.pending.fns->by_dtype[int(v.dtype)](v.data, args, (size + lanes - 1) / lanes * lanes, false);
}

/// Notes the operands of a pending value, computing those that would make the program too long.
void attach(Value& v, const Array* in, int inputs) {
  v.pending.inputs = static_cast<unsigned char>(inputs);
  v.pending.steps = 1;
  for (int i = 0; i < inputs; ++i) {
    Value& x = *Value::of(in[i]);
    const bool same_program = !x.is_reduction() && (v.is_reduction() || x.shape == v.shape);
    if (!x.ready() && (x.pending.depth >= max_depth || (same_program && x.pending.steps >= max_steps)))
      run(&x);
    if (!x.ready()) {
      v.pending.depth = std::max(v.pending.depth, x.pending.depth + 1);
      if (same_program) v.pending.steps += x.pending.steps;
    }
    v.pending.in[i] = in[i];
  }
}

Array repeated(const char* op, const Array& x, const Shape& shape) {
  Array result = Value::handle(new Value(shape, x.dtype(), op));
  Value& v = *Value::of(result);
  v.is_number = x.is_number();
  v.pending.op = "broadcast_to";
  v.pending.fns = &repeat;
  attach(v, &x, 1);
  return result;
}

}  // namespace

Array map(const char* op, const StepFns& fns, Array* in, int inputs) {
  bool numbers = true, repeats = false;
  for (int i = 0; i < inputs; ++i) {
    expect(in[i].defined(), "{}: operand {} is undefined", op, i + 1);
    numbers &= in[i].is_number();
    repeats |= is_broadcast(*Value::of(in[i]));
  }
  const DType dtype = common_dtype(op, in, inputs);
  expect(dtype != DType::u8 && fns.by_dtype[int(dtype)] != nullptr,
         "{}: not defined for {}; cast to f32 or f64 first", op, dtype);
  Shape shape = in[0].shape();
  for (int i = 1; i < inputs; ++i) shape = broadcast(op, shape, in[i].shape());

  if (repeats && fusing) {  // f(repeat(a), b) = repeat(f(a, b)): work on small arrays is done small
    Shape small;
    for (int i = 0; i < inputs; ++i) {
      if (is_broadcast(*Value::of(in[i]))) in[i] = source(in[i]);
      small = broadcast(op, small, in[i].shape());
    }
    Array result = map(op, fns, in, inputs);
    return small == shape ? result : repeated(op, result, shape);
  }

  Array result = Value::handle(new Value(shape, dtype, op));
  Value& v = *Value::of(result);
  v.pending.op = op;
  v.pending.fns = &fns;
  v.is_number = numbers;
  const long size = shape.size();
  if (size == 0) {
    v.allocate();
    return result;
  }
  bool ready = true, flat = true;
  for (int i = 0; i < inputs; ++i) {
    ready &= Value::of(in[i])->ready();
    flat &= in[i].shape().size() == size || in[i].shape().size() == 1;
  }
  if (ready && flat && size <= eager_below) {
    run_at_once(v, in, inputs);
    return result;
  }
  attach(v, in, inputs);
  if ((ready && size <= eager_below) || !fusing) run(&v);
  return result;
}

Array reduce_to(ReduceKind reduction, const Array& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  Array result = Value::handle(new Value(shape, x.dtype()));
  Value& v = *Value::of(result);
  v.pending.op = reduction == ReduceKind::sum ? "sum" : reduction == ReduceKind::max ? "max" : "min";
  v.pending.reduction = reduction;
  v.is_number = x.is_number();
  expect(x.dtype() != DType::u8, "reduce: not defined for u8; cast first");
  const bool small = Value::of(x)->ready() && x.size() <= eager_below;
  attach(v, &x, 1);
  if (small || !fusing)
    run(&v);
  else
    enqueue(&v);
  return result;
}

Array broadcast_to(const char* op, const Array& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  expect(broadcasts_to(x.shape(), shape), "{}: shape {} does not broadcast to {}", op, x.shape(), shape);
  if (x.dtype() == DType::u8) return broadcast_to(op, x.cast(DType::i64), shape).cast(DType::u8);
  Array result = repeated(op, is_broadcast(*Value::of(x)) ? source(x) : x, shape);
  if (shape.size() <= eager_below || !fusing) materialize(Value::of(result));
  return result;
}

Array scattered(const char* op, const Shape& shape, DType dtype, std::unique_ptr<const Scatter> scatter) {
  Array result = Value::handle(new Value(shape, dtype, op));
  Value& v = *Value::of(result);
  v.pending.op = op;
  v.pending.is_scattered = true;
  v.pending.scatter = std::move(scatter);
  if (shape.size() == 0) materialize(&v);
  return result;
}

bool is_scattered(const Array& a) {
  const Value& v = *Value::of(a);
  return !v.ready() && v.pending.is_scattered;
}

void set_fusion(bool on) { fusing = on; }
bool fusion() { return fusing; }

}  // namespace lazy
}  // namespace xgrad
