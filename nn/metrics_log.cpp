// Metrics as JSON lines.
#include "nn/metrics_log.hpp"

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.hpp"

namespace xgrad {

MetricsLog::MetricsLog(const std::filesystem::path& path) : path_(path), out_(path) {
  expect(bool(out_), "{}: cannot be written: {}", path_.string(), std::strerror(errno));
}

void MetricsLog::write(std::initializer_list<std::pair<const char*, Value>> entries) {
  nlohmann::ordered_json line = nlohmann::ordered_json::object();
  for (auto& [key, value] : entries) std::visit([&, key = key](auto& v) { line[key] = v; }, value);
  out_ << line.dump() << std::endl;
  expect(bool(out_), "{}: cannot be written: {}", path_.string(), std::strerror(errno));
}

}  // namespace xgrad
