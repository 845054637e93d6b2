// Programs, run on other inputs, as text and as a picture.
#include <xgrad/core/tape/operations.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/tape/graph.hpp>

namespace xgrad {
namespace {

std::string written(const AttributeValue& value) {
  return std::visit(
      [](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::vector<long>>)
          return fmt::format("({})", fmt::join(v, ", "));
        else
          return fmt::format("{}", v);
      },
      value);
}

std::string attributes_of(const Operation& op) {
  std::string text;
  for (auto& a : op.attributes)
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", a.name, written(a.value));
  return text;
}

std::string type_of(const ProgramValue& v) { return fmt::format("{} {}", v.dtype, v.shape); }

/// How a value is called in text: by its name, a constant number by its value, a result by its index.
std::string called(const Program& program, int id) {
  if (id < 0) return "none";
  const ProgramValue& v = program.values[std::size_t(id)];
  if (!v.name.empty()) return v.name;
  if (!v.constant.defined()) return fmt::format("%{}", id);
  if (v.constant.size() == 1 && v.constant.data().is_number()) return fmt::format("{}", v.constant.item());
  return fmt::format("constant {}", type_of(v));
}

}  // namespace

std::vector<Variable> Program::operator()(const std::vector<Variable>& given) const {
  expect(given.size() == inputs.size(), "program: {} inputs were given, {} expected", given.size(),
         inputs.size());
  std::vector<Variable> at(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) at[i] = values[i].constant;
  for (std::size_t i = 0; i < given.size(); ++i) at[std::size_t(inputs[i])] = given[i];
  for (const Operation& op : operations) {
    std::vector<Variable> operands;
    for (int id : op.operands) operands.push_back(id < 0 ? Variable() : at[std::size_t(id)]);
    std::vector<Variable> results = op.call(operands);
    expect(results.size() == op.results.size(), "{}: {} results, not {} as when it was traced", op.name,
           results.size(), op.results.size());
    for (std::size_t i = 0; i < results.size(); ++i) at[std::size_t(op.results[i])] = std::move(results[i]);
  }
  std::vector<Variable> results;
  for (int id : outputs) results.push_back(at[std::size_t(id)]);
  return results;
}

std::string Program::text() const {
  auto list = [&](const std::vector<int>& ids, bool types) {
    std::string text;
    for (int id : ids)
      text += fmt::format("{}{}{}", text.empty() ? "" : ", ", called(*this, id),
                          types ? ": " + type_of(values[std::size_t(id)]) : "");
    return text;
  };
  std::string text = fmt::format("program ({})\n", list(inputs, true));
  for (const Operation& op : operations) {
    const std::string attributes = attributes_of(op);
    text +=
        fmt::format("  {} = {}({}{}{}){}\n", list(op.results, true), op.name, list(op.operands, false),
                    attributes.empty() ? "" : "; ", attributes, op.layer.empty() ? "" : "  # " + op.layer);
  }
  return text + fmt::format("  return {}\n", list(outputs, false));
}

std::string Program::graphviz() const {
  std::string boxes, arrows;
  std::vector<std::string> from(values.size());  // the box that a value comes from
  for (int id : inputs) {
    from[std::size_t(id)] = fmt::format("v{}", id);
    boxes += detail::graphviz_box(from[std::size_t(id)],
                                  called(*this, id) + "\n" + type_of(values[std::size_t(id)]), true);
  }
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const Operation& op = operations[i];
    std::string label = op.layer.empty() ? op.name : op.layer + "\n" + op.name;
    for (int id : op.operands) {
      if (id < 0) continue;
      const ProgramValue& v = values[std::size_t(id)];
      if (!from[std::size_t(id)].empty())
        arrows += fmt::format("  {} -> n{};\n", from[std::size_t(id)], i);
      else if (v.shape.rank() > 0 && v.constant.defined())
        label += fmt::format("\n{} {}", v.name.substr(v.name.rfind('.') + 1), v.shape);
    }
    for (int id : op.results) {
      from[std::size_t(id)] = fmt::format("n{}", i);
      label += fmt::format("\n{}", type_of(values[std::size_t(id)]));
    }
    boxes += detail::graphviz_box(fmt::format("n{}", i), label, false);
  }
  return detail::graphviz_picture(boxes, arrows);
}

}  // namespace xgrad
