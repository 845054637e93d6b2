#pragma once
// The arguments of operations that are not arrays, as traces note them (private to ops): their names are what
// Operation::attributes shows.
#include <xgrad/ops/conv.hpp>
#include <xgrad/ops/norm.hpp>
#include <xgrad/ops/pool.hpp>

namespace xgrad::detail {

struct Along {
  int axis;
};
struct Over {
  Axes axes;
  bool keepdims;
};
struct AlongOne {
  int axis;
  bool keepdims;
};
struct Into {
  Shape shape;
};
struct From {
  int start;
};
struct Order {
  Axes axes;
};
struct Lengths {
  std::vector<long> lengths;
  int axis;
};
struct Range {
  int axis;
  long start, stop, step;
};
struct Widths {
  std::vector<std::pair<long, long>> widths;
  double value;
};
struct Limits {
  double low, high;
};
struct Slope {
  double slope;
};
struct Epsilon {
  double eps;
};
struct Classes {
  long classes;
  DType dtype;
};
struct Pooling {
  Pair kernel;
  PoolOptions options;
};
struct Unfolding {
  Pair kernel;
  WindowOptions options;
};
struct Folding {
  Pair size, kernel;
  WindowOptions options;
};
struct Dropping {
  double p;
  bool training, inverted;
};
template <class R>
struct Reducing {
  R reduction;
};

}  // namespace xgrad::detail
