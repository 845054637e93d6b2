#pragma once
// Running other programs, without a shell.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xgrad {

/// Runs a program, looked up on PATH, with `input` as its standard input, and waits for it. No shell reads
/// the arguments. Returns its standard output, or nothing when it is not installed or fails; what it prints
/// on standard error is dropped.
std::optional<std::string> output_of(const std::vector<std::string>& command, std::string_view input);

}  // namespace xgrad
