#pragma once
// Array: a value of n dimensions whose type of element is known at run time. Contiguous, row-major, storage
// shared.
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include <xgrad/core/base/dtype.hpp>
#include <xgrad/core/base/shape.hpp>

namespace xgrad {

struct Value;  // what an Array points to: core/array/lazy.hpp

/// A handle to an n-dimensional array. Copies share the data; writing copies first what somebody else can
/// see, so an Array behaves as a value. Elementwise results are computed when somebody asks for the data
/// (core/array/lazy.hpp).
class Array {
 public:
  /// None: defined() is false, and asking for its elements, shape or dtype is an Error.
  Array() noexcept = default;
  /// A new array whose elements are not set. Throws Error for a negative length, and beyond max_array_bytes.
  explicit Array(const Shape& shape, DType dtype = DType::f32);
  /// The given elements in row-major order; throws Error when their number does not fit the shape.
  template <class T>
  requires is_element<T> Array(const Shape& shape, std::span<const T> elements) : Array(shape, dtype_of<T>) {
    fill(elements.data(), long(elements.size()));
  }
  /// The same from a vector.
  template <class T>
  requires is_element<T> Array(const Shape& shape, const std::vector<T>& elements)
      : Array(shape, std::span<const T>(elements)) {}

  ///@{
  /// Copies share the elements; what was moved from holds none.
  Array(const Array& other) noexcept;
  Array(Array&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Array& operator=(Array other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ///@}
  ~Array();

  /// Whether it is an array at all.
  bool defined() const { return value_ != nullptr; }
  /// The type of the elements.
  DType dtype() const;
  /// The lengths of the axes.
  const Shape& shape() const;
  /// The number of axes.
  int rank() const { return shape().rank(); }
  /// The number of elements.
  long size() const { return shape().size(); }
  /// The length of one axis; negative axes count from the last.
  long dim(int axis) const;
  /// True for what takes the dtype of the arrays it meets: a number (see `number`), and an array of any shape
  /// that was made of numbers alone, as where(mask, 1, 0) is.
  bool is_number() const;

  /// The elements, computed now if they were not yet. Throws Error when T is not the array's dtype.
  template <class T>
  const T* data() const {
    return static_cast<const T*>(checked(dtype_of<T>));
  }
  /// The same for writing; copies the elements first when another Array shares them.
  template <class T>
  T* mutable_data() {
    return static_cast<T*>(writable(dtype_of<T>));
  }
  /// data() with its length, for loops; valid as long as this Array holds these elements.
  template <class T>
  std::span<const T> elements() const {
    return {data<T>(), std::size_t(size())};
  }
  /// The elements as bytes, whatever their dtype.
  const char* bytes() const;
  /// The same for writing; copies the elements first when another Array shares them.
  char* mutable_bytes();
  /// How many bytes the elements have.
  long byte_size() const { return size() * width(dtype()); }

  /// What all copies of an Array have in common; for comparisons only.
  const void* identity() const { return value_; }

  /// The only element as a double; throws Error when there is not exactly one.
  double item() const;
  /// The same elements in another shape (shared); one length may be -1. Throws Error when the sizes differ.
  Array reshape(Shape shape) const;
  /// The elements converted; itself when the dtype is the same. Floating to integer truncates; what is out of
  /// an integer's range becomes its nearest end, and NaN 0. i64 to u8 keeps the lowest 8 bits, as NumPy.
  Array cast(DType dtype) const;
  /// The same elements in storage of its own.
  Array copy() const;

 private:
  friend struct Value;
  explicit Array(Value* value) noexcept : value_(value) {}
  const void* checked(DType dtype) const;
  void* writable(DType dtype);
  void fill(const void* elements, long count);

  Value* value_ = nullptr;
};

/// A scalar that takes the dtype of the arrays it is combined with; alone it counts as f64.
Array number(double value);

// These throw Error, by their names, for a negative length and beyond max_array_bytes.
/// All elements 0.
Array zeros(const Shape& shape, DType dtype = DType::f32);
/// All elements 1.
Array ones(const Shape& shape, DType dtype = DType::f32);
/// All elements `value`, rounded to the dtype. Throws Error when an integer cannot hold it.
Array full(const Shape& shape, double value, DType dtype = DType::f32);
/// Zeros in the shape and dtype of `like`.
Array zeros_like(const Array& like);
/// Ones in the shape and dtype of `like`.
Array ones_like(const Array& like);
/// 0, 1, ... n - 1. Throws Error when an integer cannot hold them.
Array arange(long n, DType dtype = DType::i64);
/// A vector of the given elements: array<float>({1, 2, 3}).
template <class T>
Array array(std::initializer_list<T> elements) {
  return Array({long(elements.size())}, std::span<const T>(elements.begin(), elements.size()));
}

/// Computes the elements of several arrays: of those that have one shape and dtype in one pass, so that what
/// they share is read and computed once.
void evaluate(std::span<const Array> arrays);
/// Computes the elements of one array now.
void evaluate(const Array& array);

/// Sets how many elements of `shape` a -1 stands for. Throws Error when `size` elements do not fit.
Shape resolve_shape(const char* op, const Shape& shape, long size);

}  // namespace xgrad
