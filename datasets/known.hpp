#pragma once
// The files of CIFAR-10, CIFAR-100 and MNIST as their authors published them, so that damage is not mistaken
// for your own data set.
#include <filesystem>
#include <string_view>

namespace xgrad {

/// Throws Error, which names the file and where it is damaged, when `bytes`, the (unpacked) contents of a
/// file, are those that the authors published under its name but for a part: one flipped bit is enough. That
/// the SHA-256 is another is not: other sets come in files of the same names and sizes (Fashion-MNIST), and
/// so do those of tests. So each eighth of a file is compared, too, and contents of which no eighth is the
/// authors' pass.
void check_known(const std::filesystem::path& file, std::string_view bytes);

}  // namespace xgrad
