// The models of examples/models: they train, and are as long as docs/beside-pytorch.md says.
#include <fstream>
#include <random>
#include <sstream>

#include <xgrad/xgrad.hpp>
#include "tests/catch.hpp"
#include "tests/examples/helpers.hpp"
#include "tests/paths.hpp"
#include "tests/run.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

/// The number behind the last occurrence of `label` in what a model prints.
double printed(const std::string& model, const std::string& label, const std::string& argument = "") {
  const Outcome outcome = run(program(("models/" + model).c_str()) + argument);
  INFO(outcome.output);
  REQUIRE(outcome.exit_code == 0);
  const auto at = outcome.output.rfind(label);
  REQUIRE(at != std::string::npos);
  return std::stod(outcome.output.substr(at + label.size()));
}

long count_lines(std::istream& in, const std::string& end = "") {
  long count = 0;
  for (std::string line; std::getline(in, line) && (end.empty() || line != end);)
    count += line.find_first_not_of(" \t") != line.npos;
  return count;
}

}  // namespace

TEST_CASE("the models of examples/models learn what they are made for", "[programs]") {
  CHECK(printed("vae", "new pictures: ") < 30);  // 45 at the start; 25 in PyTorch
  CHECK(printed("gan", "radius ") == Approx(2).margin(.3));
  CHECK(printed("pinn", "on [0, 3]: ") < .03);
  CHECK(printed("maml", "adaptation ") < 2.5);
  CHECK(printed("own_op", "right ") > .95);
  CHECK(printed("dqn", "the way takes ") == 15);
}

TEST_CASE("the model of houses learns from a CSV file", "[programs]") {
  TemporaryFolder folder;
  const std::string file = (folder / "houses.csv").string();
  std::ofstream out(file);
  out << "area,rooms,age,price\n";
  std::mt19937 random(1);
  auto uniform = [&](double low, double high) { return low + (high - low) * double(random()) / 4294967296.; };
  for (int i = 0; i < 500; ++i) {
    const double area = uniform(30, 200), rooms = std::round(area / 25 + uniform(-1, 1)),
                 age = uniform(0, 100);
    out << area << ',' << rooms << ',' << age << ','
        << 2000 * area + 8000 * rooms - 1200 * age + 8 * area * area + uniform(-15000, 15000) << '\n';
  }
  out.close();
  CHECK(printed("csv_regression", "trained on: ", word(file)) > .95);
}

TEST_CASE("weights under other names are loaded into a model of one's own", "[programs]") {
  TemporaryFolder folder;
  const std::string file = (folder / "foreign.safetensors").string();
  manual_seed(2);
  Generator& random = default_generator();
  save_tensors(file, {{{"features.0.weight", random.normal({8, 3, 3, 3}, 0, .2)},
                       {"features.0.bias", zeros({8})},
                       {"features.3.weight", random.normal({16, 8, 3, 3}, 0, .1)},
                       {"features.3.bias", zeros({16})},
                       {"classifier.weight", random.normal({10, 1024})},
                       {"classifier.bias", zeros({10})}},
                      {}});
  CHECK(printed("foreign_weights", "loss ", word(file)) < 1);
  const Outcome outcome = run(program("models/foreign_weights") + word(file));
  CHECK(outcome.output.find("not in the file: head.weight\nnot in the file: head.bias\nstep") !=
        std::string::npos);
}

TEST_CASE("no model of examples/models is longer than 1.1 times its PyTorch program in the docs") {
  const std::string root = XGRAD_SOURCE_ROOT;
  std::ifstream page(root + "/docs/beside-pytorch.md");
  int models = 0;
  std::string name, line, table;
  while (std::getline(page, line)) {
    if (line.starts_with("| [")) table += line + "\n";
    if (line.starts_with("[examples/models/")) name = line.substr(17, line.find(".cpp") - 17);
    if (line != "```python") continue;
    const long python = count_lines(page, "```");
    std::ifstream file(root + "/examples/models/" + name + ".cpp");
    REQUIRE(file);
    const long ours = count_lines(file);
    INFO(name << ": " << ours << " lines beside " << python);
    CHECK(ours <= 1.1 * double(python));
    CHECK(table.find(fmt::format("| {} | {} |", ours, python)) != table.npos);
    ++models;
  }
  CHECK(models == 8);
}
