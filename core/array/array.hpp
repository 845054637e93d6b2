#pragma once
// Array: a value of n dimensions whose type of element is known at run time. Contiguous, row-major, storage
// shared.
#include <concepts>
#include <initializer_list>
#include <iosfwd>
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
  ///@{
  /// The lengths of the axes.
  const Shape& shape() const&;
  Shape shape() const&& { return shape(); }
  ///@}
  /// The number of axes.
  int rank() const { return shape().rank(); }
  /// The number of elements.
  long size() const { return shape().size(); }
  /// The length of one axis; negative axes count from the last.
  long dim(int axis) const;
  /// True for what takes the dtype of the arrays it meets: a number (see `number`), and an array of any shape
  /// that was made of numbers alone, as where(mask, 1, 0) is.
  bool is_number() const;

  /// The elements, computed now if they were not yet; valid as long as this Array holds them, so there are
  /// none of a temporary Array: keep it in a variable, or take item() or to_vector(). Throws Error when T is
  /// not the array's dtype.
  template <class T>
  const T* data() const& {
    return static_cast<const T*>(checked(dtype_of<T>));
  }
  template <class T>
  const T* data() const&& = delete;  // of a temporary Array: keep it in a variable, or use item()
  /// The same for writing; copies the elements first when another Array shares them.
  template <class T>
  T* mutable_data() & {
    return static_cast<T*>(writable(dtype_of<T>));
  }
  /// data() with its length, for loops; valid as long as this Array holds these elements.
  template <class T>
  std::span<const T> elements() const& {
    return {data<T>(), std::size_t(size())};
  }
  template <class T>
  std::span<const T> elements() const&& = delete;  // of a temporary Array: keep it in a variable
  /// The elements in row-major order as a vector of its own, converted as by cast().
  template <class T>
  std::vector<T> to_vector() const {
    const Array converted = cast(dtype_of<T>);
    const T* first = converted.data<T>();
    return std::vector<T>(first, first + size());
  }
  /// The elements as bytes, whatever their dtype.
  const char* bytes() const&;
  const char* bytes() const&& = delete;  // of a temporary Array: keep it in a variable
  /// The same for writing; copies the elements first when another Array shares them.
  char* mutable_bytes() &;
  /// How many bytes the elements have.
  long byte_size() const { return size() * width(dtype()); }

  /// What all copies of an Array have in common; for comparisons only.
  const void* identity() const { return value_; }

  /// The only element as a double; throws Error when there is not exactly one.
  double item() const;
  /// The element at a place, one index for each axis, as a double; negative ones count from the end:
  /// x.item(0, -1). Throws Error for another number of indices and outside of the shape.
  template <class... Index>
  requires(sizeof...(Index) > 0 && (std::integral<Index> && ...)) double item(Index... index) const {
    const long at[] = {long(index)...};
    return item_at(at);
  }
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
  double item_at(std::span<const long> index) const;

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
/// 0, 1, ... n - 1. Throws Error when an integer cannot hold them. core/array/create.hpp has ranges with a
/// start and a step.
Array arange(long n, DType dtype = DType::i64);

namespace detail {
[[noreturn]] void ragged(const Shape& first, const Shape& other);
[[noreturn]] void does_not_fit(double element, DType dtype);

/// As many elements as fit the shape; also of std::vector<bool>, which has no T in memory.
template <class T>
Array array_of(const Shape& shape, const std::vector<T>& elements) {
  Array result(shape, dtype_of<T>);
  T* out = result.template mutable_data<T>();
  for (const T& element : elements) *out++ = element;
  return result;
}

/// A number, or a list of which all parts have one shape.
template <class T>
class Nested {
 public:
  template <class U>
  requires(std::convertible_to<U, T> && (!std::is_floating_point_v<U> || !std::is_integral_v<T>))
      Nested(U element) {
    if constexpr (std::is_integral_v<U> && std::is_integral_v<T> && !std::is_same_v<U, bool>)
      if (U(T(element)) != element || (element < U(0)) != (T(element) < T(0)))
        does_not_fit(double(element), dtype_of<T>);
    elements_.push_back(static_cast<T>(element));
  }
  Nested(std::initializer_list<Nested> parts) {
    if (parts.size()) shape_ = parts.begin()->shape_;
    for (auto& part : parts) {
      if (!(part.shape_ == shape_)) ragged(shape_, part.shape_);
      elements_.insert(elements_.end(), part.elements_.begin(), part.elements_.end());
    }
    shape_.insert(0, long(parts.size()));
  }
  Array array() const { return array_of(shape_, elements_); }

 private:
  Shape shape_;
  std::vector<T> elements_;
};
}  // namespace detail

/// The given elements: array<float>({1, 2, 3}) is a vector, array<float>({{1, 2}, {3, 4}}) a matrix, and so
/// on. Throws Error where the parts differ in shape, or T cannot hold an integer.
template <class T>
requires is_element<T> Array array(std::initializer_list<detail::Nested<T>> elements) {
  return detail::Nested<T>(elements).array();
}
/// A vector of elements of one type, which need not be named: array({1.5, 2.5}) is of f64.
template <int = 0, class T>
requires is_element<T> Array array(std::initializer_list<T> elements) {
  return Array({long(elements.size())}, std::span<const T>(elements.begin(), elements.size()));
}
/// The elements of a std::vector as a vector; Array(shape, elements) gives them another shape, and
/// Array::to_vector is the way back.
template <int = 0, class T>
requires is_element<T> Array array(const std::vector<T>& elements) {
  return detail::array_of({long(elements.size())}, elements);
}

/// What has a shape and a dtype: an Array, a Variable, a Parameter.
template <class X>
concept ArrayLike = requires(const X& x) {
  { x.shape() } -> std::convertible_to<Shape>;
  { x.dtype() } -> std::same_as<DType>;
};
/// Zeros in the shape and dtype of an Array or a Variable.
template <ArrayLike X>
Array zeros_like(const X& like) {
  return zeros(like.shape(), like.dtype());
}
/// Ones in the shape and dtype of an Array or a Variable.
template <ArrayLike X>
Array ones_like(const X& like) {
  return ones(like.shape(), like.dtype());
}
/// `value` in the shape and dtype of an Array or a Variable. Throws Error when an integer cannot hold it.
template <ArrayLike X>
Array full_like(const X& like, double value) {
  return full(like.shape(), value, like.dtype());
}

/// Writes the elements, as core/array/print.hpp says.
std::ostream& operator<<(std::ostream& out, const Array& x);

/// Computes the elements of several arrays: of those that have one shape and dtype in one pass, so that what
/// they share is read and computed once.
void evaluate(std::span<const Array> arrays);
/// Computes the elements of one array now.
void evaluate(const Array& array);

/// Sets how many elements of `shape` a -1 stands for. Throws Error when `size` elements do not fit.
Shape resolve_shape(const char* op, const Shape& shape, long size);

}  // namespace xgrad
