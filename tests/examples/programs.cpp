// The example programs as a user runs them: output, files, exit codes.
#include <fstream>
#include <nlohmann/json.hpp>

#include <xgrad/datasets/image.hpp>
#include <xgrad/datasets/synthetic.hpp>
#include <xgrad/nn/formats/checkpoint.hpp>
#include <xgrad/nn/models/deep_convnet.hpp>
#include <xgrad/nn/models/resnet.hpp>
#include "tests/catch.hpp"
#include "tests/examples/helpers.hpp"
#include "tests/paths.hpp"
#include "tests/run.hpp"

using namespace xgrad;
using tests::Outcome;
using tests::program;
using tests::read_file;
using tests::run;
using tests::TemporaryFolder;

namespace {

std::vector<nlohmann::json> metrics(const std::filesystem::path& folder) {
  std::ifstream in(folder / "metrics.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

}  // namespace

TEST_CASE(
    "cifar10 trains, writes its metrics and parameters, and a seed fixes them for any number of threads",
    "[programs]") {
  TemporaryFolder folder;
  auto train = [&](const std::string& name, const std::string& options) {
    return run(program("cifar10") + "--recipe posted --synthetic --epochs 2 --steps 3 --batch 20 --out " +
               (folder / name).string() + options);
  };
  const Outcome first = train("a", " --seed 5 --threads 1");
  INFO(first.output);
  REQUIRE(first.exit_code == 0);
  CHECK(first.output.find("Training on built-in pictures of shapes") != std::string::npos);

  const auto lines = metrics(folder / "a");
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].at("epoch") == 2);
  CHECK(lines[1].at("step") == 6);
  CHECK(lines[0].at("train_loss").get<double>() > 0);
  CHECK(lines[2].at("final_test_images") == 1000);
  DeepConvNet net;
  load(net, folder / "a/parameters.safetensors");

  REQUIRE(train("b", " --seed 5 --threads 3").exit_code == 0);
  CHECK(read_file(folder / "a/parameters.safetensors") == read_file(folder / "b/parameters.safetensors"));
  const Outcome again = train("a", "");
  CHECK(again.exit_code == 1);
  CHECK(again.output.find("already holds a run; choose another --out") != std::string::npos);
}

TEST_CASE("cifar10 --recipe resnet trains ResNet-20 and writes its run", "[programs]") {
  TemporaryFolder folder;
  auto train = [&](const std::string& options) {
    return run(program("cifar10") + "--recipe resnet --synthetic --epochs 2 --steps 2 --batch 16 --out " +
               (folder / "a").string() + options);
  };
  const Outcome first = train("");
  INFO(first.output);
  REQUIRE(first.exit_code == 0);
  CHECK(first.output.find("2 epochs of 2 steps of 16 images, 269722 parameters") != std::string::npos);
  const auto lines = metrics(folder / "a");
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].at("step") == 4);
  CHECK(lines[1].at("test_accuracy") == lines[2].at("final_test_accuracy"));
  CHECK(lines[2].at("final_test_images") == 1000);
  ResNet net;
  load(net, folder / "a/parameters.safetensors");
  for (const char* file : {"settings.json", "checkpoint.safetensors"})
    CHECK(std::filesystem::exists(folder / "a" / file));

  const std::string trained = read_file(folder / "a/parameters.safetensors");
  const Outcome again = train(" --resume");
  CHECK(again.exit_code == 0);
  CHECK(again.output.find("resuming after 4 steps") != std::string::npos);
  CHECK(read_file(folder / "a/parameters.safetensors") == trained);
}

TEST_CASE("predict names the classes of the run whose parameters it takes", "[programs]") {
  TemporaryFolder folder;
  const std::string photo = (folder / "photo.png").string(), model = (folder / "a").string();
  const Dataset data = shapes(1, 1, 0).train;
  save_png(photo, data.images.reshape({3, 32, 32}));
  REQUIRE(
      run(program("cifar10") + "--recipe resnet --synthetic --epochs 1 --steps 1 --batch 16 --out " + model)
          .exit_code == 0);
  auto predict = [&] { return run(program("predict") + "--top 10 --model " + model + " " + photo); };
  const Outcome ours = predict();
  INFO(ours.output);
  CHECK(ours.exit_code == 0);
  for (auto& name : data.classes) CHECK(ours.output.find(name + " ") != std::string::npos);
  CHECK(ours.output.find("airplane") == std::string::npos);

  std::ifstream in(folder / "a/settings.json");
  auto settings = nlohmann::json::parse(in);
  auto with = [&](const char* key, const char* value) {
    settings[key] = value;
    std::ofstream(folder / "a/settings.json") << settings;
    return predict().output;
  };
  CHECK(with("classes", "one, two").find("the network has 10 classes, but 2 are named") != std::string::npos);
  settings.erase("classes");
  CHECK(with("data", "shapes").find("the run's settings do not name the classes of shapes") !=
        std::string::npos);
  CHECK(with("data", "cifar10").find("airplane ") != std::string::npos);  // a run from before they were named
}

TEST_CASE("cifar10 refuses what it cannot do in one line", "[programs]") {
  TemporaryFolder folder;
  const Outcome data =
      run(program("cifar10") + "--data " + folder.path.string() + " --out " + (folder / "run").string());
  CHECK(data.exit_code == 1);
  CHECK(data.output.starts_with("error: cifar10: "));
  CHECK(std::count(data.output.begin(), data.output.end(), '\n') == 1);
  CHECK_FALSE(std::filesystem::exists(folder / "run"));

  const Outcome out = run(program("cifar10") + "--synthetic --out /proc/nowhere");
  CHECK(out.exit_code == 1);
  CHECK(out.output.find("error: /proc/nowhere: this folder cannot be created: ") != std::string::npos);

  CHECK(run(program("cifar10") + "--epoch 3").exit_code == 2);
  CHECK(run(program("cifar10") + "--batch -1").exit_code == 2);
  CHECK(run(program("cifar10") + "--epochs x").exit_code == 2);
  CHECK(run(program("cifar10") + "--recipe fast --epochs 1").exit_code == 2);
  CHECK(run("XGRAD_THREADS=none " + program("cifar10") + "--synthetic --out " + (folder / "r").string())
            .exit_code == 1);
  const Outcome help = run(program("cifar10") + "--help");
  CHECK(help.exit_code == 0);
  CHECK(help.output.find("--epochs") != std::string::npos);
}

TEST_CASE("custom_model trains and passes its gradient check", "[programs]") {
  const Outcome outcome = run(program("custom_model"));
  INFO(outcome.output);
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.output.find("gradient check: passed") != std::string::npos);
}
