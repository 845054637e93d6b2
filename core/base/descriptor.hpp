#pragma once
// A file descriptor that is closed with its scope.
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace xgrad {

/// Owns a file descriptor; a negative one is none.
class Descriptor {
 public:
  /// Takes it over.
  explicit Descriptor(int descriptor) : value_(descriptor) {}
  ///@{
  /// The other gives it away.
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ///@}
  /// Leaves errno as it is: it may say what went wrong before.
  ~Descriptor() {
    if (value_ < 0) return;
    const int error = errno;
    close(value_);
    errno = error;
  }

  /// The number that system calls take.
  int value() const { return value_; }
  /// Gives it away without closing it.
  int release() { return std::exchange(value_, -1); }
  /// Whether there is one.
  explicit operator bool() const { return value_ >= 0; }

 private:
  int value_;
};

}  // namespace xgrad
