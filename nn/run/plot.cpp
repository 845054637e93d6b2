// The programs draw to their standard output: no name of a file is part of what they read.
#include <xgrad/nn/run/plot.hpp>

#include <fmt/format.h>

#include <ostream>

#include <xgrad/core/base/files.hpp>
#include <xgrad/core/base/process.hpp>

namespace xgrad {

Drawing plot(const std::string& script, int width, int height, const std::string& svg) {
  // Not with the user's own settings, which could draw to somewhere else.
  return draw({"gnuplot", "--default-settings"},
              fmt::format("set terminal svg size {},{} dynamic font 'sans-serif,13' background '#ffffff'\n{}",
                          width, height, script),
              svg);
}

Drawing draw(const std::vector<std::string>& command, const std::string& input, const std::string& picture) {
  const Output drawn = output_of(command, input);
  if (drawn.failure.empty()) replace_file(picture, [&](std::ostream& out) { out << drawn.text; });
  return {drawn.failure};
}

}  // namespace xgrad
