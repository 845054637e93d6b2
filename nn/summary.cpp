// Tables and pictures of models, from their operations.
#include <xgrad/nn/summary.hpp>

#include <algorithm>
#include <map>
#include <set>

#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace {

/// Multiplications of a convolution or a matrix product; 0 for other operations.
double multiply_adds(const Operation& op, const Program& program) {
  auto shape = [&](const std::vector<int>& ids, std::size_t i) {
    return program.values[std::size_t(ids[i])].shape;
  };
  auto share = [](const Shape& s) { return double(s.size()) / double(std::max(1l, s[0])); };
  if (op.name == "conv2d") return double(shape(op.results, 0).size()) * share(shape(op.operands, 1));
  if (op.name == "conv_transpose2d")
    return double(shape(op.operands, 0).size()) * share(shape(op.operands, 1));
  if (op.name != "matmul" && op.name != "linear") return 0;
  const Shape a = shape(op.operands, 0);  // (..., m, k), or (..., k, m)
  if (a.rank() == 0) return 0;
  const bool* transposed = op.attribute<bool>("transpose_a");
  const long k = a[a.rank() - (transposed && *transposed && a.rank() > 1 ? 2 : 1)];
  return double(shape(op.results, 0).size()) * double(k);
}

/// 37748736 -> "37.75 M".
std::string short_number(double n) {
  if (n < 1e3) return fmt::format("{}", n);
  if (n < 1e6) return fmt::format("{:.2f} k", n / 1e3);
  if (n < 1e9) return fmt::format("{:.2f} M", n / 1e6);
  return fmt::format("{:.2f} G", n / 1e9);
}

}  // namespace

Summary summary(const Program& program, const Parameters& parameters) {
  expect(program.inputs.size() == 1, "summary: the program has {} inputs, not one", program.inputs.size());
  std::map<std::string, long> unseen;  // parameters that no row has counted
  std::set<std::string> owners;
  Summary result{program.values[std::size_t(program.inputs[0])].shape, {}, 0, 0, 0};
  for (auto& p : parameters) {
    unseen[p.name] = p.value.size();
    owners.insert(layer_of(p.name));
    result.parameters += p.value.size();
    if (!p.value.requires_grad()) result.frozen += p.value.size();
  }
  std::set<int> data(program.inputs.begin(), program.inputs.end());  // what depends on the input
  long last_call = 0;
  for (const Operation& op : program.operations) {
    const std::string layer = owners.count(op.layer) ? op.layer : "";
    auto& rows = result.layers;
    if (rows.empty() || (!layer.empty() && (layer != rows.back().name || op.layer_call != last_call)))
      rows.push_back({layer, "", {}, 0, 0});
    if (!layer.empty()) last_call = op.layer_call;
    LayerSummary& row = rows.back();
    row.multiply_adds += multiply_adds(op, program);
    for (int id : op.operands)
      if (id >= 0)
        if (auto found = unseen.find(program.values[std::size_t(id)].name); found != unseen.end()) {
          row.parameters += found->second;
          unseen.erase(found);
        }
    // A parameter may be reshaped on its way: that belongs to the operation behind it.
    if (std::none_of(op.operands.begin(), op.operands.end(), [&](int id) { return data.count(id); }))
      continue;
    data.insert(op.results.begin(), op.results.end());
    row.shape = program.values[std::size_t(op.results[0])].shape;
    if ((" " + row.operations + " ").find(" " + op.name + " ") == std::string::npos)
      row.operations += (row.operations.empty() ? "" : " ") + op.name;
  }
  for (auto& row : result.layers) result.multiply_adds += row.multiply_adds;
  for (auto& p : parameters) {
    auto left = unseen.find(p.name);
    if (left == unseen.end()) continue;
    const std::string owner = layer_of(p.name), name = owner.empty() ? p.name : owner;
    if (result.layers.empty() || result.layers.back().name != name ||
        !result.layers.back().operations.empty())
      result.layers.push_back({name, "", {}, 0, 0});
    result.layers.back().parameters += left->second;
  }
  return result;
}

std::string Summary::text() const {
  std::size_t wide = 5;
  for (auto& l : layers) wide = std::max(wide, l.name.size());
  auto line = [=](const std::string& name, const std::string& shape, const std::string& parameters,
                  const std::string& work, const std::string& operations) {
    return fmt::format("{:{}}  {:20} {:>12} {:>14}  {}\n", name, wide, shape, parameters, work, operations);
  };
  std::string text = line("layer", "output", "parameters", "multiply-adds", "operations");
  text += line("input", fmt::format("{}", input), "", "", "");
  for (auto& l : layers)
    text += line(l.name, l.operations.empty() ? "" : fmt::format("{}", l.shape),
                 l.parameters ? fmt::format("{}", l.parameters) : "",
                 l.multiply_adds > 0 ? short_number(l.multiply_adds) : "",
                 l.operations.empty() ? "(not called)" : l.operations);
  return text + line("total", "", fmt::format("{}", parameters), short_number(multiply_adds),
                     frozen ? fmt::format("({} frozen)", frozen) : "");
}

Drawing write_graph(const Program& program, const std::string& svg) {
  return draw({"dot", "-Tsvg"}, program.graphviz(), svg);
}

}  // namespace xgrad
