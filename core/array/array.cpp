// Array: handles, conversion, creation.
#include <xgrad/core/array/array.hpp>

#include <algorithm>
#include <cstring>

#include <xgrad/core/array/lazy.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/memory.hpp>

namespace xgrad {

Ref<Storage> Storage::allocate(std::size_t bytes) {
  auto storage = Ref<Storage>::adopt(new Storage{1, bytes, nullptr});
  storage->data = static_cast<char*>(memory::allocate(bytes));
  return storage;
}
void Storage::release() {
  if (refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (data) memory::release(data, bytes);
  delete this;
}

char* Value::reserve() {
  const std::size_t bytes = std::size_t(shape.size() * width(dtype));
  if (bytes <= inline_bytes) {
    char* elements = small + (64 - reinterpret_cast<std::uintptr_t>(small) % 64) % 64;
    std::memset(elements, 0, inline_bytes);  // packs are computed whole, beyond the last element too
    return elements;
  }
  storage = Storage::allocate(bytes);
  return storage->data;
}
bool Value::try_retain() {
  for (int n = refs.load(std::memory_order_relaxed); n > 0;)
    if (refs.compare_exchange_weak(n, n + 1, std::memory_order_relaxed)) return true;
  return false;
}
Value::~Value() {
  if (marks.queued) lazy::forget(this);
}

// Long chains of pending values are freed in a loop, not by recursion.
void Value::release() {
  if (refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (!pending.inputs) {
    delete this;
    return;
  }
  static thread_local Doomed<Value> doomed;
  doomed.free(this);
}

Array::Array(const Shape& shape, DType dtype) {
  auto value = Ref<Value>::adopt(new Value(shape, dtype));
  value->allocate();
  value_ = value.detach();
}
Array::Array(const Array& other) noexcept : value_(other.value_) {
  if (value_) value_->retain();
}
Array::~Array() {
  if (value_) value_->release();
}

DType Array::dtype() const {
  expect(value_ != nullptr, "array: it is undefined");
  return value_->dtype;
}
const Shape& Array::shape() const& {
  expect(value_ != nullptr, "array: it is undefined");
  return value_->shape;
}
long Array::dim(int axis) const { return shape()[normalize_axis("dim", axis, rank())]; }
bool Array::is_number() const {
  expect(value_ != nullptr, "array: it is undefined");
  return value_->is_number;
}

const char* Array::bytes() const& {
  expect(value_ != nullptr, "array: it is undefined");
  lazy::materialize(value_);
  return value_->data;
}
char* Array::mutable_bytes() & {
  bytes();
  const bool shared = value_->refs.load(std::memory_order_acquire) > 1 ||
                      (value_->storage && value_->storage->refs.load(std::memory_order_acquire) > 1);
  if (shared) *this = copy();
  return value_->data;
}
const void* Array::checked(DType dtype) const {
  expect(value_ != nullptr, "array: it is undefined");
  expect(dtype == value_->dtype, "array: dtype is {}, not {}", value_->dtype, dtype);
  return bytes();
}
void* Array::writable(DType dtype) {
  checked(dtype);
  return mutable_bytes();
}
void Array::fill(const void* elements, long count) {
  expect(count == size(), "array: {} elements do not fit shape {}", count, shape());
  if (count) std::memcpy(value_->data, elements, std::size_t(byte_size()));
}

double Array::item() const {
  expect(size() == 1, "item: shape {} has {} elements, not one", shape(), size());
  const char* data = bytes();
  return dispatch(dtype(), [&]<class T>() { return convert<double>(*reinterpret_cast<const T*>(data)); });
}

double Array::item_at(std::span<const long> index) const {
  expect(long(index.size()) == rank(), "item: {} indices for shape {}", index.size(), shape());
  long at = 0;
  for (int i = 0; i < rank(); ++i) {
    const long length = shape()[i], k = index[std::size_t(i)];
    expect(k >= -length && k < length, "item: index {} is out of range for axis {} of shape {}", k, i,
           shape());
    at = at * length + (k < 0 ? k + length : k);
  }
  const char* data = bytes();
  return dispatch(dtype(), [&]<class T>() { return convert<double>(reinterpret_cast<const T*>(data)[at]); });
}

void evaluate(const Array& array) { array.bytes(); }
void evaluate(std::span<const Array> arrays) {
  std::vector<Value*> pending;
  for (auto& a : arrays) {
    expect(a.defined(), "evaluate: an array is undefined");
    if (!Value::of(a)->ready()) pending.push_back(Value::of(a));
  }
  if (!pending.empty()) lazy::run(std::move(pending));
}

Shape resolve_shape(const char* op, const Shape& shape, long size) {
  Shape result = shape;
  int open = -1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] != -1) continue;
    expect(open == -1, "{}: only one length may be -1", op);
    open = i;
    result[i] = 1;
  }
  check_shape(op, result, 1);
  const long known = result.size();
  if (open != -1) {
    expect(known != 0 && size % known == 0, "{}: {} elements do not fit shape {}", op, size, shape);
    result[open] = size / known;
  }
  return result;
}

Array Array::reshape(Shape to) const {
  to = resolve_shape("reshape", to, size());
  expect(to.size() == size(), "reshape: {} elements do not fit shape {}", size(), to);
  if (to == shape()) return *this;
  bytes();
  if (!value_->storage) {
    Array result(to, dtype());
    std::memcpy(result.value_->data, value_->data, Value::inline_bytes);
    result.value_->is_number = is_number();
    return result;
  }
  auto* value = new Value(to, dtype());
  value->is_number = is_number();
  value->storage = value_->storage;
  value->publish(value_->data);
  return Array(value);
}

Array Array::cast(DType to) const { return lazy::cast(*this, to); }

Array Array::copy() const {
  Array result(shape(), dtype());
  std::memcpy(result.value_->data, bytes(), std::size_t(byte_size()));
  result.value_->is_number = value_->is_number;
  return result;
}

namespace {

Array filled(const char* op, const Shape& shape, double value, DType dtype) {
  check_shape(op, shape, width(dtype));
  Array result(shape, dtype);
  dispatch(dtype,
           [&]<class T>() { std::fill_n(result.mutable_data<T>(), result.size(), convert<T>(value)); });
  return result;
}

}  // namespace

Array full(const Shape& shape, double value, DType dtype) {
  expect(can_hold(dtype, value), "full: {} cannot hold {}", dtype, value);
  return filled("full", shape, value, dtype);
}
Array number(double value) {
  Array result = full({}, value, DType::f64);
  Value::of(result)->is_number = true;
  return result;
}
Array zeros(const Shape& shape, DType dtype) { return filled("zeros", shape, 0, dtype); }
Array ones(const Shape& shape, DType dtype) { return filled("ones", shape, 1, dtype); }
Array arange(long n, DType dtype) {
  check_shape("arange", {n}, width(dtype));
  Array result({n}, dtype);
  expect(n == 0 || can_hold(dtype, double(n - 1)), "arange: {} cannot hold {}", dtype, n - 1);
  dispatch(dtype, [&]<class T>() {
    T* out = result.mutable_data<T>();
    for (long i = 0; i < n; ++i) out[i] = convert<T>(i);
  });
  return result;
}

void detail::ragged(const Shape& first, const Shape& other) {
  fail("array: the parts have different shapes, {} and {}", first, other);
}
void detail::does_not_fit(double element, DType dtype) { fail("array: {} cannot hold {}", dtype, element); }

}  // namespace xgrad
