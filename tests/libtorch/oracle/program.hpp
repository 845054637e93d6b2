#pragma once
// Random programs: leaves, and instructions that are rows of one table, which calls xgrad and libtorch.
#include <map>
#include <string>

#include <xgrad/core/array/random.hpp>
#include <xgrad/core/tape/variable.hpp>

namespace at {
class Tensor;
}

namespace xgrad::tests::oracle {

using Shapes = std::vector<Shape>;
using Variables = std::vector<Variable>;
using Tensors = std::vector<at::Tensor>;

/// What a row draws besides its operands; the code of a row names them a.axes, a.flag, a.n[0], a.r[0],
/// a.index.
struct Arguments {
  Axes axes = {};
  bool flag = false;
  std::vector<long> n = {};
  std::vector<double> r = {};
  Array index = {};
};

/// Where libtorch's results have an absolute error only: in derivatives that are made from the rounded
/// result, as 1 - y, where the function saturates; in x - mean, relative to the largest x.
enum class Inexact { no, saturated, centred };

/// An operation, or a variant of one. To cover another, add a row.
struct Row {
  std::string op;    ///< the public name
  std::string code;  ///< the call of xgrad as text
  Variable (*ours)(const Variables& x, const Arguments& a);
  at::Tensor (*theirs)(const Tensors& t, const Arguments& a);
  /// The shapes of the operands, given that of a value that there is; when the first differs from it, a new
  /// leaf is drawn.
  Shapes (*operands)(Generator& g, const Shape& first);
  Arguments (*arguments)(Generator& g, const Shapes& operands) = nullptr;
  Inexact inexact = Inexact::no;
};
/// The table.
const std::vector<Row>& rows();
std::vector<Row> elementwise_rows();
std::vector<Row> shape_rows();
std::vector<Row> network_rows();

struct Instruction {
  std::size_t row;
  std::vector<std::size_t> operands;  // leaves first, then the results of the instructions before
  std::uint64_t seed;                 // of the arguments, which follow from it and the shapes of the operands
};
struct Program {
  std::vector<Array> leaves;  // f64, representable in f32
  std::vector<Instruction> code;
};
/// The program of a seed. The last instruction's result is its value; nothing in it is unused.
Program invent(std::uint64_t seed);
/// Without what the last instruction does not need.
Program without_dead(Program p);
/// The program as code.
std::string text(const Program& p);

Arguments arguments_of(const Instruction& i, const Shapes& operands);
/// The values of a program: leaves first, in their order, then one for each instruction.
Variables run(const Program& p, DType dtype);

/// What is compared: values of all instructions, gradients of the leaves (of the last value times fixed
/// weights), and gradients of these gradients (times fixed weights). All as f64.
struct Results {
  std::vector<Array> values, first, second;
};
/// Fixed weights of a shape.
Array weights(std::uint64_t seed, const Shape& shape);
Results ours(const Program& p, DType dtype, bool with_second = true);
/// By libtorch in f64. Every operand, each time it is used, and every result are disturbed by relative noise,
/// in value and derivative; with `absolute`, rows that are inexact get an absolute noise too.
struct Noise {
  double size = 0;
  bool absolute = false;
  std::uint64_t seed = 0;
};
Results theirs(const Program& p, const Noise& noise = {});
std::string libtorch_version();

/// The rules by which a difference was explained, and how often.
using Explained = std::map<std::string, long>;
/// "" when both agree, or differ by a rule; else the first difference.
std::string difference(const Program& p, Explained& explained);
/// The smallest program found that still differs, in value, or by an error of the same side.
Program shrink(Program p);

}  // namespace xgrad::tests::oracle
