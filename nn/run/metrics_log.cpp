// Metrics as JSON lines.
#include <xgrad/nn/run/metrics_log.hpp>

#include <cmath>

#include <xgrad/core/base/files.hpp>
#include <xgrad/nn/formats/json.hpp>

namespace xgrad {
namespace {

using detail::Json;

MetricsLine read_line(Reader in, std::string text) {
  MetricsLine line{std::move(text), {}, {}};
  detail::read_object(in, [&](const std::string& key, const Json& value) {
    if (key == "step") {
      in.expect(value.is_number_unsigned() && std::in_range<long>(value.get<std::uint64_t>()),
                "the step is {}, not a non-negative integer", value.dump());
      line.step = value.get<long>();
    }
    if (value.is_number()) line.numbers.emplace_back(key, value.get<double>());
  });
  return line;
}

}  // namespace

std::vector<MetricsLine> read_metrics(const std::filesystem::path& path) {
  std::vector<MetricsLine> lines;
  if (!std::filesystem::exists(path)) return lines;
  for (Reader in(path); !in.at_end();) {
    const std::string text = in.line();
    lines.push_back(read_line(Reader(in, fmt::format("line {}", lines.size() + 1), text), text));
  }
  return lines;
}

MetricsLog::MetricsLog(const std::filesystem::path& path, long keep_steps) : path_(path) {
  if (keep_steps > 0) lines_ = read_metrics(path);
  std::erase_if(lines_, [&](auto& line) { return !line.step || *line.step > keep_steps; });
  replace();
}

void MetricsLog::write(const Entries& entries) {
  std::string text;
  for (auto& [key, value] : entries)
    text += fmt::format("{}{}:{}", text.empty() ? "{" : ",", detail::json_of(key),
                        std::visit([](auto& v) { return detail::json_of(v); }, value));
  text += text.empty() ? "{}" : "}";
  lines_.push_back(read_line(Reader(path_.string(), text), text));
  replace();
}

void MetricsLog::write_epoch(const EpochReport& report) {
  Entries entries{{"epoch", report.epoch}, {"step", report.steps}};
  auto append = [&](const std::string& prefix, const Score& score) {
    if (score.samples == 0) return;
    entries.emplace_back(prefix + "loss", score.loss);
    if (!std::isnan(score.accuracy)) entries.emplace_back(prefix + "accuracy", score.accuracy);
    for (auto& [name, value] : score.metrics)
      if (name != "accuracy") entries.emplace_back(prefix + name, value);
  };
  append(detail::train_prefix, report.train);
  append(detail::validation_prefix, report.validation);
  entries.emplace_back("seconds", report.train.seconds);
  write(entries);
}

std::vector<double> MetricsLog::column(const char* key) const {
  std::vector<double> numbers;
  for (auto& line : lines_)
    for (auto& [name, value] : line.numbers)
      if (name == key) numbers.push_back(value);
  return numbers;
}

void MetricsLog::replace() const {
  replace_file(path_, [&](std::ostream& out) {
    for (auto& line : lines_) out << line.text << '\n';
  });
}

}  // namespace xgrad
