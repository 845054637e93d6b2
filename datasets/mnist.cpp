// The idx files of MNIST.
#include <xgrad/datasets/mnist.hpp>

#include <fmt/format.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <vector>

#include <xgrad/datasets/gunzip.hpp>
#include <xgrad/datasets/known.hpp>
#include <xgrad/datasets/locate.hpp>

namespace xgrad {
namespace {

namespace fs = std::filesystem;

// A mirror that Google keeps for the public; the checksums are those of the original files.
const std::string mirror = "https://storage.googleapis.com/cvdf-datasets/mnist/";
const Source source{"mnist",
                    "mnist",
                    {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
                     "t10k-labels-idx1-ubyte.gz"},
                    {{mirror + "train-images-idx3-ubyte.gz",
                      "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9912422},
                     {mirror + "train-labels-idx1-ubyte.gz",
                      "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28881},
                     {mirror + "t10k-images-idx3-ubyte.gz",
                      "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1648877},
                     {mirror + "t10k-labels-idx1-ubyte.gz",
                      "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4542}}};

Dataset read_part(const fs::path& folder, const std::string& part, const std::string& name) {
  const fs::path images_file = folder / (part + "-images-idx3-ubyte.gz"),
                 labels_file = folder / (part + "-labels-idx1-ubyte.gz");
  const Array images = read_idx(images_file, 3), labels = read_idx(labels_file, 1).cast(DType::i64);
  const long n = images.dim(0);
  expect(images.dim(1) == 28 && images.dim(2) == 28,
         "mnist: '{}' holds images of {} x {} pixels, not 28 x 28", images_file.string(), images.dim(1),
         images.dim(2));
  expect(labels.size() == n, "mnist: '{}' holds {} labels, but '{}' {} images; they do not belong together",
         labels_file.string(), labels.size(), images_file.string(), n);
  const auto values = labels.elements<std::int64_t>();
  const auto bad = std::find_if(values.begin(), values.end(), [](auto label) { return label > 9; });
  expect(bad == values.end(),
         "mnist: '{}' is damaged: label {} at byte {} (unpacked) is not in [0, 10); fetch it again",
         labels_file.string(), bad == values.end() ? 0 : *bad, 8 + (bad - values.begin()));
  return {name, images.reshape({n, 1, 28, 28}), labels, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};
}

}  // namespace

Array read_idx(const std::string& path, int rank, const LoadLimits& limits) {
  Reader in = gunzipped(path, limits);
  const std::uint64_t packed = Reader(path).size();
  // Two zeros, the type of the elements (8: bytes), the rank; then the lengths of the axes, big-endian.
  const std::string magic{0, 0, 8, char(rank)}, found = in.text(4, "an idx file's first four bytes");
  const auto hex = [](const std::string& bytes) {
    return fmt::format("{:02x}", fmt::join(std::vector<std::uint8_t>(bytes.begin(), bytes.end()), " "));
  };
  in.expect(found == magic, "this is not an idx file of unsigned bytes of rank {}: it begins with {}, not {}",
            rank, hex(found), hex(magic));
  std::string bytes = magic;
  Shape shape;
  std::uint64_t size = 1;
  bool fits = true;
  for (int axis = 0; axis < rank; ++axis) {
    const std::string length = in.text(4, "the length of an axis");
    bytes += length;
    Reader number("", length);
    shape.push_back(long(number.take_big<std::uint32_t>("a number")));
    fits &= !__builtin_mul_overflow(size, std::uint64_t(shape[axis]), &size);
  }
  // No byte becomes more than 1032 by deflate.
  in.expect(fits && size / 1032 <= packed, "a file of {1} bytes cannot hold shape {0}; fetch it again", shape,
            packed);
  if (in.size() != Reader::unknown) in.need(size, "the bytes of all elements");
  in.charge(size, "; LoadLimits::unpacked allows more where a file is to be trusted");
  const std::size_t header = bytes.size();
  bytes.resize(header + size);
  in.read(bytes.data() + header, size, "the bytes of all elements");
  in.end();
  check_known(path, bytes);
  return Array(shape, std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()) + header, size));
}

Split mnist(const DataOptions& options) {
  const fs::path folder = locate(source, options);
  return {read_part(folder, "train", "mnist train"), read_part(folder, "t10k", "mnist test")};
}

}  // namespace xgrad
