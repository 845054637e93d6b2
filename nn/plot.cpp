// Pictures by gnuplot, which reads its script from a pipe.
#include "nn/plot.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "core/files.hpp"

namespace xgrad {

bool plot(const std::string& script, int width, int height, const std::filesystem::path& svg) {
  const std::string beside = unfinished(svg).string();
  std::string quoted;  // as gnuplot reads it
  for (char c : beside) quoted += c == '\'' ? "''" : std::string(1, c);
  const std::string whole = fmt::format(
      "set terminal svg size {},{} dynamic font 'sans-serif,13' background '#ffffff'\nset output '{}'\n{}",
      width, height, quoted, script);
  // What nobody reads would end this program: cat reads it where there is no gnuplot.
  FILE* gnuplot = popen("gnuplot 2>/dev/null || { cat >/dev/null; exit 1; }", "w");
  if (!gnuplot) return false;
  const bool written = std::fwrite(whole.data(), 1, whole.size(), gnuplot) == whole.size();
  std::error_code error;
  if (pclose(gnuplot) == 0 && written)
    std::filesystem::rename(beside, svg, error);
  else
    std::filesystem::remove(beside, error);
  return !error && std::filesystem::exists(svg);
}

}  // namespace xgrad
