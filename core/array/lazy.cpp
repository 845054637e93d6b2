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

/// What the operands are computed in. Numbers are made that.
DType promoted(const char* op, Array* in, int inputs) {
  const Array* first = std::find_if_not(in, in + inputs, [](const Array& a) { return a.is_number(); });
  if (first == in + inputs) return DType::f64;
  DType dtype = first->dtype();
  for (const Array* x = first + 1; x < in + inputs; ++x)
    if (!x->is_number() && x->dtype() != dtype) dtype = promote(dtype, x->dtype());
  dtype = arithmetic(dtype);
  for (int i = 0; i < inputs; ++i)
    if (in[i].is_number()) in[i] = number_as(op, in[i], dtype);
  return dtype;
}

/// Runs one step over ready operands of one shape, or of one element, all of the step's dtype.
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
  v.pending.fns->of(v.dtype)(v.data, args, (size + lanes - 1) / lanes * lanes, false);
}

/// Notes the operands of a pending value, computing those that would make the program too long.
void attach(Value& v, const Array* in, int inputs) {
  v.pending.inputs = static_cast<unsigned char>(inputs);
  v.pending.steps = 1;
  for (int i = 0; i < inputs; ++i) {
    Value& x = *Value::of(in[i]);
    const bool same_program = !x.is_reduction() && x.pending.computed_in == v.pending.computed_in &&
                              (v.is_reduction() || x.shape == v.shape);
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
  v.pending.computed_in = arithmetic(x.dtype());
  attach(v, &x, 1);
  return result;
}

/// What it is to become a To and to be read again: the steps of a cast.
template <class To>
struct Rounded {
  template <class T>
  static void step(void* out, const Arg* in, long n, bool) {
    const T* from = static_cast<const T*>(in->data);
    T* to = static_cast<T*>(out);
    auto each = [=](auto at) {
      for (long i = 0; i < n; ++i)
        if constexpr (std::is_same_v<To, bool>)  // as written here it is vectorized
          to[i] = from[at(i)] != T(0) ? T(1) : T(0);
        else
          to[i] = convert<T>(convert<To>(from[at(i)]));
    };
    if (in->stride)
      each([](long i) { return i; });
    else
      each([](long) { return 0l; });
  }
  static constexpr StepFns steps{step<float>, step<double>, step<std::int64_t>};
};

}  // namespace

Array map(const char* op, const StepFns& fns, Array* in, int inputs) {
  bool numbers = true, repeats = false;
  for (int i = 0; i < inputs; ++i) {
    expect(in[i].defined(), "{}: operand {} is undefined", op, i + 1);
    numbers &= in[i].is_number();
    repeats |= is_broadcast(*Value::of(in[i]));
  }
  const DType dtype = promoted(op, in, inputs);
  expect(fns.of(dtype) != nullptr, "{}: not defined for {}; cast to f32 or f64 first", op,
         arithmetic(in[0].dtype()) == dtype ? in[0].dtype() : dtype);
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

  Array result = Value::handle(new Value(shape, fns.is_predicate ? DType::boolean : dtype, op));
  Value& v = *Value::of(result);
  v.pending.op = op;
  v.pending.fns = &fns;
  v.pending.computed_in = dtype;
  v.is_number = numbers && !fns.is_predicate;
  const long size = shape.size();
  if (size == 0) {
    v.allocate();
    return result;
  }
  bool ready = true, plain = !fns.is_predicate;
  for (int i = 0; i < inputs; ++i) {
    const Value& x = *Value::of(in[i]);
    ready &= x.ready();
    plain &= x.dtype == dtype && (x.shape.size() == size || x.shape.size() == 1);
  }
  if (ready && plain && size <= eager_below) {
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
  v.pending.computed_in = x.dtype();
  v.is_number = x.is_number();
  expect(x.dtype() == arithmetic(x.dtype()), "reduce: not defined for {}; cast first", x.dtype());
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
  Array result = repeated(op, is_broadcast(*Value::of(x)) ? source(x) : x, shape);
  if (shape.size() <= eager_below || !fusing) materialize(Value::of(result));
  return result;
}

Array cast(const Array& x, DType dtype) {
  if (x.dtype() == dtype && !x.is_number()) return x;
  Array result = Value::handle(new Value(x.shape(), dtype, "cast"));
  Value& v = *Value::of(result);
  v.pending.op = "cast";
  v.pending.fns = dispatch(dtype, []<class To>() { return &Rounded<To>::steps; });
  v.pending.computed_in = promote(x.dtype(), dtype);
  if (x.size() == 0) {
    v.allocate();
    return result;
  }
  attach(v, &x, 1);
  if ((Value::of(x)->ready() && x.size() <= eager_below) || !fusing) run(&v);
  return result;
}

namespace {
Array deferred(const char* op, const Shape& shape, DType dtype, decltype(Value::Pending::kind) kind,
               std::unique_ptr<const Deferred> kernel) {
  Array result = Value::handle(new Value(shape, dtype, op));
  auto& pending = Value::of(result)->pending;
  pending.op = op;
  pending.kind = kind;
  pending.deferred = std::move(kernel);
  return result;
}
}  // namespace

Array scattered(const char* op, const Shape& shape, DType dtype, std::unique_ptr<const Scatter> scatter) {
  Array result = deferred(op, shape, dtype, Value::Pending::scatter, std::move(scatter));
  if (shape.size() == 0) evaluate(result);
  return result;
}
Array strided(const char* op, const Shape& shape, std::unique_ptr<const StridedRead> read) {
  const DType dtype = read->source.dtype();
  Array result = deferred(op, shape, dtype, Value::Pending::read, std::move(read));
  if (shape.size() <= eager_below || !fusing) evaluate(result);
  return result;
}

bool is_scattered(const Array& a) {
  const Value& v = *Value::of(a);
  return !v.ready() && v.pending.kind == Value::Pending::scatter;
}

void set_fusion(bool on) { fusing = on; }
bool fusion() { return fusing; }

}  // namespace lazy
}  // namespace xgrad
