// Several threads at the tape at once: each builds graphs of its own over shared parameters.
#include <thread>

#include <xgrad/core/tape/tape.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

/// First and second gradients for a batch, by arrays beyond what is computed at once, sums that wait, and
/// small ones.
std::vector<Array> gradients(const Variable& w, const Variable& b, const Variable& slope,
                             std::uint64_t seed) {
  const Variable x(random_array({60, 90}, seed, DType::f32));
  const Variable h = tanh(x * w + b) * slope;
  const Variable centred = h - mean(h, {0}, keepdims);
  const Variable loss = mean(square(centred) + exp(-square(h)));
  const auto first = grad(loss, {w, b, slope}, {.create_graph = true});
  const Variable penalty = sum(square(first[0])) + sum(square(first[1]));
  const auto second = grad(penalty, {w, b, slope});
  std::vector<Array> result{loss.data()};
  for (auto& g : first) result.push_back(g.data());
  for (auto& g : second) result.push_back(g.data());
  for (auto& a : result) evaluate(a);
  return result;
}

}  // namespace

TEST_CASE("tape: threads build, differentiate and free graphs over shared parameters") {
  Restore restore;
  const Variable w(random_array({60, 90}, 1, DType::f32), requires_grad),
      b(random_array({90}, 2, DType::f32), requires_grad), slope(.7, requires_grad);
  const long before = live_nodes();
  for (int cores : {1, 2}) {
    threads::set(cores);
    constexpr int count = 3, rounds = 15;
    std::vector<std::vector<Array>> expected;
    for (std::uint64_t seed = 0; seed < count * rounds; ++seed)
      expected.push_back(gradients(w, b, slope, seed));
    std::atomic<int> wrong = 0;
    std::vector<std::thread> workers;
    for (int t = 0; t < count; ++t)
      workers.emplace_back([&, t] {
        for (int r = 0; r < rounds; ++r) {
          const std::size_t seed = std::size_t(t * rounds + r);
          const auto got = gradients(w, b, slope, seed);
          for (std::size_t i = 0; i < got.size(); ++i) wrong += !same_bits(got[i], expected[seed][i]);
        }
      });
    for (auto& worker : workers) worker.join();
    CHECK(wrong == 0);
  }
  CHECK(live_nodes() == before);
}

TEST_CASE("tape: results that wait may be shared by threads") {
  const Variable w(random_array({60, 90}, 1, DType::f32));
  const Variable row(random_array({90}, 2, DType::f32));
  for (int round = 0; round < 100; ++round) {
    const Variable chain = w * 2 + row, wide = broadcast_to(row * 3, {60, 90}),
                   total = sum_to(chain, {1, 90});
    std::vector<Array> results(3);
    std::vector<std::thread> workers;
    for (auto& result : results)
      workers.emplace_back([&] {
        result = sum_to((chain - total) * (wide + wide) + wide * wide, {1, 1}).data().copy();
      });
    for (auto& worker : workers) worker.join();
    CHECK(same_bits(results[0], results[1]));
    CHECK(same_bits(results[0], results[2]));
  }
}

TEST_CASE("tape: whether a thread records is its own affair") {
  const Variable x(1., requires_grad);
  NoGrad off;
  bool recorded = false;
  std::thread([&] { recorded = recording() && (x * 2).requires_grad(); }).join();
  CHECK(recorded);
  CHECK_FALSE(recording());
}

TEST_CASE("tape: a graph may be freed by another thread than the one that built it") {
  const long before = live_nodes();
  Variable y(1., requires_grad);
  for (int i = 0; i < 50'000; ++i) y = y * 1.0001;
  std::thread([y = std::move(y)]() mutable { y = Variable(); }).join();
  CHECK(live_nodes() == before);
}

TEST_CASE("tape: gradients that threads add to one leaf are all there") {
  for (long size : {1l, 10'000l}) {
    const Variable p(ones({size}), requires_grad);
    constexpr int count = 3, rounds = 300;
    std::vector<std::thread> workers;
    for (int t = 0; t < count; ++t)
      workers.emplace_back([&] {
        for (int r = 0; r < rounds; ++r) sum(p * 2).backward();
      });
    for (auto& worker : workers) worker.join();
    CHECK(values(p.grad()) == std::vector<double>(std::size_t(size), 2 * count * rounds));
  }
}
