#pragma once
// Files that mean harm, or are merely odd, made by programs: what each reader is to say of them.
#include <string>
#include <vector>

namespace xgrad::tests {

/// A file for one of the readers.
struct HostileFile {
  std::string name;   ///< what is wrong with it
  std::string bytes;  ///< what it holds
  /// What the error says after the file's name; empty where the file is to be read.
  std::string refusal;
};

///@{
/// The files for a reader. A row more is a test more, and a seed more for `./run fuzz`.
std::vector<HostileFile> hostile_safetensors();
std::vector<HostileFile> hostile_checkpoints();
std::vector<HostileFile> hostile_npy();
std::vector<HostileFile> hostile_npz();
std::vector<HostileFile> hostile_pickles();
std::vector<HostileFile> hostile_metrics();
std::vector<HostileFile> hostile_settings();
std::vector<HostileFile> hostile_images();
std::vector<HostileFile> hostile_idx();
std::vector<HostileFile> hostile_cifar();
std::vector<HostileFile> hostile_archives();
///@}

/// Text with zeros in it: bytes("\0\1").
template <std::size_t n>
std::string bytes(const char (&text)[n]) {
  return std::string(text, n - 1);
}
/// A number of `width` bytes, little-endian.
inline std::string little(std::uint64_t value, int width) {
  return std::string(reinterpret_cast<const char*>(&value), std::size_t(width));
}
/// `text`, n times.
inline std::string repeated(const std::string& text, std::size_t n) {
  std::string result;
  for (std::size_t i = 0; i < n; ++i) result += text;
  return result;
}

}  // namespace xgrad::tests
