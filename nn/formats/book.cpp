// The names and the layout that the book's programs give their parameters.
#include <algorithm>

#include <xgrad/core/base/error.hpp>
#include <xgrad/nn/formats/numpy.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad {

Tensors detail::from_book(const Tensors& book, const std::vector<NamedArray>& model,
                          const std::string& source) {
  Tensors result;
  long weights = 0, biases = 0;
  for (auto& [name, like] : model) {
    const bool weight = name == "weight" || name.ends_with(".weight");
    expect(weight || name == "bias" || name.ends_with(".bias"),
           "{}: the book has no counterpart of the model's {}", source, name);
    const std::string theirs = weight ? fmt::format("W{}", ++weights) : fmt::format("b{}", ++biases);
    const auto found =
        std::find_if(book.arrays.begin(), book.arrays.end(), [&](auto& a) { return a.name == theirs; });
    expect(found != book.arrays.end(), "{}: has no {}, which the model needs for {}", source, theirs, name);
    Array array = found->value.cast(like.dtype());
    if (weight && array.shape().rank() == 2) array = transpose(Variable(array)).data();
    result.arrays.push_back({name, array});
  }
  expect(result.arrays.size() == book.arrays.size(),
         "{}: holds {} arrays, the model {}; it belongs to another model", source, book.arrays.size(),
         result.arrays.size());
  return result;
}

}  // namespace xgrad
