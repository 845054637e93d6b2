// Random programs: against a plain reference, and bit by bit however they are run.
#include <xgrad/core/array/map.hpp>
#include "tests/catch.hpp"
#include "tests/core/fuzz_program.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

template <class V>
struct ElementOf {
  using type = V;
};
template <class T>
struct ElementOf<pack::Pack<T>> {
  using type = T;
};
template <class V>
constexpr bool is_whole = std::is_integral_v<typename ElementOf<V>::type>;

// The operations, over packs and over single elements. None enlarges an error, and all results stay small.
template <class V>
V limit(V v) {
  if constexpr (is_whole<V>)
    return pack::minimum(pack::maximum(v, V(-1000)), V(1000));
  else
    return v * V(.5);
}
struct Sum {
  auto operator()(auto a, auto b) const { return limit(a + b); }
};
struct Difference {
  auto operator()(auto a, auto b) const { return limit(a - b); }
};
struct Product {
  template <class V>
  V operator()(V a, V b) const {
    if constexpr (is_whole<V>)
      return limit(V(a * b));
    else
      return a * b;
  }
};
struct Larger {
  auto operator()(auto a, auto b) const { return pack::maximum(a, b); }
};
struct Smaller {
  auto operator()(auto a, auto b) const { return pack::minimum(a, b); }
};
struct Negative {
  auto operator()(auto a) const { return -a; }
};
struct Arch {
  template <class V>
  V operator()(V a) const {
    if constexpr (is_whole<V>)
      return limit(V(V(7) - a * V(3)));
    else
      return V(1) - a * a * V(.5);
  }
};
struct Bell {
  template <class V>
  V operator()(V a) const {
    using std::exp;
    if constexpr (is_whole<V>)
      return limit(V(a * a - V(5)));
    else
      return exp(-(a * a));
  }
};
struct Median {
  auto operator()(auto a, auto b, auto c) const {
    return pack::maximum(pack::minimum(a, b), pack::minimum(pack::maximum(a, b), c));
  }
};
struct Quarter {
  auto operator()(auto a, auto b, auto c, auto d) const { return limit(limit(a + b) + limit(c + d)); }
};

/// Calls f with the operation of that number among those of as many operands.
template <class F>
auto with_operation(int operands, long number, F f) {
  if (operands == 1) return number % 3 == 0 ? f(Negative{}) : number % 3 == 1 ? f(Arch{}) : f(Bell{});
  if (operands == 3) return f(Median{});
  if (operands == 4) return f(Quarter{});
  switch (number % 5) {
    case 0:
      return f(Sum{});
    case 1:
      return f(Difference{});
    case 2:
      return f(Product{});
    case 3:
      return f(Larger{});
    default:
      return f(Smaller{});
  }
}

/// The program by core/lazy. T is the type of element.
template <class T>
std::vector<Array> run(const Program& p, std::uint64_t seed) {
  constexpr DType dtype = dtype_of<T>;
  std::vector<Array> nodes;
  for (auto& i : p.code) {
    auto in = [&](std::size_t k) -> Array& { return nodes[i.operands[k]]; };
    Array y;
    switch (i.kind) {
      case Instruction::leaf:
        if constexpr (std::is_integral_v<T>)
          y = Generator(seed + nodes.size()).integers(i.shape, -9, 10);
        else
          y = random_array(i.shape, seed + nodes.size(), DType::f64).cast(dtype);
        break;
      case Instruction::map:
        y = in(0);
        for (long k = 0; k < i.repeat; ++k)
          y = with_operation(int(i.operands.size()), i.number + k, [&]<class F>(F f) {
            if constexpr (std::is_invocable_v<F, T>)
              return map_numeric("one", f, y);
            else if constexpr (std::is_invocable_v<F, T, T>)
              return map_numeric("two", f, y, in(1));
            else if constexpr (std::is_invocable_v<F, T, T, T>)
              return map_numeric("three", f, y, in(1), in(2));
            else
              return map_numeric("four", f, y, in(1), in(2), in(3));
          });
        break;
      case Instruction::sum:  // brought back to the size of its elements
        y = lazy::reduce_to(ReduceKind::sum, in(0), i.shape);
        if (std::is_integral_v<T>)
          y = map_numeric("limit", Sum{}, y, number(0));
        else
          y = map_numeric("scale", Product{}, y, number(double(i.shape.size()) / double(in(0).size())));
        break;
      case Instruction::extreme:
        y = lazy::reduce_to(i.number % 2 ? ReduceKind::max : ReduceKind::min, in(0), i.shape);
        break;
      case Instruction::broadcast:
        y = lazy::broadcast_to("broadcast_to", in(0), i.shape);
        break;
      case Instruction::regroup:
        y = in(0).reshape({-1}).reshape(i.shape);
        break;
      case Instruction::demand:
        evaluate(in(0));
        break;
      case Instruction::write:
        in(0).template mutable_data<T>()[i.number] = T(i.value);
        break;
    }
    nodes.push_back(y.defined() ? y : in(0));
  }
  std::vector<Array> results;
  for (auto k : p.order) results.push_back(nodes[std::size_t(k)]);
  nodes.clear();
  if (seed % 2) evaluate(results);  // several results by one program
  for (auto& r : results) evaluate(r);
  return results;
}

/// For each element of the domain the place of the one that is repeated there.
std::vector<long> places(const Shape& shape, const Shape& domain) {
  std::vector<long> list{0};
  for (int axis = 0; axis < domain.rank(); ++axis) {
    const int own = axis - (domain.rank() - shape.rank());
    const long length = own < 0 ? 1 : shape[own];
    std::vector<long> longer;
    for (long place : list)
      for (long k = 0; k < domain[axis]; ++k) longer.push_back(place * length + (length == 1 ? 0 : k));
    list = std::move(longer);
  }
  return list;
}

/// The program node by node on plain vectors. R is double, or a 64-bit integer.
template <class R>
std::vector<std::vector<R>> reference(const Program& p, std::uint64_t seed) {
  std::vector<std::vector<R>> nodes;
  for (auto& i : p.code) {
    std::vector<std::vector<R>> in;
    for (auto operand : i.operands) in.push_back(nodes[operand]);
    const bool folds = i.kind == Instruction::sum || i.kind == Instruction::extreme;
    const bool spreads = i.kind == Instruction::map || i.kind == Instruction::broadcast;
    for (std::size_t k = 0; spreads && k < in.size(); ++k) {
      const auto from = places(p.code[i.operands[k]].shape, i.shape);
      std::vector<R> spread;
      for (long place : from) spread.push_back(in[k][std::size_t(place)]);
      in[k] = spread;
    }
    std::vector<R> y = in.empty() ? std::vector<R>() : in[0];
    if (i.kind == Instruction::leaf) {
      const Array a = std::is_integral_v<R> ? Generator(seed + nodes.size()).integers(i.shape, -9, 10)
                                            : random_array(i.shape, seed + nodes.size(), DType::f64);
      y.assign(a.data<R>(), a.data<R>() + a.size());
    }
    if (i.kind == Instruction::map)
      for (long k = 0; k < i.repeat; ++k)
        for (std::size_t e = 0; e < y.size(); ++e)
          y[e] = with_operation(int(in.size()), i.number + k, [&]<class F>(F f) -> R {
            if constexpr (std::is_invocable_v<F, R>)
              return f(y[e]);
            else if constexpr (std::is_invocable_v<F, R, R>)
              return f(y[e], in[1][e]);
            else if constexpr (std::is_invocable_v<F, R, R, R>)
              return f(y[e], in[1][e], in[2][e]);
            else
              return f(y[e], in[1][e], in[2][e], in[3][e]);
          });
    if (folds) {
      using Wide = std::conditional_t<std::is_integral_v<R>, R, long double>;
      const auto to = places(i.shape, p.code[i.operands[0]].shape);
      const bool sums = i.kind == Instruction::sum, largest = i.number % 2;
      std::vector<Wide> folded(std::size_t(i.shape.size()), sums ? 0 : largest ? -1e9 : 1e9);
      for (std::size_t e = 0; e < to.size(); ++e) {
        Wide& f = folded[std::size_t(to[e])];
        const Wide x = in[0][e];
        f = sums ? f + x : largest ? std::max(f, x) : std::min(f, x);
      }
      y.assign(folded.begin(), folded.end());
      if (sums)
        for (R& v : y) v = std::is_integral_v<R> ? limit(v) : v * R(double(y.size()) / double(to.size()));
    }
    if (i.kind == Instruction::write) {
      nodes[i.operands[0]][std::size_t(i.number)] = R(i.value);
      y = nodes[i.operands[0]];
    }
    nodes.push_back(y);
  }
  std::vector<std::vector<R>> results;
  for (auto k : p.order) results.push_back(nodes[std::size_t(k)]);
  return results;
}

template <class T>
void fuzz(std::uint64_t seeds, double tolerance) {
  using R = std::conditional_t<std::is_integral_v<T>, std::int64_t, double>;
  Restore restore;
  lazy::set_checking(true);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Program p = Inventor(seed).program();
    const auto expected = reference<R>(p, seed);
    lazy::set_fusion(false);
    threads::set(1);
    const auto plain = run<T>(p, seed);
    double worst = 0;
    for (std::size_t k = 0; k < plain.size(); ++k) {
      REQUIRE(plain[k].size() == long(expected[k].size()));
      for (std::size_t e = 0; e < expected[k].size(); ++e)
        worst = std::max(worst, std::abs(double(plain[k].template data<T>()[e]) - double(expected[k][e])));
    }
    INFO("program " << seed << " of " << name(dtype_of<T>));
    CHECK(worst <= tolerance);
    lazy::set_fusion(true);
    for (int count = 1; count <= 3; ++count) {
      threads::set(count);
      const auto fused = run<T>(p, seed);
      std::size_t equal = 0;
      for (std::size_t k = 0; k < plain.size(); ++k) equal += same_bits(plain[k], fused[k]);
      INFO(count << " threads");
      CHECK(equal == plain.size());
    }
  }
}

}  // namespace

TEST_CASE("fuzz: programs of f64 agree with a reference, and to the bit with and without fusion") {
  fuzz<double>(500, 1e-12);
}
TEST_CASE("fuzz: programs of f32 have the same bits with and without fusion") { fuzz<float>(250, 1e-4); }
TEST_CASE("fuzz: programs of i64 agree exactly") { fuzz<std::int64_t>(250, 0); }
