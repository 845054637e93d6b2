// Indices and labels are Arrays or Variables of any type of integers; and what is not an axis is none.
#include <cmath>

#include <xgrad/core/tape/trace.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

const Array table = random_array({4, 3}, 1, DType::f32);
template <class A, class B>
concept Maximum = requires(A a, B b) {
  xgrad::max(a, b);
};
template <class A, class B>
concept Total = requires(A a, B b) {
  xgrad::sum(a, b);
};
template <class A, class B>
concept Softmax = requires(A a, B b) {
  xgrad::softmax(a, b);
};

// max(1.5, 2.5) was the largest element of 1.5 along axis 2; softmax(x, .5) that along axis 0.
static_assert(!Maximum<double, double> && !Maximum<Variable, double> && !Total<Variable, float>);
static_assert(!Total<Variable, bool> && !Softmax<Variable, double> && !Softmax<Variable, bool>);
static_assert(Maximum<Variable, int> && Total<Variable, long> && Softmax<Variable, int> &&
              Total<Variable, Axes>);

}  // namespace

TEST_CASE("indices: Variables of integers, as Arrays are", "[ops]") {
  const Variable x = table;
  for (DType dtype : {DType::i64, DType::i32, DType::u8}) {
    const Array labels = array<std::int64_t>({0, 2, 1, 2}).cast(dtype);
    const Variable as_variable = labels;
    CHECK(same_bits(cross_entropy(x, labels).data(), cross_entropy(x, as_variable).data()));
    CHECK(same_bits(nll_loss(x, labels).data(), nll_loss(x, as_variable).data()));
    CHECK(same_bits(take(x, labels).data(), take(x, as_variable).data()));
    CHECK(same_bits(embedding(x, labels).data(), embedding(x, as_variable).data()));
    CHECK(same_bits(one_hot(labels, 3), one_hot(as_variable, 3)));
    const Array column = labels.reshape({4, 1});
    CHECK(same_bits(gather(x, 1, column).data(), gather(x, 1, Variable(column)).data()));
    CHECK(same_bits(scatter_add(x, 1, column, ones({4, 1})).data(),
                    scatter_add(x, 1, Variable(column), ones({4, 1})).data()));
  }
}

TEST_CASE("indices: targets that are probabilities, as a Variable or an Array", "[ops]") {
  const Variable x = table, p = softmax(random_array({4, 3}, 2, DType::f32));
  CHECK(same_bits(cross_entropy(x, p).data(), cross_entropy(x, p.data()).data()));
  CHECK(cross_entropy(x, one_hot(array({0l, 2l, 1l, 2l}), 3)).item() ==
        Approx(cross_entropy(x, array({0l, 2l, 1l, 2l})).item()));
}

TEST_CASE("indices: a traced program takes other labels", "[ops]") {
  const Variable x = table, labels = array({0l, 2l, 1l, 2l}), others = array({1l, 1l, 0l, 0l});
  Trace trace;
  const Variable loss = cross_entropy(x, labels);
  const Program program = trace.program({x, labels}, {loss});
  CHECK(same_bits(program({x, others})[0].data(), cross_entropy(x, others).data()));
}
