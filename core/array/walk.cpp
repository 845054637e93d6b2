// Collapses the axes of a walk.
#include <xgrad/core/array/walk.hpp>

namespace xgrad::lazy {

Walk::Walk(const Shape& domain, const Strides& all) : strides{}, short_strides{} {
  int last = -1;
  for (int axis = 0; axis < domain.rank(); ++axis) {
    if (domain[axis] == 1) continue;
    if (last >= 0 && strides[last] == all[axis] * domain[axis]) {
      dims[last] *= domain[axis];
    } else {
      dims.push_back(domain[axis]);
      ++last;
    }
    strides[last] = all[axis];
  }
  if (last < 0) dims = {1};
}

Walk::Walk(const Shape& shape, const Shape& domain, long short_run)
    : Walk(domain, broadcast_strides(shape, domain)) {
  const int last = dims.rank() - 1;
  constexpr long longest = 1 << 16;
  if (last < 1 || strides[0] != 0 || strides[last] != 0 || dims[last] >= short_run) return;
  const long repetitions = dims[0], elements = domain.size() / repetitions;
  if (elements > longest || repetitions < 4) return;
  for (int i = 1; i <= last; ++i) short_dims.push_back(dims[i]), short_strides[i - 1] = strides[i];
  dims = {repetitions, elements};
  strides = {0, 1};
}

}  // namespace xgrad::lazy
