// Names what is in photographs, by the parameters that a run saved.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <numeric>

#include <xgrad/datasets/image.hpp>
#include <xgrad/nn/run/run_folder.hpp>
#include <xgrad/xgrad.hpp>
#include "examples/common/experiments.hpp"
#include "examples/common/program.hpp"

using namespace xgrad;

namespace {

struct Options {
  std::filesystem::path model, sheet;
  std::vector<std::filesystem::path> photos;
  std::string network;
  Aspect aspect = Aspect::stretch;
  long top = 3;
};

constexpr const char* cifar_classes = "airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck";

/// The value of a key in a run's settings; `otherwise` if there are no settings or they lack that key.
std::string setting(const std::filesystem::path& file, const std::string& key, const std::string& otherwise) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  if (std::filesystem::exists(folder / "settings.json"))
    for (auto& [name, value] : load_settings(folder))
      if (name == key) return value;
  return otherwise;
}

/// The experiment whose network the parameters belong to: as --network or the run's settings say.
const Experiment& experiment_of(const Options& o, const std::filesystem::path& file) {
  const std::string id = o.network.empty() ? setting(file, "experiment", "S4") : o.network;
  const Experiment* e = find_experiment(id);
  expect(e, "unknown experiment '{}'; ./run reproduce --list shows them", id);
  expect(e->data != "mnist", "{}: the network of {} is for {}, not for photographs", file.string(), id,
         e->data);
  return *e;
}

/// The names of the classes that the network was trained on: those of the run, or CIFAR-10's.
std::vector<std::string> classes_of(const std::filesystem::path& file) {
  const std::string data = setting(file, "data", "cifar10");
  std::string names = setting(file, "classes", data == "cifar10" ? cifar_classes : "");
  expect(!names.empty(), "{}: the run's settings do not name the classes of {}", file.string(), data);
  std::vector<std::string> classes;
  for (std::size_t at = 0, end; at != names.npos; at = end == names.npos ? end : end + 2)
    classes.push_back(names.substr(at, (end = names.find(", ", at)) - at));
  return classes;
}

/// A trained network, and what it tells apart.
struct Network {
  AnyModel model;
  Pixels pixels;
  std::vector<std::string> classes;
};

/// Names one photo; returns how the network saw it.
Array predict(const Network& network, const std::filesystem::path& photo, const Options& o) {
  const Array seen = fit(load_image(photo), 32, o.aspect);
  const Dataset one{"photo", seen.reshape({1, 3, 32, 32}), zeros({1}, DType::i64), {}};
  const Array p = softmax(network.model(Variable(make_batch(one, 0, 1, network.pixels).images))).data();
  expect(std::size_t(p.size()) == network.classes.size(), "the network has {} classes, but {} are named",
         p.size(), network.classes.size());
  std::vector<std::size_t> order(network.classes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return p.data<float>()[a] > p.data<float>()[b]; });
  std::string line;
  for (std::size_t i = 0; i < std::min(order.size(), std::size_t(o.top)); ++i)
    line += fmt::format("{}{} {:.1f} %", i ? ", " : "", network.classes[order[i]],
                        100 * p.data<float>()[order[i]]);
  print("{}: {}\n", photo.string(), line);
  return seen;
}

/// Returns how many photos could not be read.
int run(const Options& o) {
  const auto file = std::filesystem::is_directory(o.model) ? o.model / "parameters.safetensors" : o.model;
  const Experiment& e = experiment_of(o, file);
  Network network{e.model(), e.pixels, classes_of(file)};
  load(network.model, file.string());
  NoGrad off;
  EvalMode eval;
  std::vector<Array> seen;
  int unreadable = 0;
  for (auto& photo : o.photos) try {
      seen.push_back(resize(predict(network, photo, o), 128, 128));
    } catch (const Error& e) {
      print_error(e.what());
      ++unreadable;
    }
  if (!o.sheet.empty() && !seen.empty()) {
    save_png(o.sheet, contact_sheet(seen, std::min<long>(6, long(seen.size())), 8));
    print("what the network saw: {}\n", o.sheet.string());
  }
  return unreadable;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Names what is in photographs (PNG or JPEG, any size) with a network that a run has trained, by the "
      "names of its own classes; parameters alone, without a run's settings, are taken for CIFAR-10's: "
      "airplane, automobile, bird, cat, deer, dog, frog, horse, ship or truck.");
  app.option_defaults()->always_capture_default();
  app.add_option("photos", o.photos, "the photographs")->required();
  app.add_option("--model", o.model, "parameters.safetensors of a run, or the run's folder")->required();
  app.add_option("--network", o.network,
                 "the experiment it belongs to (default: as the run's settings say, or S4)");
  app.add_option("--aspect", o.aspect, "how a photo becomes square: stretch (as the posts did), crop or pad")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Aspect>{
          {"stretch", Aspect::stretch}, {"crop", Aspect::crop}, {"pad", Aspect::pad}}));
  app.add_option("--top", o.top, "how many names to print")->check(CLI::Range(1, 10));
  app.add_option("--sheet", o.sheet, "writes a PNG of the photos as the network saw them");
  return program(app, argc, argv, [&] { return run(o) ? 1 : 0; });
}
