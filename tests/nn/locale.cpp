// Where decimals have a comma, nothing that is printed, saved, read or drawn is another.
#include <cstdio>
#include <sstream>

#include <xgrad/core/tape/graph.hpp>
#include <xgrad/datasets/progress.hpp>
#include <xgrad/nn/clip.hpp>
#include <xgrad/nn/formats/numpy.hpp>
#include <xgrad/nn/models/mlp.hpp>
#include <xgrad/nn/run/progress.hpp>
#include <xgrad/nn/run/run_folder.hpp>
#include <xgrad/nn/run/training_state.hpp>
#include <xgrad/nn/summary.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/german.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

/// All that depends on how numbers are written, as one text: files by their bytes.
std::string everything() {
  manual_seed(1);
  TemporaryFolder place;
  const auto folder = place / "run";
  std::string text;
  {
    RunFolder run("job", folder, false, {{"lr", "0.001"}});
    run.metrics().write({{"step", 1234567l}, {"train_loss", 1234.5}, {"test_accuracy", .125}});
    run.metrics().write({{"step", 2234567l}, {"train_loss", .5}, {"test_accuracy", 1e-9}});
    text += run.finish({{"final", 1.5}}).failure;
    save_training(
        run.checkpoint(),
        {{}, {}, Generator(1), {}, {.step = 2234567, .loss = 12345.678, .samples = 1, .seconds = .25}});
  }
  const Progress progress = load_training((folder / "checkpoint.safetensors").string()).progress;
  text += fmt::format("{} {} {}", progress.step, progress.loss, progress.seconds);
  for (auto& line : read_metrics(folder / "metrics.jsonl"))
    for (auto& [key, value] : line.numbers)
      if (key != "peak_mb") text += fmt::format(" {} {}", key, value);
  for (const char* file : {"settings.json", "checkpoint.safetensors", "curves.svg"})
    text += read_file(folder / file);

  const Tensors tensors{{{"a", array<double>({1234.5, .25})}}, {{"text", "1,5 and 1.5"}}};
  save_npz(place / "a.npz", tensors);
  save_tensors(place / "a.safetensors", tensors);
  for (const Tensors& read : {load_npz(place / "a.npz"), load_tensors(place / "a.safetensors")})
    text += fmt::format(" {} {}", read.at("a").data<double>()[0], read.at("a").data<double>()[1]);
  text += read_file(place / "a.npz") + read_file(place / "a.safetensors");
  // A NumPy number by protocol 0 would hold bytes; a float beside it is a text.
  write_file(place / "a.pkl", "(lp0\nF1234.5\naI1234\na.");
  text += error_of([&] { load_pickle(place / "a.pkl"); });

  MLP net({4, 1000, 2});
  text += summary(net, {1, 4}).text() + graphviz(net(Variable(ones({1, 4}))));
  text += error_of([] { clip_grad_norm({}, -1234.5); }) + error_of([] { ones({12345}).reshape({23456}); });
  text += download_progress_line(1234567, 7654321, 1234567, 1.5) + clock_text(12345.6);
  return text;
}

}  // namespace

TEST_CASE("locale: a decimal comma changes nothing that is printed, saved, read or drawn") {
  const std::string before = everything();
  const German german;
  std::ostringstream out;
  out << 1234.5;
  REQUIRE(out.str() == "1.234,5");
  char text[10];
  std::snprintf(text, sizeof text, "%.1f", .5);
  CHECK(text == std::string(german.of_c() ? "0,5" : "0.5"));
  CHECK((everything() == before));
}
