#pragma once
// How the programs of the edge cases answer: the framework and its version, then a line for each case.
#include "examples/common/program.hpp"
#include "tests/edge_cases/evaluate.hpp"

namespace xgrad::tests::edge_cases {

/// The program itself.
inline int answer(int argc, char** argv, const std::string& framework, const std::string& version,
                  std::vector<double> (*by)(const Case&)) {
  CLI::App app("Answers the edge cases: a line of JSON for each.");
  std::string file;
  std::size_t first = 0;
  app.add_option("cases", file, "cases.json")->required();
  app.add_option("first", first, "the number of the first");
  return program(app, argc, argv, [&] {
    print("{}\n", nlohmann::json{{"framework", framework}, {"version", version}}.dump());
    const auto all = cases(file);
    for (std::size_t i = first; i < all.size(); ++i) {
      nlohmann::json line{{"case", i}};
      try {
        for (double x : by(all[i])) line["given"].push_back(fmt::format("{}", x));
      } catch (const std::out_of_range&) {
        line["none"] = true;
      } catch (const std::exception& e) {
        line["error"] = e.what();
      }
      print("{}\n", line.dump());
    }
    return 0;
  });
}

}  // namespace xgrad::tests::edge_cases
