// Random programs as data: drawn from a seed, run by xgrad, printed as code.
#include "tests/libtorch/oracle/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <xgrad/core/base/error.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/reduce.hpp>

namespace xgrad::tests::oracle {
namespace {

/// What the elements of the leaves of a program are.
enum class Kind { moderate, tied, huge, tiny, nonfinite };

Kind kind(Generator& g) {
  const long k = g.below(20);
  return k < 11   ? Kind::moderate
         : k < 14 ? Kind::tied
         : k < 16 ? Kind::huge
         : k < 17 ? Kind::tiny
                  : Kind::nonfinite;
}

double element(Generator& g, Kind kind) {
  const double moderate = std::ldexp(double(g.below(1 << 12) - (1 << 11)), -10);  // in [-2, 2)
  const long pick = g.below(8);
  switch (kind) {
    case Kind::moderate:
      return moderate;
    case Kind::tied:
      return double(g.below(3) - 1);
    case Kind::huge:
      return pick < 5 ? moderate : std::ldexp(moderate, 40);
    case Kind::tiny:
      return pick < 5 ? std::ldexp(moderate, -60) : moderate;
    case Kind::nonfinite: {
      const double special[] = {INFINITY, -INFINITY, NAN, 0, -0.0};
      return pick < 5 ? moderate : special[g.below(5)];
    }
  }
  return 0;
}

Array leaf(Generator& g, const Shape& shape, Kind kind) {
  std::vector<double> elements(std::size_t(shape.size()));
  for (double& x : elements) x = element(g, kind);
  return Array(shape, elements);
}

Shape some_shape(Generator& g) {
  Shape shape;
  for (long rank = g.below(5); rank > 0; --rank) {
    const long n[] = {0, 1, 1, 2, 3, 3, 4, 5, 7};
    shape.push_back(n[g.below(40) ? 1 + g.below(8) : 0]);
  }
  return shape;
}

/// Draws programs whose values are used, one after the other.
class Inventor {
 public:
  explicit Inventor(std::uint64_t seed) : g_(seed), kind_(kind(g_)) {}

  Program program() {
    add_leaf(some_shape(g_));
    for (long n = 2 + g_.below(7); n > 0; --n) add_instruction();
    return finished();
  }

 private:
  // Operands are numbered in the order in which values are made, and renumbered at the end.
  struct Made {
    Shape shape;
    bool leaf;
    std::size_t index;
  };

  std::size_t add_leaf(const Shape& shape) {
    p_.leaves.push_back(leaf(g_, shape, g_.below(3) ? kind_ : Kind::moderate));
    made_.push_back({shape, true, p_.leaves.size() - 1});
    values_.emplace_back(p_.leaves.back());
    return made_.size() - 1;
  }
  /// A value of that shape: one that there is, or a new leaf.
  std::size_t value_of(const Shape& shape) {
    std::vector<std::size_t> fitting;
    for (std::size_t i = 0; i < made_.size(); ++i)
      if (made_[i].shape == shape) fitting.push_back(i);
    return fitting.empty() || g_.below(3) == 0 ? add_leaf(shape)
                                               : fitting[std::size_t(g_.below(long(fitting.size())))];
  }
  void add_instruction() {
    const auto row = std::size_t(g_.below(long(rows().size())));
    const std::size_t last = made_.size() - 1;
    const std::size_t candidate = g_.below(4) ? last : std::size_t(g_.below(long(made_.size())));
    if (made_[candidate].shape.rank() > max_rank - 2) return;  // room for operations that add axes
    const Shapes shapes = rows()[row].operands(g_, made_[candidate].shape);
    Instruction i{row, {}, g_.next() >> 40};
    Variables x;
    for (std::size_t k = 0; k < shapes.size(); ++k) {
      i.operands.push_back(k == 0 && made_[candidate].shape == shapes[0] ? candidate : value_of(shapes[k]));
      x.push_back(values_[i.operands.back()]);
    }
    Variable y;
    try {
      y = rows()[row].ours(x, arguments_of(i, shapes));
    } catch (const Error& e) {
      throw Error(fmt::format("{}, which the table draws: {}", rows()[row].code, e.what()));
    }
    if (y.size() > 20000) return;
    p_.code.push_back(i);
    made_.push_back({y.shape(), false, p_.code.size() - 1});
    values_.push_back(y.detach());
  }
  Program finished() {
    if (p_.code.empty()) return p_;
    for (auto& i : p_.code)
      for (auto& operand : i.operands)
        operand = made_[operand].index + (made_[operand].leaf ? 0 : p_.leaves.size());
    return without_dead(p_);
  }

  Generator g_;
  Kind kind_;
  Program p_;
  std::vector<Made> made_;
  Variables values_;
};

std::string number(double x) {
  return std::isnan(x) ? "NAN" : std::isinf(x) ? (x > 0 ? "INFINITY" : "-INFINITY") : fmt::format("{}", x);
}
std::string list(const Array& a) {
  std::string text;
  const Array doubles = a.cast(DType::f64);
  const long shown = std::min(a.size(), 64l);
  for (long i = 0; i < shown; ++i) text += (i ? ", " : "") + number(doubles.data<double>()[i]);
  return "{" + text + (shown < a.size() ? fmt::format(", ... {} more", a.size() - shown) : "") + "}";
}
std::string dims(const Shape& shape) {
  return fmt::format("{{{}}}", fmt::join(shape.begin(), shape.end(), ", "));
}

void replace(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

}  // namespace

const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> rows = elementwise_rows();
    for (auto& more : {shape_rows(), network_rows()}) rows.insert(rows.end(), more.begin(), more.end());
    return rows;
  }();
  return all;
}

Program invent(std::uint64_t seed) { return Inventor(seed).program(); }

Program without_dead(Program p) {
  const std::size_t leaves = p.leaves.size();
  std::vector<bool> used(leaves + p.code.size());
  used.back() = true;
  for (std::size_t i = p.code.size(); i-- > 0;)
    if (used[leaves + i])
      for (auto operand : p.code[i].operands) used[operand] = true;
  Program result;
  std::vector<std::size_t> place(used.size());
  for (std::size_t i = 0, next = 0; i < used.size(); ++i) place[i] = used[i] ? next++ : 0;
  for (std::size_t i = 0; i < leaves; ++i)
    if (used[i]) result.leaves.push_back(p.leaves[i]);
  for (std::size_t i = 0; i < p.code.size(); ++i) {
    if (!used[leaves + i]) continue;
    for (auto& operand : p.code[i].operands) operand = place[operand];
    result.code.push_back(p.code[i]);
  }
  return result;
}

Arguments arguments_of(const Instruction& i, const Shapes& operands) {
  Generator g(i.seed);
  const Row& row = rows()[i.row];
  return row.arguments ? row.arguments(g, operands) : Arguments();
}

Variables run(const Program& p, DType dtype) {
  Variables values;
  for (auto& leaf : p.leaves) values.emplace_back(leaf.cast(dtype), requires_grad);
  for (auto& i : p.code) {
    Variables x;
    Shapes shapes;
    for (auto operand : i.operands) {
      x.push_back(values[operand]);
      shapes.push_back(x.back().shape());
    }
    values.push_back(rows()[i.row].ours(x, arguments_of(i, shapes)));
  }
  return values;
}

std::string text(const Program& p) try {
  NoGrad off;
  const Variables values = run(p, DType::f64);
  std::string all;
  for (std::size_t i = 0; i < p.leaves.size(); ++i)
    all += fmt::format("Variable v{}(Array(Shape{}, std::vector<double>{}), requires_grad);\n", i,
                       dims(p.leaves[i].shape()), list(p.leaves[i]));
  for (std::size_t k = 0; k < p.code.size(); ++k) {
    const Instruction& i = p.code[k];
    std::string code = rows()[i.row].code;
    Shapes shapes;
    for (auto operand : i.operands) shapes.push_back(values[operand].shape());
    const Arguments a = arguments_of(i, shapes);
    for (std::size_t j = 0; j < i.operands.size(); ++j)
      replace(code, fmt::format("x[{}]", j), fmt::format("v{}", i.operands[j]));
    for (std::size_t j = 0; j < a.n.size(); ++j)
      replace(code, fmt::format("a.n[{}]", j), std::to_string(a.n[j]));
    for (std::size_t j = 0; j < a.r.size(); ++j) replace(code, fmt::format("a.r[{}]", j), number(a.r[j]));
    replace(code, "a.axes", fmt::format("Axes{{{}}}", fmt::join(a.axes, ", ")));
    replace(code, "a.flag", a.flag ? "true" : "false");
    if (a.index.defined())
      replace(
          code, "a.index",
          fmt::format("Array(Shape{}, std::vector<std::int64_t>{})", dims(a.index.shape()), list(a.index)));
    const std::size_t name = p.leaves.size() + k;
    all += fmt::format("Variable v{} = {};  // {}\n", name, code, values[name].shape().str());
  }
  return all;
} catch (const std::exception& e) {
  return fmt::format("(xgrad refuses to run it: {})\n", e.what());
}

Array weights(std::uint64_t seed, const Shape& shape) {
  Generator g(seed, 1 << 20);
  std::vector<double> elements(std::size_t(shape.size()));
  for (double& x : elements) x = (g.below(2) ? 1 : -1) * (.5 + std::ldexp(double(g.below(1 << 10)), -10));
  return Array(shape, elements);
}

Results ours(const Program& p, DType dtype, bool with_second) {
  const Variables values = run(p, dtype);
  const Variables leaves(values.begin(), values.begin() + long(p.leaves.size()));
  const Variable& y = values.back();
  Results results;
  auto keep = [](const Variable& v) { return v.data().cast(DType::f64); };
  for (std::size_t i = p.leaves.size(); i < values.size(); ++i) results.values.push_back(keep(values[i]));
  auto zero = [&] {
    std::vector<Array> zero;
    for (auto& leaf : p.leaves) zero.push_back(zeros(leaf.shape(), DType::f64));
    return zero;
  };
  results.first = results.second = zero();
  if (!y.requires_grad()) return results;
  const Variables first = grad(
      y, leaves, {.create_graph = with_second, .grad_output = Variable(weights(0, y.shape()).cast(dtype))});
  Variable all(0.0);
  for (std::size_t i = 0; i < first.size(); ++i) {
    results.first[i] = keep(first[i]);
    if (with_second) all = all + sum(first[i] * Variable(weights(i + 1, first[i].shape()).cast(dtype)));
  }
  if (!with_second || !all.requires_grad()) return results;
  const Variables second = grad(all, leaves);
  for (std::size_t i = 0; i < second.size(); ++i) results.second[i] = keep(second[i]);
  return results;
}

}  // namespace xgrad::tests::oracle
