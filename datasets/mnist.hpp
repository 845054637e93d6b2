#pragma once
// MNIST (LeCun, Cortes, Burges; http://yann.lecun.com/exdb/mnist/): 70,000 handwritten digits of 28x28
// pixels.
#include <xgrad/core/base/limits.hpp>
#include <xgrad/datasets/dataset.hpp>
#include <xgrad/datasets/options.hpp>

namespace xgrad {

/// MNIST: 60,000 training and 10,000 test images, u8 (N, 1, 28, 28), in 10 classes; in the order of the files
/// train-images-idx3-ubyte.gz, ... in the folder mnist. Found or downloaded (12 MB) as DataOptions says. Sets
/// that come in the same files (Fashion-MNIST, KMNIST) can be read by options.folder. Throws Error when a
/// file is damaged or options.folder does not hold the set, DataUnavailable when it is nowhere and cannot be
/// downloaded.
Split mnist(const DataOptions& options = {});

/// An idx file of bytes, gzipped or not, as u8 of the shape it states (the format is described on MNIST's
/// page). Throws Error that names the file and the byte unless it has that rank, is as long as it says and is
/// undamaged: gzip's checksum and, for the files of MNIST, check_known tell; also beyond the limits.
Array read_idx(const std::string& file, int rank, const LoadLimits& limits = {});

}  // namespace xgrad
