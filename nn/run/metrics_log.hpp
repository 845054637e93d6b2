#pragma once
// Metrics as JSON lines: one object a line, which every tool for data can read.
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <xgrad/nn/run/score.hpp>

namespace xgrad {

namespace detail {
/// What keys of an epoch's numbers begin with.
inline constexpr const char *train_prefix = "train_", *validation_prefix = "validation_";
}  // namespace detail

/// One line of metrics.
struct MetricsLine {
  std::string text;                                     ///< as it is in the file
  std::optional<long> step;                             ///< from 0 on; a last line has none
  std::vector<std::pair<std::string, double>> numbers;  ///< its keys that hold numbers, "step" too
};
/// The lines of a metrics.jsonl; none when there is no such file. Throws Error that names the file and the
/// line when one is not a JSON object, has a key twice or a "step" that is not a non-negative integer; when
/// it would take more than 64 times the memory of the file.
std::vector<MetricsLine> read_metrics(const std::filesystem::path& path);

/// A file of JSON lines, which holds whole lines only whenever it is read.
class MetricsLog {
 public:
  /// What a key of a line may hold.
  using Value = std::variant<double, long, std::string>;
  /// A line's keys with what they hold.
  using Entries = std::vector<std::pair<std::string, Value>>;

  /// Starts the file afresh, or with the lines it has whose "step" is at most `keep_steps`, for training that
  /// goes on. Throws Error as read_metrics does, and when it cannot be written.
  explicit MetricsLog(const std::filesystem::path& path, long keep_steps = 0);
  /// One line, in the given order. Numbers that are not finite become null. Throws Error when it cannot be
  /// written, and for a line that read_metrics would refuse.
  void write(const Entries& entries);
  /// A line for an epoch of fit(): "epoch", "step", "train_loss", "train_accuracy" where there is one, a
  /// "train_…" for each metric, the same as "validation_…" where there is a validation, "seconds".
  void write_epoch(const EpochReport& report);
  /// The numbers of a key, from all lines that have it.
  std::vector<double> column(const char* key) const;

 private:
  void replace() const;
  std::filesystem::path path_;
  std::vector<MetricsLine> lines_;
};

}  // namespace xgrad
