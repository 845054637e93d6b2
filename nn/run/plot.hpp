#pragma once
// Pictures by other programs: gnuplot's plots, Graphviz's graphs.
#include <string>
#include <vector>

namespace xgrad {

/// Whether a picture was drawn, and if not, why.
struct Drawing {
  std::string failure;  ///< "gnuplot is not installed, ..."; empty when it was drawn
  /// Whether it was.
  explicit operator bool() const { return failure.empty(); }
};

/// Runs a gnuplot script that draws into an SVG of `width` by `height` pixels; whoever reads `svg` finds the
/// old picture or the new one, whole. gnuplot that is not installed or does not like the script is a failure;
/// throws Error when `svg` cannot be written.
Drawing plot(const std::string& script, int width, int height, const std::string& svg);

/// The same by a program that reads `input` and prints the picture.
Drawing draw(const std::vector<std::string>& command, const std::string& input, const std::string& picture);

}  // namespace xgrad
