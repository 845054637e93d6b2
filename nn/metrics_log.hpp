#pragma once
// Metrics as JSON lines: one object a line, which every tool for data can read.
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <utility>
#include <variant>

namespace xgrad {

/// Appends to a file of JSON lines; each line is on its way to the disk when write() returns.
class MetricsLog {
 public:
  using Value = std::variant<double, long, std::string>;

  /// Starts the file afresh. Throws Error when it cannot be written.
  explicit MetricsLog(const std::filesystem::path& path);
  /// One line, in the given order. Numbers that are not finite become null. Throws Error when it cannot be
  /// written.
  void write(std::initializer_list<std::pair<const char*, Value>> entries);

 private:
  std::filesystem::path path_;
  std::ofstream out_;
};

}  // namespace xgrad
