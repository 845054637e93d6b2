#pragma once
// Scratch memory of a kernel.
#include <xgrad/core/array/lazy.hpp>

namespace xgrad::kernels {

inline long round_up(long n, long unit) { return (n + unit - 1) / unit * unit; }

/// Uninitialised memory for elements of T, aligned to 64 bytes, from the pool.
template <class T>
class Scratch {
 public:
  explicit Scratch(long elements) : storage_(Storage::allocate(std::size_t(elements) * sizeof(T))) {}
  T* data() const { return reinterpret_cast<T*>(storage_->data); }
  operator T*() const { return data(); }

 private:
  Ref<Storage> storage_;
};

}  // namespace xgrad::kernels
