#pragma once
// A value that is set for a scope.
#include <utility>

namespace xgrad {

/// Sets a value for a scope, also when that is left by an exception.
template <class T>
class Scoped {
 public:
  /// Sets it; what was there before comes back with the end of the scope.
  Scoped(T& place, T value) : place_(place), saved_(std::exchange(place, std::move(value))) {}
  ~Scoped() { place_ = std::move(saved_); }
  Scoped(const Scoped&) = delete;
  Scoped& operator=(const Scoped&) = delete;

 private:
  T& place_;
  T saved_;
};

}  // namespace xgrad
