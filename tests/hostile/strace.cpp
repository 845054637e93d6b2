// Programs that read a hostile folder start no shell and write nowhere else: as strace sees it.
#include <sstream>

#include <xgrad/nn/formats/checkpoint.hpp>
#include <xgrad/nn/models/mlp.hpp>
#include "tests/datasets/files.hpp"
#include "tests/hostile/files.hpp"
#include "tests/paths.hpp"
#include "tests/run.hpp"

using namespace xgrad::tests;

namespace {

/// The lines of a trace that start a shell, or write to a file that is neither below `folder` nor nameless.
std::string harm(const std::string& trace, const std::string& folder) {
  std::istringstream lines(trace);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" = -1 ") != line.npos) continue;  // it did not happen
    const auto has = [&](const char* text) { return line.find(text) != line.npos; };
    const auto quote = line.find('"');
    const std::string path =
        quote == line.npos ? "" : line.substr(quote + 1, line.find('"', quote + 1) - quote - 1);
    if (has("execve(")) {
      const std::string name = path.substr(path.rfind('/') + 1);
      if (name == "sh" || name == "bash" || name == "dash" || has("\"-c\"")) result += line + '\n';
    } else if (!has("open") || has("O_WRONLY") || has("O_RDWR") || has("O_CREAT") || has("O_TRUNC")) {
      const bool harmless = path.empty() || path.starts_with(folder + "/") || path.starts_with("/dev/") ||
                            has("O_TMPFILE") || path.starts_with("/tmp/tmpf");  // tmpfile()
      if (!harmless) result += line + '\n';
    }
  }
  return result;
}

}  // namespace

TEST_CASE("hostile folders: report and predict start no shell and write nowhere else", "[programs]") {
  if (run("strace -o /dev/null true").exit_code) return skip("no strace, or it may not trace here");
  TemporaryFolder place;
  const std::filesystem::path folder = place / "run'; touch evil; '";
  write_file(folder / "settings.json",
             R"({"experiment": "S10.1", "data": "mnist", "out": "'; touch evil; '"})");
  std::string metrics;
  for (int step = 1; step < 4; ++step)
    metrics +=
        fmt::format(R"x({{"step": {0}, "epoch": {0}, "loss": 1, )x", step) +
        R"x("accuracy'; system(\"touch evil\"); set label '": 0.5, "`touch evil`": 1, "$(touch evil)": 2})x" +
        "\n";
  write_file(folder / "metrics.jsonl", metrics);
  write_file(folder / "curves.svg", "<svg><script>alert(1)</script></svg>");
  xgrad::save(xgrad::MLP({784, 50, 10}), (folder / "parameters.safetensors").string());
  write_file(folder / "other.safetensors", hostile_safetensors().front().bytes);
  write_black_mnist(folder / "data");
  const std::string photo = folder / "a'; touch evil; '.png";
  write_file(photo, hostile_images().front().bytes);
  const auto traced = [&](const std::string& program, const std::vector<std::string>& arguments) {
    const std::string trace = place / "trace";
    std::string command = fmt::format(
        "cd '{}' && strace -f -s 1000 -o '{}' -e "
        "trace=execve,open,openat,creat,rename,renameat,renameat2,link,linkat,"
        "symlink,symlinkat,mkdir,mkdirat,unlink,unlinkat,truncate '{}/examples/{}'",
        place.path.string(), trace, XGRAD_BUILD_ROOT, program);
    for (const std::string& argument : arguments) {
      command += " '";
      for (const char c : argument) command += c == '\'' ? std::string("'\\''") : std::string(1, c);
      command += "'";
    }
    const Outcome outcome = run(command);
    INFO(command << "\n" << outcome.output);
    const std::string seen = read_file(trace);
    REQUIRE(seen.find("execve(") != seen.npos);
    CHECK(harm(seen, folder) == "");
    CHECK_FALSE(std::filesystem::exists(place / "evil"));
    CHECK_FALSE(std::filesystem::exists(folder / "evil"));
  };
  traced("report", {folder, "--data", folder / "data"});
  CHECK(read_file(folder / "report.html").find("of 4 test images") != std::string::npos);
  traced("predict", {"--model", folder, "--network", "S8", "--sheet", folder / "sheet.png", photo});
  traced("predict", {"--model", folder / "other.safetensors", "--network", "S8", photo});
  // Data sets whose files are something else.
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                           "data_batch_5.bin", "test_batch.bin", "batches.meta.txt"})
    write_file(folder / "data/cifar-10-batches-bin" / name, hostile_archives().front().bytes);
  traced("cifar10", {"--data", folder / "data", "--out", folder / "out"});
  // What harm() looks for is seen.
  CHECK(harm("1 execve(\"/bin/sh\", [\"sh\", \"-c\", \"id\"], 0x0) = 0", "/f") != "");
  CHECK(harm("1 openat(AT_FDCWD, \"/g/x\", O_WRONLY|O_CREAT, 0666) = 3", "/f") != "");
  CHECK(harm("1 unlink(\"/g/x\") = 0", "/f") != "");
  CHECK(harm("1 openat(AT_FDCWD, \"/f/x\", O_WRONLY|O_CREAT, 0666) = 3", "/f") == "");
}
