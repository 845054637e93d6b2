#pragma once
// An intrusive reference count, the pointer that moves it, and how long chains end.
#include <atomic>
#include <utility>

namespace xgrad {

/// A pointer to a T that has retain() and release(); release() ends the object when nobody is left.
template <class T>
class Ref {
 public:
  Ref() = default;
  /// Takes over the one reference that a new object is born with.
  static Ref adopt(T* object) {
    Ref ref;
    ref.object_ = object;
    return ref;
  }
  explicit Ref(T* object) : object_(object) {
    if (object_) object_->retain();
  }
  Ref(const Ref& other) : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_) object_->release();
  }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  bool operator==(const Ref&) const = default;
  /// Gives the reference away without releasing it.
  T* detach() { return std::exchange(object_, nullptr); }

 private:
  T* object_ = nullptr;
};

/// Objects that are about to be freed, each of which may free others: in a loop, since chains of 200,000
/// would be too deep a recursion, and linked by a member `next_doomed` of their own, since destructors cannot
/// fail.
template <class T>
class Doomed {
 public:
  /// Frees the object, at once or, inside of another's destructor, after that.
  void free(T* object) {
    object->next_doomed = std::exchange(first_, object);
    if (std::exchange(busy_, true)) return;
    while (first_) {
      T* next = first_;
      first_ = next->next_doomed;
      delete next;
    }
    busy_ = false;
  }

 private:
  T* first_ = nullptr;
  bool busy_ = false;
};

}  // namespace xgrad
