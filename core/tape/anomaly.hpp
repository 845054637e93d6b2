#pragma once
// Finding where the first NaN or infinity comes from.
#include <span>
#include <string>

#include <xgrad/core/array/array.hpp>
#include <xgrad/core/base/scoped.hpp>

namespace xgrad {

/// While one is alive, operations on this thread are computed at their call and checked: `DetectAnomaly
/// detect;`. Throws Error from the operation that makes a NaN of inputs without one, or an infinity of finite
/// inputs, and from backward() and grad() where a gradient rule does: it names the operation, the element and
/// the shapes. Slow, for debugging. (PyTorch's detect_anomaly, which looks at gradients and for NaN only.)
class [[nodiscard]] DetectAnomaly {
 public:
  DetectAnomaly();

 private:
  Scoped<bool> detecting_;
};

/// What the tape calls.
namespace anomaly {
/// Whether a DetectAnomaly is alive on this thread.
bool detecting();
/// Throws Error when the result is worse than all that it was computed from, and than `known`: "<what>
/// produced nan ...". Returns how bad the worst of them is: 0 finite, 1 infinite, 2 NaN.
int check(const std::string& what, const Array& result, std::span<const Array> from, int known = 0);
}  // namespace anomaly

}  // namespace xgrad
