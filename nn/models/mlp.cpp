// Multi-layer perceptrons.
#include <xgrad/nn/models/mlp.hpp>

#include <xgrad/core/base/error.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {

MLP::MLP(const std::vector<long>& widths, const MLPOptions& o) : options(o) {
  expect(widths.size() >= 2, "MLP: {} widths are given; it needs those of the input and the output",
         widths.size());
  expect(o.activation, "MLP: the activation is null");
  expect(o.dropout >= 0 && o.dropout <= 1, "MLP: a dropout of {} is not a probability", o.dropout);
  for (std::size_t i = 1; i < widths.size(); ++i) {
    fc.emplace_back(widths[i - 1], widths[i], LinearOptions{.init = options.init ? options.init : he()});
    if (options.batch_norm && i + 1 < widths.size()) norm.emplace_back(widths[i], book_batch_norm);
  }
}

Variable MLP::operator()(const Variable& images) const {
  Variable x = flatten(images);
  for (std::size_t i = 0; i + 1 < fc.size(); ++i) {
    x = fc[i](x);
    if (options.batch_norm) x = norm[i](x);
    x = options.activation(x);
    if (options.dropout > 0) x = Dropout{.p = options.dropout, .inverted = false}(x);
  }
  return fc.back()(x);
}

}  // namespace xgrad
