// What would dangle does not compile: pointers and spans of what ends with the expression. And what lives on.
#include <xgrad/core/tape/variable.hpp>
#include <xgrad/core/xtensor.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

template <class X>
concept HasElements = requires(X&& x) {
  std::forward<X>(x).template elements<float>();
};
template <class X>
concept HasPointer = requires(X&& x) {
  std::forward<X>(x).template data<float>();
};
template <class X>
concept HasBytes = requires(X&& x) {
  std::forward<X>(x).bytes();
};
template <class X>
concept IsWritable = requires(X&& x) {
  std::forward<X>(x).template mutable_data<float>();
};
template <class X>
concept HasXtensor = requires(X&& x) {
  as_xtensor<float>(std::forward<X>(x));
};
template <class X>
using DataOf = decltype(std::declval<X>().data());

static_assert(HasElements<Array&> && HasElements<const Array&>);
static_assert(HasPointer<Array&> && HasPointer<const Array&> && HasBytes<const Array&>);
static_assert(IsWritable<Array&> && HasXtensor<const Array&>);
static_assert(!HasElements<Array> && !HasElements<const Array>);
static_assert(!HasPointer<Array> && !HasPointer<const Array> && !HasBytes<Array> && !HasBytes<const Array>);
static_assert(!IsWritable<Array> && !HasXtensor<Array>);
// So f(x).data().elements<float>() does not compile, and x.data().elements<float>() does.
static_assert(std::is_same_v<DataOf<Variable>, Array> && std::is_same_v<DataOf<const Variable>, Array>);
static_assert(std::is_same_v<DataOf<Variable&>, const Array&>);
static_assert(std::is_same_v<decltype(std::declval<Variable>().grad()), Array>);
static_assert(std::is_same_v<decltype(std::declval<Variable>().shape()), Shape>);
static_assert(std::is_same_v<decltype(std::declval<Array>().shape()), Shape>);
static_assert(std::is_same_v<decltype(grad({}, {})[0]), Variable>);
static_assert(std::is_same_v<decltype(split({}, {})[0]), Variable>);

Variable seven() { return Variable(full({1000}, 7)) * 1; }
/// Takes the memory that was freed last.
Array other() { return full({1000}, 3); }

}  // namespace

TEST_CASE("temporaries: what a temporary Variable gives outlives it") {
  const auto& data = seven().data();
  const Array taken = other();
  float sum = 0;
  for (float x : data.elements<float>()) sum += x;
  CHECK(sum == 7000);
  long elements = 1;
  for (long n : reshape(seven(), {10, 100}).shape()) elements *= n;
  CHECK(elements == 1000);
  const std::vector<float> copy = seven().to_vector<float>();
  CHECK(copy == std::vector<float>(1000, 7));
  CHECK(seven().data().item(999) == 7);
}

TEST_CASE("temporaries: a gradient that is referred to lives") {
  const Variable x(full({1000}, 3), requires_grad);
  const auto& du = grad(square(x), {x})[0];
  const Array taken = other();
  CHECK(du.item(999) == 6);
  const auto& part = split(square(x), {1, 999})[1];
  CHECK(part.item(998) == 9);
}
