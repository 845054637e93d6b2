// Metrics as JSON lines.
#include "nn/metrics_log.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/files.hpp"

namespace xgrad {

using Json = nlohmann::ordered_json;

MetricsLog::MetricsLog(const std::filesystem::path& path, long keep_steps) : path_(path) {
  std::ifstream in(path);
  long number = 0;
  for (std::string line; keep_steps > 0 && std::getline(in, line);) {
    const Json entry = Json::parse(line, nullptr, false);
    ++number;
    expect(entry.is_object(), "{}: line {} is not a JSON object", path.string(), number);
    const auto step = entry.find("step");
    if (step == entry.end()) continue;
    expect(step->is_number_integer(), "{}: line {}: the step is {}, not an integer", path.string(), number,
           step->dump());
    if (step->get<long>() <= keep_steps) lines_.push_back(line);
  }
  in.close();
  replace();
}

void MetricsLog::write(const Entries& entries) {
  Json line = Json::object();
  for (auto& [key, value] : entries) std::visit([&, key = key](auto& v) { line[key] = v; }, value);
  lines_.push_back(line.dump());
  replace();
}

std::vector<double> MetricsLog::column(const char* key) const {
  std::vector<double> numbers;
  for (auto& line : lines_) {
    const Json entry = Json::parse(line);
    if (const auto found = entry.find(key); found != entry.end() && found->is_number())
      numbers.push_back(found->get<double>());
  }
  return numbers;
}

void MetricsLog::replace() const {
  replace_file(path_, [&](std::ostream& out) {
    for (auto& line : lines_) out << line << '\n';
  });
}

}  // namespace xgrad
