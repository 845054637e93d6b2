// Compares what goes into an operation or a rule with what comes out.
#include <xgrad/core/tape/anomaly.hpp>

#include <cmath>

#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace {

thread_local bool is_detecting = false;

/// The worst element: a NaN is worse than an infinity, and that than a finite number.
struct Worst {
  int rank = 0;
  long position = 0;
  double value = 0;

  explicit Worst(const Array& a) {
    if (!a.defined() || !is_f32_or_f64(a.dtype())) return;
    dispatch_floating(a.dtype(), [&]<class T>() {
      const T* elements = a.data<T>();
      for (long i = 0; i < a.size() && rank < 2; ++i) {
        const int found = std::isnan(elements[i]) ? 2 : std::isinf(elements[i]) ? 1 : 0;
        if (found > rank) rank = found, position = i, value = found == 2 ? NAN : double(elements[i]);
      }
    });
  }
};

}  // namespace

DetectAnomaly::DetectAnomaly() : detecting_(is_detecting, true) {}

bool anomaly::detecting() { return is_detecting; }

int anomaly::check(const std::string& what, const Array& result, std::span<const Array> from, int known) {
  const Worst worst(result);
  std::string shapes;
  for (auto& input : from) {
    known = std::max(known, Worst(input).rank);
    if (input.defined()) shapes += fmt::format("{}{}", shapes.empty() ? "" : ", ", input.shape());
  }
  if (worst.rank > known)
    fail("{} produced {} at {} of its result of shape {}, from shapes {}", what, worst.value,
         element_name(result.shape(), worst.position), result.shape(), shapes);
  return std::max(known, worst.rank);
}

}  // namespace xgrad
