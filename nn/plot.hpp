#pragma once
// Pictures by gnuplot.
#include <filesystem>
#include <string>

namespace xgrad {

/// Runs a gnuplot script that draws into an SVG of `width` by `height` pixels; whoever reads `svg` finds the
/// old picture or the new one, whole. False when gnuplot is not there or the script fails. Throws
/// Error when `svg` cannot be written.
bool plot(const std::string& script, int width, int height, const std::filesystem::path& svg);

}  // namespace xgrad
