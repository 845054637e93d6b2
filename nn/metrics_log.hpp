#pragma once
// Metrics as JSON lines: one object a line, which every tool for data can read.
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace xgrad {

/// A file of JSON lines, which holds whole lines only whenever it is read.
class MetricsLog {
 public:
  /// What a key of a line may hold.
  using Value = std::variant<double, long, std::string>;
  /// A line's keys with what they hold.
  using Entries = std::vector<std::pair<const char*, Value>>;

  /// Starts the file afresh, or with the lines it has whose "step" is at most `keep_steps`, for training that
  /// goes on. Throws Error when it cannot be written, or read.
  explicit MetricsLog(const std::filesystem::path& path, long keep_steps = 0);
  /// One line, in the given order. Numbers that are not finite become null. Throws Error when it cannot be
  /// written.
  void write(const Entries& entries);
  /// The numbers of a key, from all lines that have it.
  std::vector<double> column(const char* key) const;

 private:
  void replace() const;
  std::filesystem::path path_;
  std::vector<std::string> lines_;
};

}  // namespace xgrad
