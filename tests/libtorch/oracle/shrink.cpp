// Makes a program that differs smaller, as long as it still differs.
#include <cmath>
#include <set>

#include <xgrad/core/base/error.hpp>
#include "tests/libtorch/oracle/program.hpp"

namespace xgrad::tests::oracle {
namespace {

/// "" where nothing differs, which error it is, or that it is a number.
std::string kind(const Program& p) {
  Explained ignored;
  const std::string what = difference(p, ignored);
  return what.empty()                                ? ""
         : what.find("refuses") == std::string::npos ? "a number"
                                                     : what.substr(0, what.find('('));
}

/// The first elements along every axis.
Array cut(const Array& a, const Shape& shape) {
  std::vector<double> elements;
  const Strides strides = contiguous_strides(a.shape());
  for (long k = 0; k < shape.size(); ++k) {
    long rest = k, place = 0;
    for (int axis = shape.rank(); axis-- > 0; rest /= shape[axis])
      place += rest % shape[axis] * strides[axis];
    elements.push_back(a.data<double>()[place]);
  }
  return Array(shape, elements);
}

/// Ends with an earlier instruction, or leaves one out: its users take an operand, or a leaf with its value.
std::vector<Program> with_less_code(const Program& p) {
  std::vector<Program> less;
  for (std::size_t k = 0; k + 1 < p.code.size(); ++k) {
    Program shorter = p;
    shorter.code.resize(k + 1);
    less.push_back(without_dead(shorter));
  }
  const std::size_t leaves = p.leaves.size();
  const Variables values = run(p, DType::f64);
  for (std::size_t k = 0; k + 1 < p.code.size(); ++k) {
    for (auto operand : p.code[k].operands) {
      Program skipped = p;
      for (auto& i : skipped.code)
        for (auto& o : i.operands)
          if (o == leaves + k) o = operand;
      less.push_back(without_dead(skipped));
    }
    Program given = p;  // one leaf more: what comes after the leaves moves on by one
    given.leaves.push_back(values[leaves + k].data().copy());
    for (auto& i : given.code)
      for (auto& o : i.operands) o = o == leaves + k ? leaves : o < leaves ? o : o + 1;
    less.push_back(without_dead(given));
  }
  return less;
}

std::vector<Program> with_smaller_shapes(const Program& p) {
  std::set<long> lengths;
  for (auto& leaf : p.leaves)
    for (long n : leaf.shape()) lengths.insert(n);
  std::vector<Program> smaller;
  for (long length : lengths)
    for (long by : {1l, 2l, length / 2, length - 1}) {
      if (by <= 0 || by >= length) continue;
      Program cut_down = p;
      for (auto& leaf : cut_down.leaves) {
        Shape shape = leaf.shape();
        for (int axis = 0; axis < shape.rank(); ++axis)
          if (shape[axis] == length) shape[axis] = by;
        leaf = cut(leaf, shape);
      }
      smaller.push_back(cut_down);
    }
  for (std::size_t i = 0; i < p.leaves.size(); ++i)
    if (p.leaves[i].rank() && p.leaves[i].dim(0) > 0) {  // without its first axis
      Program flatter = p;
      Shape shape = p.leaves[i].shape();
      shape[0] = 1;
      const Array first = cut(p.leaves[i], shape);
      shape.erase(0);
      flatter.leaves[i] = first.reshape(shape);
      smaller.push_back(flatter);
    }
  return smaller;
}

std::vector<Program> with_simpler_elements(const Program& p) {
  std::vector<Program> simpler;
  auto change = [&](std::size_t i, long first, long last, auto f) {
    Program changed = p;
    double* x = changed.leaves[i].mutable_data<double>();
    bool any = false;
    for (long e = first; e < last; ++e) {
      const double y = f(x[e]);
      any |= y != x[e] && !(std::isnan(y) && std::isnan(x[e]));
      x[e] = y;
    }
    if (any) simpler.push_back(changed);
  };
  auto one = [](double x) { return x == 0 ? x : 1.0; };
  for (std::size_t i = 0; i < p.leaves.size(); ++i) {
    const long n = p.leaves[i].size();
    change(i, 0, n, one);
    change(i, 0, n, [](double x) { return std::abs(x) < 1e6 ? std::round(x) : x; });
    for (long e = 0; e < std::min(n, 12l); ++e) {
      change(i, e, e + 1, one);
      change(i, e, e + 1, [](double x) { return std::abs(x) < 1e6 ? std::round(x) : x; });
    }
  }
  return simpler;
}

}  // namespace

Program shrink(Program p) {
  const std::string wanted = kind(p);
  for (int tries = 0; tries < 400;) {
    bool found = false;
    for (auto* candidates : {with_less_code, with_smaller_shapes, with_simpler_elements}) {
      std::vector<Program> all;
      try {
        all = candidates(p);
      } catch (const std::exception&) {  // what xgrad refuses has no values to begin with
      }
      for (auto& candidate : all) {
        ++tries;
        if (kind(candidate) != wanted) continue;
        p = candidate;
        found = true;
        break;
      }
      if (found) break;
    }
    if (!found) return p;
  }
  return p;
}

}  // namespace xgrad::tests::oracle
