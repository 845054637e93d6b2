// The copies of what a model's pointers share.
#include <xgrad/nn/clone.hpp>

#include <xgrad/core/base/error.hpp>

namespace xgrad::detail {

std::shared_ptr<void> Copies::find(const std::shared_ptr<const void>& original,
                                   const std::type_info& type) const {
  const auto found = copies_.find(original);
  if (found == copies_.end()) return nullptr;
  expect(found->second.original == LayerKey(original.get(), type),
         "clone: two pointers of the model share an owner, but not the object that they point to; such a "
         "model cannot be copied");
  return found->second.copy;
}
void Copies::add(const std::shared_ptr<const void>& original, const std::type_info& type,
                 std::shared_ptr<void> copy) {
  copies_.insert_or_assign(original, Copy{{original.get(), type}, std::move(copy)});
}

}  // namespace xgrad::detail
