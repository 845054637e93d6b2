#pragma once
// The type of all errors.
#include <stdexcept>

namespace xgrad {

/// Every error that xgrad raises: "op: what is wrong", with the shapes or the file.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace xgrad
