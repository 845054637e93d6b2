#pragma once
// Running other programs, without a shell.
#include <string>
#include <string_view>
#include <vector>

namespace xgrad {

/// What a program printed on standard output, or why it did not get that far.
struct Output {
  std::string text;     ///< empty when it failed
  std::string failure;  ///< "gnuplot is not installed", "gnuplot failed: line 3: ..."; empty when it did not
};

/// Runs a program, looked up on PATH, with `input` as its standard input, and waits for it. No shell reads
/// the arguments. When it fails, the last line that it prints on standard error is a part of `failure`.
Output output_of(const std::vector<std::string>& command, std::string_view input);

}  // namespace xgrad
