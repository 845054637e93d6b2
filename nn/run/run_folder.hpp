#pragma once
// The folder of a training run: what it was started with, how it went, and what it resumes from.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <xgrad/core/base/lock.hpp>
#include <xgrad/nn/run/metrics_log.hpp>
#include <xgrad/nn/run/plot.hpp>

namespace xgrad {

/// What decides the results of a run, by name, in the order in which it is shown. RunFolder adds "build", the
/// build_info() of the program that began it, which may be another one when it is resumed.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// settings.json, metrics.jsonl, checkpoint.safetensors, parameters.safetensors and curves.svg of one run.
class RunFolder {
 public:
  /// Begins a run in `folder`, in a new folder `runs/<job>` when it is empty; with `resume` resumes the
  /// run that is there, if there is one. Throws Error when there is a run and `resume` is not wanted, when
  /// the run there has other settings, when another program trains there (it holds a lock as long as this
  /// object lives), or when the folder cannot be written. Removes the unfinished files that a killed program
  /// has left there.
  RunFolder(const std::string& job, const std::filesystem::path& folder, bool resume,
            const Settings& settings);

  /// The folder.
  const std::filesystem::path& path() const { return path_; }
  /// The file for FitOptions::checkpoint.
  std::filesystem::path checkpoint() const;
  /// The file for the trained model, by save().
  std::filesystem::path parameters() const;
  /// The build that began the run, where that is not this one: the bits may then differ from those of a run
  /// that one build did alone. Else empty.
  const std::string& other_build() const { return other_build_; }
  /// Steps that were taken before this program began.
  long steps_done() const { return steps_done_; }
  /// metrics.jsonl: with `resume` it begins with the lines up to steps_done().
  MetricsLog& metrics() { return metrics_; }
  /// Of all lines of metrics, those of an interrupted program included: the sum of their "seconds".
  double training_seconds() const;
  /// Ends the run: a last line of metrics, to which the seconds of training and the peak of memory are added,
  /// and the curves, as plot_curves draws them.
  Drawing finish(MetricsLog::Entries last);

 private:
  std::filesystem::path path_;
  FolderLock lock_;
  std::string other_build_;
  long steps_done_;
  MetricsLog metrics_;
};

/// Makes a new folder `runs/<job>`, or `runs/<job>-2` and so on where those before are there. Throws Error
/// when it cannot be made.
std::filesystem::path new_run_folder(const std::string& job);

/// The settings of the run in a folder. Throws Error when there is none, or the file is not a JSON object of
/// texts and numbers, each given once. No more than 64 times its size and a MiB is taken in memory.
Settings load_settings(const std::filesystem::path& folder);

/// Draws the accuracies and losses of a metrics.jsonl against its steps, as SVG by gnuplot: keys that hold
/// "accuracy" and "loss"; those that begin with "reported_" as dashed lines; and by themselves up to four
/// other metrics, keys that begin with "train_" or "validation_". It is a failure when there are no accuracy
/// and no loss, and when gnuplot is not installed. Throws Error as read_metrics does, and when `svg` cannot
/// be written.
Drawing plot_curves(const std::filesystem::path& metrics, const std::filesystem::path& svg);

}  // namespace xgrad
