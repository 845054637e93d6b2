#pragma once
// The size of an array along each of its axes.
#include <array>
#include <concepts>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <vector>

namespace xgrad {

/// The most axes that an array can have.
inline constexpr int max_rank = 8;

/// The lengths of the axes, outermost first: (N, C, H, W). The shape of a scalar is (). Throws Error beyond
/// max_rank.
class Shape {
 public:
  /// (), the shape of a scalar.
  Shape() = default;
  /// The lengths one after another: Shape{2, 3}.
  Shape(std::initializer_list<long> dims) : Shape(dims.begin(), dims.end()) {}
  /// The lengths in a range of integers.
  template <class Iterator>
  Shape(Iterator first, Iterator last) {
    for (; first != last; ++first) push_back(long(*first));
  }

  /// The number of axes.
  int rank() const { return rank_; }
  ///@{
  /// The length of an axis in [0, rank()), which is not checked.
  long operator[](int axis) const { return dims_[std::size_t(axis)]; }
  long& operator[](int axis) { return dims_[std::size_t(axis)]; }
  ///@}
  ///@{
  /// The lengths as a range.
  const long* begin() const { return dims_.data(); }
  const long* end() const { return dims_.data() + rank_; }
  ///@}
  /// Appends an axis. A length of -1 stands for "whatever is left", where an op says so.
  void push_back(long dim);
  /// Puts an axis before the given one, in [0, rank()].
  void insert(int axis, long dim);
  /// Takes an axis in [0, rank()) out.
  void erase(int axis);

  /// The number of elements: the product of the lengths, 1 for (). Throws Error where a long cannot hold it;
  /// no array has such a shape.
  long size() const {
    long n = 1;
    for (int i = 0; i < rank_; ++i)
      if (__builtin_mul_overflow(n, (*this)[i], &n)) [[unlikely]]
        too_large();
    return n;
  }
  /// Whether all lengths are equal.
  bool operator==(const Shape& other) const {
    if (rank_ != other.rank_) return false;
    for (int i = 0; i < rank_; ++i)
      if ((*this)[i] != other[i]) return false;
    return true;
  }
  /// As NumPy writes it: "(2, 3)", "(4,)", "()".
  std::string str() const;

 private:
  [[noreturn]] void too_large() const;

  std::array<long, max_rank> dims_{};
  int rank_ = 0;
};

/// Writes str().
std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// The most bytes of an array: no 64-bit processor addresses more. Small multiples of its size still fit a
/// long.
inline constexpr long max_array_bytes = 1l << 56;

/// Throws Error that names `op` unless there can be an array of that shape with elements of `width` bytes:
/// for a negative length, and beyond max_array_bytes. Lengths of 0 are left out of the product, so that
/// strides are bounded too.
void check_shape(const char* op, const Shape& shape, long width);

/// An axis; a negative one counts from the last. Neither a fraction nor a bool is one, as in
/// softmax(x, .5).
class Axis {
 public:
  /// The axis of that number.
  template <std::integral T>
  requires(!std::same_as<T, bool>) constexpr Axis(T axis) : axis_(int(axis)) {}
  /// Its number.
  constexpr operator int() const { return axis_; }

 private:
  int axis_;
};

/// A list of axes; one may be given alone. Negative ones count from the last.
class Axes : public std::vector<int> {
 public:
  using std::vector<int>::vector;
  /// One axis: sum(x, 0). Neither a fraction nor a bool is one: sum(x, keepdims) lacks the axes.
  template <std::integral T>
  requires(!std::same_as<T, bool>) Axes(T axis) : vector{int(axis)} {}
  /// The same.
  Axes(Axis axis) : vector{int(axis)} {}
};

/// The element at a position in row-major order, as messages name it: "[0, 2]".
std::string element_name(const Shape& shape, long position);

/// The common shape of two operands by NumPy's rules. Throws Error that names `op` when there is none.
Shape broadcast(const char* op, const Shape& a, const Shape& b);

/// Whether an array of shape `from` can be broadcast to exactly `to`.
bool broadcasts_to(const Shape& from, const Shape& to);

/// `axis` counted from the first, in [0, rank). Throws Error that names `op` when it is out of range.
int normalize_axis(const char* op, int axis, int rank);

/// The axes counted from the first, sorted; all of them when `axes` is empty. Throws Error on a repeated one.
Axes normalize_axes(const char* op, const Axes& axes, int rank);

/// `shape` with the given (normalised) axes set to length 1.
Shape keep_axes(Shape shape, const Axes& axes);

/// `shape` without the given (normalised) axes.
Shape drop_axes(const Shape& shape, const Axes& axes);

/// Elements from one index to the next along each axis of a contiguous array.
using Strides = std::array<long, max_rank>;
/// The strides of an array of that shape.
Strides contiguous_strides(const Shape& shape);

/// Strides that walk an array of shape `shape` as if it were broadcast to `domain`: 0 along repeated axes.
Strides broadcast_strides(const Shape& shape, const Shape& domain);

}  // namespace xgrad
