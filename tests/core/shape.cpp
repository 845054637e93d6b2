// Shapes: broadcasting, axes, strides, limits and the words of their errors.
#include <xgrad/core/base/shape.hpp>

#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

TEST_CASE("shape: lengths, size and text") {
  CHECK(Shape{}.rank() == 0);
  CHECK(Shape{}.size() == 1);
  CHECK(Shape{2, 3, 4}.size() == 24);
  CHECK(Shape{2, 0, 4}.size() == 0);
  CHECK(Shape{}.str() == "()");
  CHECK(Shape{4}.str() == "(4,)");
  CHECK(Shape{2, 3}.str() == "(2, 3)");
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
  CHECK_FALSE(Shape{2} == Shape{2, 1});
}

TEST_CASE("shape: axes are appended, inserted and erased") {
  Shape shape{2, 3};
  shape.insert(1, 7);
  CHECK(shape == Shape{2, 7, 3});
  shape.insert(0, 5);
  shape.erase(1);
  CHECK(shape == Shape{5, 7, 3});
  shape.push_back(1);
  CHECK(shape == Shape{5, 7, 3, 1});
}

TEST_CASE("shape: at most eight axes, no negative lengths") {
  CHECK(Shape{1, 2, 1, 2, 1, 2, 1, 2}.size() == 16);
  CHECK(error_of([] { Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}; }) == "shape: an array has at most 8 axes");
  CHECK(error_of([] { Shape{2, -3}; }) == "shape: negative length -3 for axis 1");
}

TEST_CASE("shape: broadcasting by NumPy's rules") {
  CHECK(broadcast("f", {2, 3}, {2, 3}) == Shape{2, 3});
  CHECK(broadcast("f", {2, 3}, {}) == Shape{2, 3});
  CHECK(broadcast("f", {3}, {2, 1}) == Shape{2, 3});
  CHECK(broadcast("f", {4, 1, 6}, {5, 1}) == Shape{4, 5, 6});
  CHECK(broadcast("f", {1}, {0}) == Shape{0});
  CHECK(broadcast("f", {0, 1}, {1, 7}) == Shape{0, 7});
  CHECK(error_of([] { broadcast("add", {2, 3}, {2}); }) == "add: shapes (2, 3) and (2,) do not broadcast");
  CHECK(error_of([] { broadcast("add", {0}, {2}); }) == "add: shapes (0,) and (2,) do not broadcast");
}

TEST_CASE("shape: what broadcasts to what") {
  CHECK(broadcasts_to({}, {2, 3}));
  CHECK(broadcasts_to({1, 3}, {2, 3}));
  CHECK(broadcasts_to({3}, {2, 3}));
  CHECK(broadcasts_to({1}, {0}));
  CHECK_FALSE(broadcasts_to({2}, {2, 3}));
  CHECK_FALSE(broadcasts_to({2, 3}, {3}));
  CHECK_FALSE(broadcasts_to({2, 3}, {1, 3}));
}

TEST_CASE("shape: axes count from the end when negative") {
  CHECK(normalize_axis("f", -1, 3) == 2);
  CHECK(normalize_axis("f", 0, 3) == 0);
  CHECK(normalize_axes("f", {-1, 0}, 3) == Axes{0, 2});
  CHECK(normalize_axes("f", {}, 2) == Axes{0, 1});
  CHECK(normalize_axes("f", {}, 0).empty());
  CHECK(error_of([] { normalize_axis("sum", 2, 2); }) == "sum: axis 2 is out of range for 2 axes");
  CHECK(error_of([] { normalize_axis("sum", -3, 2); }) == "sum: axis -3 is out of range for 2 axes");
  CHECK(error_of([] { normalize_axes("sum", {1, -1}, 2); }) == "sum: axis 1 is given twice");
  CHECK(keep_axes({2, 3, 4}, {0, 2}) == Shape{1, 3, 1});
  CHECK(drop_axes({2, 3, 4}, {0, 2}) == Shape{3});
}

TEST_CASE("shape: strides of contiguous and of broadcast arrays") {
  const Strides own = contiguous_strides({2, 3, 4});
  CHECK((own[0] == 12 && own[1] == 4 && own[2] == 1));
  const Strides repeated = broadcast_strides({3, 1}, {2, 3, 4});
  CHECK((repeated[0] == 0 && repeated[1] == 1 && repeated[2] == 0));
}

TEST_CASE("shape: -1 stands for what is left") {
  CHECK(resolve_shape("reshape", {2, -1}, 6) == Shape{2, 3});
  CHECK(resolve_shape("reshape", {-1}, 0) == Shape{0});
  CHECK(error_of([] { resolve_shape("reshape", {-1, -1}, 6); }) == "reshape: only one length may be -1");
  CHECK(error_of([] {
          resolve_shape("reshape", {4, -1}, 6);
        }) == "reshape: 6 elements do not fit shape (4, -1)");
  CHECK(error_of([] {
          resolve_shape("reshape", {0, -1}, 0);
        }) == "reshape: 0 elements do not fit shape (0, -1)");
}
