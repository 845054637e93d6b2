// Slices, flips and transposes that wait: read in place by programs, whatever happens to what they were
// taken from.
#include <random>
#include <thread>

#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/memory.hpp>
#include <xgrad/core/base/profile.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/fusion.hpp"
#include "tests/helpers.hpp"

namespace xgrad::tests {
namespace {

Variable image() { return Variable(random_array({40, 6, 64}, 5, DType::f32)); }

/// What is computed while f runs, by the names in the profile.
template <class F>
std::vector<std::string> computed(F f) {
  profile::start();
  f();
  std::vector<std::string> names;
  for (auto& row : profile::stop()) names.push_back(row.name);
  return names;
}

}  // namespace

TEST_CASE("strided: a slice, a flip and a transpose are read by one program and never stored",
          "[ops][strided]") {
  const Variable x = image();
  const auto names = computed([&] {
    const Variable gate = slice(x, 1, 0, 3), value = slice(x, 1, 3, 6);
    evaluate((sigmoid(gate) * value).data());
    CHECK_FALSE(is_ready(gate.data()));
    CHECK_FALSE(is_ready(value.data()));
  });
  CHECK(names == std::vector<std::string>{"sigmoid mul (40, 3, 64)"});
  CHECK(computed([&] { evaluate((flip(x, 0) - 2 * x).data()); }).size() == 1);
  CHECK(computed([&] { evaluate(exp(transpose(x, {1, 0, 2})).data()); }).size() == 1);
  CHECK(computed([&] { evaluate(sum(flip(x, {0, 1})).data()); }).size() == 1);
}

TEST_CASE("strided: the same bits as copies, at every kind of consumer", "[ops][strided]") {
  auto run = [] {
    std::vector<Array> results;
    const Variable x = image(), row(random_array({1, 1, 64}, 6, DType::f32));
    const Variable reads[] = {slice(x, 0, 3, 33),
                              slice(x, 0, 1, 40, 2),
                              slice(x, 1, 1, 5),
                              slice(x, 1, 0, 6, 2),
                              slice(x, 2, 8, 56),
                              slice(x, 2, 1, 60),
                              flip(x, 0),
                              flip(x, {0, 1}),
                              transpose(x, {1, 0, 2}),
                              flip(slice(x, 1, 2, 5), 0),
                              transpose(flip(x, 1), {1, 0, 2})};
    for (const Variable& r : reads) {
      results.push_back((r * 2 + 1).data());
      results.push_back((cast(r, DType::f64) * .1).data());
      results.push_back(sum(r).data());
      results.push_back(sum(r, {0, 2}).data());
      results.push_back(max(exp(r), 1).data());
      results.push_back((broadcast_to(slice(r, 0, 0, 1), r.shape()) - r).data());
      results.push_back((r > 0).data());
      results.push_back(concat({r, r}, 1).data());
      results.push_back(reshape(r, {-1}).data());
      results.push_back(matmul(r, transpose(r, {0, 2, 1})).data());
      results.push_back(r.data());
      results.push_back((r + r).data());
    }
    std::string all;
    for (const Array& r : results) all += bits(r);
    return all;
  };
  check_same_fused(run);
}

TEST_CASE("strided: what it was taken from may be written and may go", "[ops][strided]") {
  Array x = random_array({40, 6, 64}, 5, DType::f32);
  const Array copy = x.copy();
  const Variable part = slice(Variable(x), 1, 0, 3);
  x.mutable_data<float>()[0] = 77;
  CHECK(part.data().data<float>()[0] == copy.data<float>()[0]);
  const Variable other = slice(Variable(x), 1, 0, 3);
  Variable y(x);
  x = Array();
  y = exp(y);  // the only handle to x: computed in its place if nothing reads it
  evaluate(y.data());
  CHECK(other.data().data<float>()[0] == 77);
  CHECK(same_bits(other.data().copy(), slice(Variable([&] {
                                               Array z = copy.copy();
                                               z.mutable_data<float>()[0] = 77;
                                               return z;
                                             }()),
                                             1, 0, 3)
                                           .data()
                                           .copy()));
  // A program that reads x and a part of x, and could write in place.
  Variable z(copy.copy());
  const Variable shifted = slice(z, 0, 0, 40, 1) + flip(z, 0);
  z = Variable();
  const Variable c(copy);
  CHECK(same_bits(shifted.data(), (c + flip(c, 0)).data()));
}

TEST_CASE("strided: a small part does not keep a large array", "[ops][strided]") {
  Variable x(random_array({100, 6, 64}, 5, DType::f32));
  const auto before = long(memory::in_use()), bytes = x.data().byte_size();
  const Variable part = slice(x, 0, 0, 20);
  CHECK(is_ready(part.data()));
  x = Variable();
  CHECK(long(memory::in_use()) <= before - bytes + part.data().byte_size() + 4096);
}

TEST_CASE("strided: gradients to second order are those of copies", "[ops][strided]") {
  const Restore restore;
  auto run = [] {
    const Variable x(random_array({40, 6, 64}, 5), requires_grad);
    const Variable y = sigmoid(slice(x, 1, 0, 3)) * flip(slice(x, 1, 3, 6), 0) +
                       square(transpose(slice(transpose(x, {1, 0, 2}), 0, 1, 4), {1, 0, 2}));
    const auto first = grad(sum(y * y), {x}, {.create_graph = true});
    return bits(first[0].data()) + bits(grad(sum(square(first[0])), {x})[0].data());
  };
  lazy::set_fusion(false);
  const std::string want = run();
  lazy::set_fusion(true);
  CHECK(run() == want);
}

TEST_CASE("strided: threads read one, and one of them stores it", "[ops][strided]") {
  for (int round = 0; round < 20; ++round) {
    const Variable part = slice(image(), 1, 0, 3);
    std::vector<std::string> results(4);
    std::vector<std::thread> all;
    for (std::size_t i = 0; i < results.size(); ++i)
      all.emplace_back([&, i] { results[i] = i % 2 ? bits((part * 1).data()) : bits(part.data()); });
    for (auto& thread : all) thread.join();
    for (auto& r : results) CHECK(r == results[0]);
  }
}

}  // namespace xgrad::tests
