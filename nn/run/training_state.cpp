// Training states as safetensors.
#include <xgrad/nn/run/training_state.hpp>

#include <cmath>
#include <filesystem>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/number_text.hpp>

namespace xgrad {
namespace {

constexpr const char* format_name = "xgrad training 1";
const std::string model_prefix = "model.", best_prefix = "best_model.", metric_prefix = "metric.";
constexpr std::uint64_t most_count = 1ull << 53;  // no training counts further, and doubles hold it

/// A number of the metadata.
template <class T>
T saved_number(const std::string& path, const Tensors& tensors, const std::string& key) {
  const auto entry = tensors.metadata.find(key);
  expect(entry != tensors.metadata.end(), "{}: this is not a training state: it has no {}", path, key);
  const std::string& text = entry->second;
  T value{};
  expect(read_number(text, value), "{}: {} is '{}', not a number", path, key, text);
  return value;
}

}  // namespace

void save_training(const std::string& path, const TrainingState& state) {
  Tensors tensors;
  for (auto& [name, array] : state.model) tensors.arrays.push_back({model_prefix + name, array});
  for (auto& [name, array] : state.best.model) tensors.arrays.push_back({best_prefix + name, array});
  for (auto& entry : state.optimizer) tensors.arrays.push_back(entry);
  const Progress& p = state.progress;
  tensors.metadata = {{"format", format_name},
                      {"generator_seed", fmt::format("{}", state.generator.seed())},
                      {"generator_position", fmt::format("{}", state.generator.position())},
                      {"generator_stream", fmt::format("{}", state.generator.stream())},
                      {"loader_seed", fmt::format("{}", state.loader[0])},
                      {"loader_epoch", fmt::format("{}", state.loader[1])},
                      {"loader_position", fmt::format("{}", state.loader[2])},
                      {"step", fmt::format("{}", p.step)},
                      {"loss", fmt::format("{}", p.loss)},
                      {"correct", fmt::format("{}", p.correct)},
                      {"labelled", fmt::format("{}", p.labelled)},
                      {"samples", fmt::format("{}", p.samples)},
                      {"seconds", fmt::format("{}", p.seconds)},
                      {"best_epoch", fmt::format("{}", state.best.epoch)},
                      {"best_value", fmt::format("{}", state.best.value)}};
  for (auto& [name, sum] : p.metrics) tensors.metadata[metric_prefix + name] = fmt::format("{}", sum);
  save_tensors(path, tensors);
}

TrainingState load_training(const std::string& path) {
  const Tensors tensors = load_tensors(path);
  const auto format = tensors.metadata.find("format");
  expect(format != tensors.metadata.end() && format->second == format_name,
         "{}: this is not a training state of xgrad; parameters alone are loaded with load()", path);
  TrainingState state;
  for (auto& [name, array] : tensors.arrays)
    if (name.starts_with(model_prefix))
      state.model.push_back({name.substr(model_prefix.size()), array});
    else if (name.starts_with(best_prefix))
      state.best.model.push_back({name.substr(best_prefix.size()), array});
    else
      state.optimizer.push_back({name, array});
  auto integer = [&](const char* key) { return saved_number<std::uint64_t>(path, tensors, key); };
  state.generator =
      Generator(integer("generator_seed"), integer("generator_position"), integer("generator_stream"));
  state.loader[0] = integer("loader_seed");
  state.loader[1] = integer("loader_epoch");
  state.loader[2] = integer("loader_position");
  expect(state.loader[1] <= most_count && state.loader[2] <= most_count,
         "{}: loader_epoch {} and loader_position {} are not a position in a data set", path, state.loader[1],
         state.loader[2]);
  Progress& p = state.progress;
  auto count = [&](const char* key) { return saved_number<long>(path, tensors, key); };
  auto number = [&](const std::string& key) { return saved_number<double>(path, tensors, key); };
  p = {count("step"), number("loss"), count("correct"), 0, count("samples"), number("seconds")};
  const bool validates = tensors.metadata.contains("labelled");  // written before there was a validation
  p.labelled = validates ? count("labelled") : p.samples;
  for (auto& [key, text] : tensors.metadata)
    if (key.starts_with(metric_prefix)) p.metrics[key.substr(metric_prefix.size())] = number(key);
  expect(0 <= p.step && p.step <= long(most_count) && 0 <= p.correct && p.correct <= p.labelled &&
             p.labelled <= p.samples && p.samples <= long(most_count) && std::isfinite(p.loss) &&
             p.seconds >= 0 && std::isfinite(p.seconds),
         "{}: step {}, loss {}, {} of {} samples correct and {} s are not the progress of a training run",
         path, p.step, p.loss, p.correct, p.samples, p.seconds);
  if (validates) {
    state.best.epoch = count("best_epoch");
    state.best.value = number("best_value");
  }
  expect(0 <= state.best.epoch && state.best.epoch <= p.step && !std::isnan(state.best.value),
         "{}: the best epoch is {}, of {} steps, with a value of {}, which cannot be", path, state.best.epoch,
         p.step, state.best.value);
  return state;
}

bool has_training(const std::string& path) { return !path.empty() && std::filesystem::exists(path); }

void detail::from_file(const std::string& path, const std::function<void()>& take) {
  try {
    take();
  } catch (const Error& e) {
    fail("{}: {}", path, e.what());
  }
}

}  // namespace xgrad
