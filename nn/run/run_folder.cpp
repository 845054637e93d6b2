// Folders of training runs.
#include <xgrad/nn/run/run_folder.hpp>

#include <map>
#include <numeric>
#include <string_view>

#include <xgrad/core/base/build.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/files.hpp>
#include <xgrad/core/base/memory.hpp>
#include <xgrad/nn/formats/json.hpp>
#include <xgrad/nn/run/training_state.hpp>

namespace xgrad {
namespace {

using detail::Json;

/// A curve: its steps and values.
using Curve = std::vector<std::pair<long, double>>;

/// What a key is drawn with: "accuracy", "loss" or the name of another metric; "" where it is not drawn.
std::string panel_of(const std::string& key) {
  for (const char* word : {"accuracy", "loss"})
    if (key.find(word) != key.npos) return word;
  for (const std::string prefix : {detail::train_prefix, detail::validation_prefix})
    if (key.starts_with(prefix)) return key.substr(prefix.size());
  return "";
}

/// The curves of each panel, by key.
std::map<std::string, std::map<std::string, Curve>> read_curves(const std::filesystem::path& metrics) {
  std::map<std::string, std::map<std::string, Curve>> panels;
  for (auto& line : read_metrics(metrics))
    for (auto& [key, value] : line.numbers)
      if (const std::string panel = panel_of(key); line.step && !panel.empty())
        panels[panel][key].emplace_back(*line.step, value);
  return panels;
}

/// "test_accuracy_1000" -> "test accuracy 1000". Keys come from a file and must not become part of the
/// script: every character that could mean something to gnuplot within quotes is replaced.
std::string title(std::string key) {
  constexpr std::string_view signs = " .-+()/,:";
  for (char& c : key)
    if (c == '_')
      c = ' ';
    else if (!('0' <= c && c <= '9') && !('a' <= c && c <= 'z') && !('A' <= c && c <= 'Z') &&
             signs.find(c) == signs.npos)
      c = '?';
  return key.substr(0, 80);
}

/// A gnuplot command for the curves of a panel, and their data.
std::string commands_of(const std::map<std::string, Curve>& curves) {
  std::string command, data;
  int color = 1;
  for (auto& [key, points] : curves) {
    const bool reported = key.starts_with("reported_");
    command +=
        fmt::format("{} '-' with {} lw 2 lc {} {} title '{}'", command.empty() ? "plot" : ",",
                    points.size() > 1 ? "lines" : "points", color++, reported ? "dt 2" : "", title(key));
    for (auto& [step, value] : points) data += fmt::format("{} {}\n", step, value);
    data += "e\n";
  }
  return command + "\n" + data;
}

constexpr const char *settings_name = "settings.json", *metrics_name = "metrics.jsonl",
                     *checkpoint_name = "checkpoint.safetensors", *parameters_name = "parameters.safetensors",
                     *curves_name = "curves.svg";

/// What a killed program has left is removed; it can be as large as a checkpoint.
void clear(const std::filesystem::path& folder) {
  for (const char* name : {settings_name, metrics_name, checkpoint_name, parameters_name, curves_name})
    remove_unfinished(folder / name);
}

/// Begins a run in a folder, or resumes the one that is there. Returns the build that began it, where
/// that is another one.
std::string prepare(const std::filesystem::path& folder, bool resume, const Settings& settings) {
  if (std::filesystem::exists(folder / settings_name)) {
    expect(resume, "{}: already holds a run; choose another --out, or --resume", folder.string());
    const std::string build = build_info();
    std::string other_build;
    for (auto& [key, theirs] : load_settings(folder)) {
      if (key == "build" && theirs != build) other_build = theirs;
      for (auto& [name, ours] : settings)
        expect(name != key || ours == theirs,
               "{}: the run there has {} {}, not {}; --resume needs the settings that it was started with",
               folder.string(), key, theirs, ours);
    }
    clear(folder);
    return other_build;
  }
  expect(!std::filesystem::exists(folder / metrics_name), "{}: already holds a run; choose another --out",
         folder.string());
  clear(folder);
  replace_file(folder / settings_name, [&](std::ostream& out) {
    out << '{';
    for (auto& [key, value] : settings)
      out << "\n  " << detail::json_of(key) << ": " << detail::json_of(value) << ',';
    out << "\n  \"build\": " << detail::json_of(build_info()) << "\n}\n";
  });
  return {};
}

long steps_in(const std::filesystem::path& checkpoint) {
  return has_training(checkpoint) ? load_training(checkpoint).progress.step : 0;
}

}  // namespace

RunFolder::RunFolder(const std::string& job, const std::filesystem::path& folder, bool resume,
                     const Settings& settings)
    : path_(folder.empty() ? new_run_folder(job) : folder),
      lock_((make_folder(path_), path_)),
      other_build_(prepare(path_, resume, settings)),
      steps_done_(steps_in(checkpoint())),
      metrics_(path_ / metrics_name, steps_done_) {}

std::filesystem::path RunFolder::checkpoint() const { return path_ / checkpoint_name; }

std::filesystem::path RunFolder::parameters() const { return path_ / parameters_name; }

double RunFolder::training_seconds() const {
  const auto parts = metrics_.column("seconds");
  return std::accumulate(parts.begin(), parts.end(), 0.);
}

Drawing RunFolder::finish(MetricsLog::Entries last) {
  last.emplace_back("training_seconds", training_seconds());
  last.emplace_back("peak_mb", double(memory::peak()) / 1e6);
  metrics_.write(last);
  return plot_curves(path_ / metrics_name, path_ / curves_name);
}

std::filesystem::path new_run_folder(const std::string& job) {
  make_folder("runs");
  for (int i = 1;; ++i) {
    const std::filesystem::path folder = fmt::format("runs/{}{}", job, i > 1 ? fmt::format("-{}", i) : "");
    std::error_code error;
    if (std::filesystem::create_directory(folder, error)) return folder;  // false: it is there
    expect(!error || std::filesystem::exists(folder), "{}: this folder cannot be created: {}",
           folder.string(), error.message());
  }
}

Settings load_settings(const std::filesystem::path& folder) {
  const auto file = folder / settings_name;
  expect(std::filesystem::exists(file), "{}: this folder holds no run (no {})", folder.string(),
         settings_name);
  Reader in(file);
  Settings settings;
  detail::read_object(in, [&](const std::string& key, const Json& value) {
    in.expect(value.is_primitive() && !value.is_null(), "the setting {} is {}, neither a string nor a number",
              key, value.dump().substr(0, 80));
    settings.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
  });
  return settings;
}

Drawing plot_curves(const std::filesystem::path& metrics, const std::filesystem::path& svg) {
  auto panels = read_curves(metrics);
  std::vector<std::string> shown;
  for (const char* name : {"accuracy", "loss"})
    if (panels.contains(name)) shown.push_back(name);
  if (shown.empty()) return {fmt::format("{} holds no accuracy and no loss by step", metrics.string())};
  constexpr std::size_t most_others = 4;
  const std::size_t limit = shown.size() + most_others;
  for (auto& [name, curves] : panels)
    if (name != "accuracy" && name != "loss" && shown.size() < limit) shown.push_back(name);
  std::string script =
      fmt::format("set multiplot layout {},1\nset grid lc rgb '#dddddd'\nset xlabel 'step'\n", shown.size());
  for (auto& name : shown)
    script += fmt::format("set key {} right\nset ylabel '{}'\n{}", name == "accuracy" ? "bottom" : "top",
                          title(name), commands_of(panels[name]));
  script += "unset multiplot\n";
  return plot(script, 760, 60 + 280 * int(shown.size()), svg);
}

}  // namespace xgrad
