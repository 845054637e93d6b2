// Dataset: taking a part of one.
#include <xgrad/datasets/dataset.hpp>

#include <cstring>

#include <xgrad/core/base/error.hpp>
#include <xgrad/datasets/arrays.hpp>

namespace xgrad {
namespace {

/// The rows [begin, end) of the first axis.
Array rows(const Array& from, long begin, long end) {
  const long stride = from.dim(0) ? from.byte_size() / from.dim(0) : 0;
  Shape shape = from.shape();
  shape[0] = end - begin;
  Array to(shape, from.dtype());
  if (to.size())
    std::memcpy(to.mutable_bytes(), from.bytes() + begin * stride, std::size_t((end - begin) * stride));
  return to;
}

}  // namespace

Dataset Dataset::slice(long begin, long end) const {
  expect(0 <= begin && begin <= end && end <= size(),
         "dataset: {} has {} images; the range [{}, {}) is invalid", name, size(), begin, end);
  return {name, rows(images, begin, end), rows(labels, begin, end), classes};
}

Dataset Dataset::select(std::span<const std::int64_t> indices) const {
  return {name, detail::select_rows(images, indices), detail::select_rows(labels, indices), classes};
}

}  // namespace xgrad
