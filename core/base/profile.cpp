// Sums of time by name.
#include <xgrad/core/base/profile.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <new>

#include <xgrad/core/base/fork.hpp>
#include <xgrad/core/base/threads.hpp>

namespace xgrad::profile {
namespace {

std::mutex& guard() {
  static auto* mutex = [] {
    auto* made = new std::mutex;
    threads::keep_over_fork(*made);
    return made;
  }();
  return *mutex;
}
std::map<std::string, Row>& sums() {
  static auto* rows = new std::map<std::string, Row>;
  return *rows;
}
thread_local Scope* innermost = nullptr;

}  // namespace

std::atomic<bool> detail::on{false};

void start() {
  std::lock_guard lock(guard());
  sums().clear();
  detail::on = true;
}

std::vector<Row> stop() {
  detail::on = false;
  std::lock_guard lock(guard());
  std::vector<Row> rows;
  for (auto& [name, row] : sums()) rows.push_back(row);
  std::stable_sort(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.seconds > b.seconds; });
  return rows;
}

std::string table(const std::vector<Row>& rows, double seconds, long runs) {
  std::string text = fmt::format("{:>8} {:>6} {:>7}  {}\n", "ms", "%", "calls", "operation");
  double known = 0;
  const double each = double(runs);
  auto line = [&](double time, const std::string& calls, const std::string& name) {
    text += fmt::format("{:8.2f} {:6.1f} {:>7}  {}\n", time / each * 1e3,
                        seconds > 0 ? 100 * time / seconds : 0., calls, name);
  };
  for (auto& row : rows) {
    line(row.seconds, fmt::format("{:.3g}", double(row.calls) / each), row.name);
    known += row.seconds;
  }
  line(std::max(0., seconds - known), "", "everything else");
  line(seconds, "", "total");
  return text;
}

void Scope::begin(std::string name) {
  name_ = std::move(name);
  outer_ = &innermost;
  parent_ = innermost;
  innermost = this;
  watch_ = {};
}

void Scope::end() {
  const double seconds = watch_.seconds();
  *outer_ = parent_;
  if (parent_) parent_->inside_ += seconds;
  std::lock_guard lock(guard());
  try {
    Row& row = sums()[name_];
    row.name = name_;
    ++row.calls;
    row.seconds += std::max(0., seconds - inside_);  // the clock may have jumped
  } catch (const std::bad_alloc&) {                  // this measurement is lost, the work is not
  }
}

}  // namespace xgrad::profile
