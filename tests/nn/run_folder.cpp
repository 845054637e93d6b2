// Folders of runs: begun, resumed, refused; metrics and curves.
#include <xgrad/nn/run/run_folder.hpp>

#include <fstream>

#include <xgrad/core/base/build.hpp>
#include <xgrad/nn/run/training_state.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using tests::error_of;
using tests::read_file;

TEST_CASE("a run folder is begun once, goes on when asked, and refuses other settings") {
  tests::TemporaryFolder temporary;
  const auto folder = temporary / "run";
  const Settings settings{{"batch", "100"}, {"seed", "1"}};
  {
    RunFolder run("job", folder, false, settings);
    CHECK(run.steps_done() == 0);
    run.metrics().write({{"step", 10l}, {"test_accuracy", .5}});
    run.metrics().write({{"step", 20l}, {"test_accuracy", .6}});
    save_training(run.checkpoint(), {{}, {}, Generator(1), {}, {.step = 10}});
    run.metrics().write({{"final", .7}});
  }
  Settings saved = settings;
  saved.emplace_back("build", build_info());
  CHECK(load_settings(folder) == saved);
  CHECK(error_of([&] { RunFolder("job", folder, false, settings); }) ==
        folder.string() + ": already holds a run; choose another --out, or --resume");
  CHECK(error_of([&] {
          RunFolder("job", folder, true, {{"batch", "50"}, {"seed", "1"}});
        }) ==
        folder.string() +
            ": the run there has batch 100, not 50; --resume needs the settings that it was started with");
  RunFolder again("job", folder, true, settings);
  CHECK(again.steps_done() == 10);
  CHECK(again.metrics().column("test_accuracy") == std::vector<double>{.5});  // what came later is done again
  CHECK(read_file(folder / "metrics.jsonl") == "{\"step\":10,\"test_accuracy\":0.5}\n");
  CHECK(error_of([&] { load_settings(temporary / "none"); }) ==
        (temporary / "none").string() + ": this folder holds no run (no settings.json)");
}

TEST_CASE("a run that another build began goes on, and says so") {
  tests::TemporaryFolder temporary;
  const auto folder = temporary / "run";
  const Settings settings{{"seed", "1"}};
  CHECK(RunFolder("job", folder, false, settings).other_build() == "");
  CHECK(RunFolder("job", folder, true, settings).other_build() == "");
  const std::string build = load_settings(folder).back().second;
  CHECK(build.find("xgrad ") == 0);
  CHECK(build.find(" with packs of ") != build.npos);
  std::ofstream(folder / "settings.json") << R"({"seed": "1", "build": "xgrad 0.0.9"})";
  for (int i = 0; i < 2; ++i) CHECK(RunFolder("job", folder, true, settings).other_build() == "xgrad 0.0.9");
  std::ofstream(folder / "settings.json") << R"({"seed": "1"})";  // from before it was recorded
  CHECK(RunFolder("job", folder, true, settings).other_build() == "");
}

TEST_CASE("what stands in metrics.jsonl never becomes a script") {
  tests::TemporaryFolder temporary;
  const auto metrics = temporary / "metrics.jsonl", svg = temporary / "curves.svg";
  const std::string made = (temporary / "made").string();
  for (const std::string before : {"accuracy'; ", "accuracy'\\n", "accuracy\\\\'; ", "`accuracy` "}) {
    std::ofstream(metrics) << "{\"step\": 1, \"" << before << "system(\\\"touch " << made
                           << "\\\"); set label '\": 0.5}\n{\"step\": 2, \"loss`touch " << made
                           << "`\": 1}\n";
    plot_curves(metrics, svg);
    CHECK_FALSE(std::filesystem::exists(made));
    if (std::filesystem::exists(svg)) CHECK(read_file(svg).find("accuracy") != std::string::npos);
  }
  std::ofstream(metrics) << "{\"step\": 1, \"loss\": 1}\n{\"step\": null, \"loss\": 1}\n";
  const std::string error =
      metrics.string() + ": line 2: byte 13: the step is null, not a non-negative integer";
  CHECK(error_of([&] { plot_curves(metrics, svg); }) == error);
  CHECK(error_of([&] { MetricsLog(metrics, 5); }) == error);
}

TEST_CASE("curves are drawn where gnuplot is, whatever the folder is called") {
  tests::TemporaryFolder temporary;
  const auto metrics = temporary / "it's \"metrics\".jsonl", svg = temporary / "it's.svg";
  CHECK_FALSE(plot_curves(metrics, svg));
  std::ofstream(metrics)
      << "{\"step\":1,\"train_loss\":2.5,\"test_accuracy\":0.25}\n"
         "{\"step\":2,\"train_loss\":1.5,\"test_accuracy\":0.5,\"reported_test_accuracy\":0.4}\n"
         "{\"final\":1}\n";
  if (std::system("gnuplot --version >/dev/null 2>&1")) return tests::skip("no gnuplot");
  REQUIRE(plot_curves(metrics, svg));
  const std::string text = read_file(svg);
  CHECK(text.find("test accuracy") != std::string::npos);
  CHECK(text.find("reported test accuracy") != std::string::npos);
  CHECK(text.find("</svg>") != std::string::npos);
}
