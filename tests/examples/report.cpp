// The page of a run: what is in it is data, and it says the truth about what is not.
#include <xgrad/nn/formats/checkpoint.hpp>
#include <xgrad/nn/models/mlp.hpp>
#include "tests/catch.hpp"
#include "tests/datasets/files.hpp"
#include "tests/examples/helpers.hpp"
#include "tests/run.hpp"

using namespace xgrad;
using namespace xgrad::tests;

namespace {

/// A run of S10.1 on four black pictures, which was never trained.
struct UntrainedRun {
  TemporaryFolder place;
  std::filesystem::path folder = place / "run", svg = folder / "curves.svg",
                        metrics = folder / "metrics.jsonl";

  UntrainedRun() {
    write_file(folder / "settings.json",
               R"({"experiment": "S10.1", "data": "mnist", "note": "<b title='x' class=\"y\">&"})");
    write_file(metrics, "{\"step\": 1, \"loss\": 2}\n{\"step\": 2, \"loss\": 1}\n{\"peak_mb\": 17}\n");
    save(MLP({784, 50, 10}), (folder / "parameters.safetensors").string());
    write_black_mnist(place / "data");
  }
  /// Runs the program, with what stands before it, and returns the page.
  std::string page(const std::string& before = "") const {
    const Outcome outcome = report(before);
    INFO(outcome.output);
    REQUIRE(outcome.exit_code == 0);
    return read_file(folder / "report.html");
  }
  Outcome report(const std::string& before = "") const {
    return run(before + program("report") + folder.string() + " --data " + (place / "data").string());
  }
};

bool has(const std::string& page, const std::string& text) { return page.find(text) != page.npos; }

}  // namespace

TEST_CASE("report: a picture from elsewhere is embedded so that no script in it can run", "[programs]") {
  const UntrainedRun run;
  write_file(run.svg, "<svg onload=\"evil()\"><script>evil()</script></svg>");
  write_file(run.metrics, "");
  const std::string page = run.page();
  CHECK(has(page, "src=\"data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImV2aWwoKSI+"));
  CHECK_FALSE(has(page, "<svg"));
  CHECK_FALSE(has(page, "<script"));
  CHECK(has(page, "metrics.jsonl holds no accuracy and no loss by step"));
}

TEST_CASE("report: text from a run's files is escaped, within quotes too", "[programs]") {
  CHECK(has(UntrainedRun().page(), "&lt;b title=&#39;x&#39; class=&quot;y&quot;&gt;&amp;"));
}

TEST_CASE("report: what is not drawn has its true cause beside it", "[programs]") {
  const UntrainedRun run;
  CHECK(has(run.page("PATH=/nowhere "), "<p>No curves: gnuplot is not installed, or not on $PATH.</p>"));
  const auto fake = [&](const std::string& script) {
    write_file(run.place / "bin/gnuplot", "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(run.place / "bin/gnuplot", std::filesystem::perms::owner_all);
    return run.page("PATH=" + (run.place / "bin").string() + " ");
  };
  CHECK(has(fake("echo; echo '  plot' >&2; echo ' line 3: <no> such \"thing\"' >&2; echo >&2; exit 1"),
            "<p>No curves: gnuplot failed: line 3: &lt;no&gt; such &quot;thing&quot;.</p>"));
  CHECK(has(fake("exit 3"), "No curves: gnuplot failed with exit code 3."));
  CHECK(has(fake("kill -KILL $$"), "No curves: gnuplot was ended by signal 9."));
  CHECK(has(fake("exit 0"), "No curves: gnuplot printed nothing."));
  CHECK_FALSE(std::filesystem::exists(run.svg));
  CHECK(has(fake("echo '<svg/>'"), "svg+xml;base64,PHN2Zy8+"));  // drawn
  const std::string old = fake("exit 3");
  CHECK(has(old, "<p>Curves from before; new ones are not drawn: gnuplot failed with exit code 3.</p>"));
  CHECK(has(old, "svg+xml;base64,PHN2Zy8+"));
  std::filesystem::permissions(run.place / "bin/gnuplot", std::filesystem::perms::none);
  if (tests::run("PATH=" + (run.place / "bin").string() + " gnuplot").exit_code != 126)
    return;  // root runs it
  CHECK(has(run.page("PATH=" + (run.place / "bin").string() + " "),
            "gnuplot cannot be started: Permission denied"));
}

TEST_CASE("report: damaged metrics are an Error with file and line", "[programs]") {
  const UntrainedRun run;
  write_file(run.metrics, "{\"step\": 1, \"loss\": 2}\n{\"step\": 2, \"training_seconds\": 1\n");
  const Outcome outcome = run.report();
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.output.starts_with("error: " + run.metrics.string() + ": line 2: byte "));
  write_file(run.metrics, "{\"step\": 1, \"loss\": 2}\n{\"training_seconds\": 65, \"peak_mb\": 17}\n");
  const std::string page = run.page();
  CHECK(has(page, "<b>1:05</b>of training"));
  CHECK(has(page, "<b>17 MB</b>"));
}

TEST_CASE("report: curves that are a pipe or a device are refused, not waited for", "[programs]") {
  const UntrainedRun run;
  REQUIRE(tests::run("mkfifo " + run.svg.string()).exit_code == 0);
  const Outcome outcome = run.report("timeout 20 env PATH=/nowhere ");
  CHECK(outcome.exit_code == 1);
  CHECK(has(outcome.output, run.svg.string() + ": "));
}
