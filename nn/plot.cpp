// Pictures by gnuplot, which draws to its standard output: no name of a file is part of its script.
#include "nn/plot.hpp"

#include <fmt/format.h>

#include <ostream>

#include "core/files.hpp"
#include "core/process.hpp"

namespace xgrad {

bool plot(const std::string& script, int width, int height, const std::filesystem::path& svg) {
  const auto picture = output_of(
      {"gnuplot"},
      fmt::format("set terminal svg size {},{} dynamic font 'sans-serif,13' background '#ffffff'\n{}", width,
                  height, script));
  if (!picture || picture->empty()) return false;
  replace_file(svg, [&](std::ostream& out) { out << *picture; });
  return true;
}

}  // namespace xgrad
