// What expect_consistent() finds in programs that are broken on purpose.
#include <functional>

#include <xgrad/core/array/map.hpp>
#include <xgrad/core/array/program.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {
struct Twice {
  auto operator()(auto v) const { return v + v; }
};
}  // namespace

TEST_CASE("array: an inconsistent program is an Error that names the broken invariant") {
  const Array x = random_array({64}), y = zeros({64});
  const auto fn = lazy::floating_steps<Twice, 1>.f64;
  auto program = [&] {  // y = 2 (2 x), and the sum of x
    lazy::Program p{};
    p.dtype = DType::f64;
    p.domain = {64};
    p.leaves.push_back({x.bytes(), DType::f64, 64, lazy::Walk({64}, {64}, lazy::short_run_of_leaf), true});
    p.steps = {{fn, 1, 1, {0}}, {fn, 2, 1, {1}}};
    p.stores = {{2, const_cast<char*>(y.bytes()), DType::f64}};
    p.reductions.push_back({ReduceKind::sum, 0, const_cast<char*>(y.bytes()),
                            lazy::Walk({}, {64}, lazy::short_run_of_sum), Shape{}});
    p.registers = 2;
    return p;
  };
  CHECK_NOTHROW(lazy::expect_consistent(program()));
  using Edit = std::function<void(lazy::Program&)>;
  const std::pair<Edit, std::string> broken[] = {
      {[](auto& p) { p.leaves[0].data = nullptr; }, "program: a leaf has no elements"},
      {[](auto& p) { p.leaves[0].data += 8; }, "program: a leaf that is read in place is not aligned"},
      {[](auto& p) { p.domain = {65}; }, "program: a leaf of 64 elements is read over (65,)"},
      {[](auto& p) { p.stores[0].operand = 0; }, "program: operand 0 is not a register"},
      {[](auto& p) { p.stores[0].out += 8; }, "program: a result's memory is not aligned"},
      {[](auto& p) { p.stores.push_back(p.stores[0]); }, "program: register 2 is stored twice"},
      {[](auto& p) { p.steps[0].fn = nullptr; }, "program: a step has no function for its dtype"},
      {[](auto& p) { p.steps[0].in[0] = 3; }, "program: operand 3 of 3"},
      {[](auto& p) { p.steps[0].in[0] = 2; }, "program: operand 2 is read before it is written"},
      {[](auto& p) { p.steps[0].out = 0; }, "program: a step writes to leaf 0"},
      {[](auto& p) { p.steps.push_back(p.steps[1]); }, "program: the result in register 2 is overwritten"},
      {[](auto& p) { p.steps.pop_back(); }, "program: a result is never written"},
      {[](auto& p) { p.reductions[0].operand = 3; },
       "program: a reduction reads operand 3, which nothing writes"},
      {[](auto& p) { p.reductions[0].out = nullptr; }, "program: a reduction has no memory for its result"},
      {[](auto& p) {
         p.reductions.push_back(p.reductions[0]);
         p.reductions[1].shape = {1};
       },
       "program: reductions to (1,) and to ()"},
      {[](auto& p) {
         p.leaves[0].overwritten = true;
         p.leaves[0].dtype = DType::f32;
       },
       "program: a leaf of f32 is overwritten in a program of f64"},
      {[](auto& p) { p.leaves[0].overwritten = true; },
       "program: leaf 0 is marked as overwritten, but is not"},
      {[](auto& p) {
         p.leaves[0].overwritten = true;
         p.stores[0].out = const_cast<char*>(p.leaves[0].data);
       },
       "program: leaf 0 is read after it is overwritten"},
  };
  for (auto& [edit, message] : broken) {
    lazy::Program p = program();
    edit(p);
    CHECK_THROWS_WITH(lazy::expect_consistent(p), message);
  }
}
