#pragma once
// A program as a value: the operations that lead from inputs to outputs, to be read, drawn, counted and run
// on other inputs. core/tape/trace.hpp makes them.
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <xgrad/core/tape/variable.hpp>

namespace xgrad {

/// What an attribute of an operation can be: shapes, axes and pairs are lists.
using AttributeValue = std::variant<bool, long, double, std::string, std::vector<long>>;
/// An argument of an operation that is not an array.
struct Attribute {
  std::string name;      ///< "stride"
  AttributeValue value;  ///< as the operation was called
};

/// One call of a public operation.
struct Operation {
  std::string name;                   ///< "conv2d"
  std::vector<int> operands;          ///< in order, indices into Program::values; -1 where not given
  std::vector<Attribute> attributes;  ///< the other arguments, in order
  std::vector<int> results;           ///< indices into Program::values
  std::string layer;                  ///< the path of the layer that called it, "blocks.0.conv1"; "" for none
  long layer_call = 0;                ///< the same for operations of one call of a layer; 0 for none
  std::function<std::vector<Variable>(std::span<const Variable>)>
      call;  ///< the operation on other operands, recorded by the tape as usual

  /// The value of an attribute, or nullptr when there is none of that name and type.
  template <class T>
  const T* attribute(const std::string& wanted) const {
    for (auto& a : attributes)
      if (a.name == wanted) return std::get_if<T>(&a.value);
    return nullptr;
  }
};

/// What operations take and return.
struct ProgramValue {
  std::string name;  ///< of a parameter, "conv1.weight"; of an input, "x", or "x0", "x1", ...; else ""
  Shape shape;       ///< when it was traced
  DType dtype;       ///< when it was traced
  Variable
      constant;  ///< its value, where no operation of the program computes it: a parameter, a number, labels
};

/// Operations in the order in which they were called, and the values between them.
struct Program {
  std::vector<ProgramValue> values;   ///< inputs, constants and results
  std::vector<int> inputs;            ///< indices into values
  std::vector<int> outputs;           ///< indices into values
  std::vector<Operation> operations;  ///< those that lead to an output

  /// The outputs for other inputs, which may have other shapes where the operations allow it. Parameters are
  /// those of the model that was traced, and gradients reach them. Throws Error for another number of inputs,
  /// and as the operations do.
  std::vector<Variable> operator()(const std::vector<Variable>& inputs) const;
  /// One line for each operation.
  std::string text() const;
  /// A picture for Graphviz: `dot -Tsvg`.
  std::string graphviz() const;
};

}  // namespace xgrad
