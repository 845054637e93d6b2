#pragma once
// clone: a copy of a model that has nothing in common with it.
#include <map>
#include <memory>

#include <xgrad/nn/visit.hpp>

namespace xgrad {
namespace detail {

/// The copies that have been made of what shared pointers hold.
class Copies {
 public:
  /// That of *original; null if there is none. Throws Error where the owner was met with another object.
  std::shared_ptr<void> find(const std::shared_ptr<const void>& original, const std::type_info& type) const;
  void add(const std::shared_ptr<const void>& original, const std::type_info& type,
           std::shared_ptr<void> copy);

 private:
  struct Copy {
    LayerKey original;
    std::shared_ptr<void> copy;
  };
  std::map<std::weak_ptr<const void>, Copy, std::owner_less<>> copies_;
};

template <class M>
void unshare(M& model, Copies& copies);

template <class T>
void unshare(std::shared_ptr<T>& pointer, Copies& copies) {
  using Object = std::remove_const_t<T>;
  static_assert(!std::is_polymorphic_v<T>,
                "clone: what a pointer to a polymorphic class points to cannot be copied");
  if constexpr (kind_of<std::shared_ptr<T>>() == Kind::pointer) {
    if (!pointer) return;
    if (auto copy = copies.find(pointer, typeid(Object))) {
      pointer = std::static_pointer_cast<Object>(copy);
      return;
    }
    auto copy = std::make_shared<Object>(std::as_const(*pointer));
    copies.add(pointer, typeid(Object), copy);
    pointer = copy;
    unshare(*copy, copies);
  }
}
template <class T>
void unshare(const std::shared_ptr<T>& pointer, Copies& copies) = delete;  // a const member
/// Replaces what the shared pointers of a model hold by copies of it.
template <class M>
void unshare(M& model, Copies& copies) {
  constexpr Kind kind = kind_of<std::remove_const_t<M>>();
  if constexpr (kind != Kind::leaf && kind != Kind::erased && kind != Kind::constant)
    each_part(model, [&](const std::string&, auto& part) { unshare(part, copies); });
}

}  // namespace detail

/// A copy of a model that shares nothing with it: what its std::shared_ptr hold is copied too, once for all
/// that share it. (`auto copy = net;` copies the pointers.) Gradients are not copied. Throws Error where two
/// pointers share an owner without pointing to the same object; does not compile for a model that cannot be
/// copied, as one with a std::unique_ptr: state() is a snapshot of any model.
template <class M>
M clone(const M& model) {
  static_assert(detail::is_copyable<M>,
                "clone: this model cannot be copied; state(model) is a snapshot of its data");
  M copy = model;
  detail::Copies copies;
  detail::unshare(copy, copies);
  return copy;
}

}  // namespace xgrad
