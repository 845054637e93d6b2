#pragma once
// Where the time goes: seconds by operation, each without what ran inside it.
#include <atomic>
#include <concepts>
#include <string>
#include <vector>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/stopwatch.hpp>

/// Measuring where the time goes.
namespace xgrad::profile {

/// What the calls of one operation took.
struct Row {
  std::string name;    ///< that of the Scope: the operation and its shapes
  long calls = 0;      ///< how often it ran
  double seconds = 0;  ///< of all calls, without the scopes inside them
};

/// Forgets what was measured and measures from now on, on all threads.
void start();
/// Ends measuring; the operations, those that took longest first.
std::vector<Row> stop();
/// The rows as a table of what one of `runs` took; `seconds` is the time of all of them.
std::string table(const std::vector<Row>& rows, double seconds, long runs = 1);

namespace detail {
extern std::atomic<bool> on;
}

/// Times work until its end, when a profile is being made; otherwise it costs one test: the name is made only
/// then.
class Scope {
 public:
  /// name() makes the name.
  template <std::invocable F>
  explicit Scope(F name) {
    if (detail::on.load(std::memory_order_relaxed)) begin(name());
  }
  /// The name is format(args...).
  template <class... Args>
  explicit Scope(fmt::format_string<const Args&...> format, const Args&... args) {
    if (detail::on.load(std::memory_order_relaxed)) begin(fmt::format(format, args...));
  }
  ~Scope() {
    if (outer_) end();
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  void begin(std::string name);
  void end();

  std::string name_;
  Scope** outer_ = nullptr;  // the thread's innermost scope, while this one is measured
  Scope* parent_ = nullptr;
  Stopwatch watch_;
  double inside_ = 0;  // seconds of scopes within this one
};

}  // namespace xgrad::profile
