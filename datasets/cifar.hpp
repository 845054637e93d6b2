#pragma once
// CIFAR-10 and CIFAR-100, binary version (Krizhevsky, "Learning Multiple Layers of Features from Tiny
// Images", 2009; https://www.cs.toronto.edu/~kriz/cifar.html): 60,000 photographs of 32x32 pixels.
#include <string>
#include <vector>

#include <xgrad/datasets/dataset.hpp>
#include <xgrad/datasets/options.hpp>

namespace xgrad {

/// CIFAR-10: 50,000 training and 10,000 test images, u8 (N, 3, 32, 32), in 10 classes; in the order of the
/// files. Found or downloaded (170 MB) as DataOptions says. Throws Error when a file is damaged (one bit is
/// enough: see check_known) or options.folder does not hold the set, DataUnavailable when it is nowhere and
/// cannot be downloaded.
Split cifar10(const DataOptions& options = {});

/// CIFAR-100 has two labels an image: one of 100 fine classes ("maple_tree") and one of 20 coarse ones
/// ("trees").
enum class CifarLabels { coarse, fine };

/// CIFAR-100: like CIFAR-10 in every other respect (169 MB).
Split cifar100(const DataOptions& options = {}, CifarLabels labels = CifarLabels::fine);

/// The layout of a file: records of one byte a label, then 3,072 bytes of pixels: 32 rows of red, of green,
/// of blue.
struct CifarFormat {
  std::string name = "cifar10";      ///< what messages call it
  std::vector<long> classes = {10};  ///< how many classes each label byte has: {20, 100} for CIFAR-100
  std::size_t label = 0;             ///< the label byte that is used
  long records = 10000;              ///< in each file
};

/// Reads files of that layout, one after the other, all or nothing; `classes` of the result is left empty.
/// Throws Error that names the file and the byte when one has another size or a label is out of range;
/// it takes what `format` says, whatever the files hold, and needs no limits.
Dataset read_cifar(const std::vector<std::string>& files, const CifarFormat& format = {});

}  // namespace xgrad
