// The invariants of every program, whatever has been recorded.
#include <algorithm>
#include <cstdint>

#include <xgrad/core/array/program.hpp>
#include <xgrad/core/base/error.hpp>

namespace xgrad::lazy {

void expect_consistent(const Program& p) {
  const int leaves = int(p.leaves.size()), operands = leaves + p.registers;
  auto aligned = [](const void* data) { return reinterpret_cast<std::uintptr_t>(data) % 64 == 0; };
  std::vector<bool> written(std::size_t(operands), false), result(std::size_t(operands), false);
  std::fill_n(written.begin(), leaves, true);
  for (auto& leaf : p.leaves) {
    expect(leaf.data, "program: a leaf has no elements");
    expect(leaf.dtype == p.dtype || leaf.dense || leaf.size < p.domain.size(),
           "program: a leaf of {} is read in place and converted", leaf.dtype);
    expect(!leaf.dense || aligned(leaf.data), "program: a leaf that is read in place is not aligned");
    expect(leaf.walk.dims.size() == p.domain.size(), "program: a leaf of {} elements is read over {}",
           leaf.walk.dims.size(), p.domain);
    expect(!leaf.overwritten || leaf.dtype == p.dtype,
           "program: a leaf of {} is overwritten in a program of {}", leaf.dtype, p.dtype);
  }
  for (auto& store : p.stores) {
    expect(store.operand >= leaves && store.operand < operands, "program: operand {} is not a register",
           store.operand);
    expect(store.out && aligned(store.out), "program: a result's memory is not aligned");
    expect(!result[std::size_t(store.operand)], "program: register {} is stored twice", store.operand);
    result[std::size_t(store.operand)] = true;
  }
  for (auto& step : p.steps) {
    expect(step.fn, "program: a step has no function for its dtype");
    for (int i = 0; i < step.inputs; ++i) {
      expect(step.in[i] >= 0 && step.in[i] < operands, "program: operand {} of {}", step.in[i], operands);
      expect(written[std::size_t(step.in[i])], "program: operand {} is read before it is written",
             step.in[i]);
    }
    expect(step.out >= leaves && step.out < operands, "program: a step writes to leaf {}", step.out);
    expect(!result[std::size_t(step.out)] || !written[std::size_t(step.out)],
           "program: the result in register {} is overwritten", step.out);
    written[std::size_t(step.out)] = true;
  }
  for (auto& store : p.stores)
    expect(written[std::size_t(store.operand)], "program: a result is never written");
  for (auto& reduce : p.reductions) {
    expect(reduce.operand >= 0 && reduce.operand < operands && written[std::size_t(reduce.operand)],
           "program: a reduction reads operand {}, which nothing writes", reduce.operand);
    expect(reduce.out, "program: a reduction has no memory for its result");
    expect(reduce.shape == p.reductions[0].shape, "program: reductions to {} and to {}", reduce.shape,
           p.reductions[0].shape);
  }
  // A leaf may be overwritten by a step that reads it, but nothing may read it after that.
  for (int i = 0; i < leaves; ++i) {
    if (!p.leaves[std::size_t(i)].overwritten) continue;
    auto reads = [=](auto& step) {
      return std::find(step.in, step.in + step.inputs, i) != step.in + step.inputs;
    };
    auto store = std::find_if(p.stores.begin(), p.stores.end(),
                              [&](auto& s) { return s.out == p.leaves[std::size_t(i)].data; });
    expect(store != p.stores.end(), "program: leaf {} is marked as overwritten, but is not", i);
    auto writer =
        std::find_if(p.steps.begin(), p.steps.end(), [&](auto& step) { return step.out == store->operand; });
    expect(
        std::none_of(writer + 1, p.steps.end(), reads) &&
            std::none_of(p.reductions.begin(), p.reductions.end(), [=](auto& r) { return r.operand == i; }),
        "program: leaf {} is read after it is overwritten", i);
  }
}

}  // namespace xgrad::lazy
