// The idx files of MNIST, read by zlib.
#include "datasets/mnist.hpp"

#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <span>

#include "datasets/locate.hpp"

namespace xgrad {
namespace {

namespace fs = std::filesystem;

// A mirror that Google keeps for the public; the checksums are those of the original files.
const std::string mirror = "https://storage.googleapis.com/cvdf-datasets/mnist/";
const Source source{"mnist",
                    "mnist",
                    {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
                     "t10k-labels-idx1-ubyte.gz"},
                    {{mirror + "train-images-idx3-ubyte.gz", "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9912422},
                     {mirror + "train-labels-idx1-ubyte.gz", "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28881},
                     {mirror + "t10k-images-idx3-ubyte.gz", "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1648877},
                     {mirror + "t10k-labels-idx1-ubyte.gz", "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4542}}};

using Content = std::vector<std::uint8_t>;

Content read_content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  expect(bool(in), "mnist: '{}' cannot be opened", path.string());
  Content bytes(std::size_t(fs::file_size(path)));
  in.read(reinterpret_cast<char*>(bytes.data()), std::streamsize(bytes.size()));
  expect(bool(in), "mnist: '{}' cannot be read beyond byte {}", path.string(), in.gcount());
  return bytes;
}

/// zlib takes the whole file at once: only so is a gzip trailer that is cut off noticed.
Content gunzip(const fs::path& path, Content packed) {
  expect(packed.size() <= 1u << 30, "mnist: '{}' is too big: {} bytes", path.string(), packed.size());
  z_stream z{};
  expect(inflateInit2(&z, 15 + 16) == Z_OK, "mnist: zlib does not start");  // 16: gzip, with its checksum
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&z, inflateEnd);
  z.next_in = packed.data();
  z.avail_in = unsigned(packed.size());
  Content result;
  int code = Z_OK;
  while (code == Z_OK && result.size() < 1u << 30) {
    result.resize(std::max(std::size_t(1) << 16, 2 * result.size()));
    z.next_out = result.data() + z.total_out;
    z.avail_out = unsigned(result.size() - z.total_out);
    code = inflate(&z, Z_NO_FLUSH);
  }
  result.resize(z.total_out);
  const bool whole = code == Z_STREAM_END && z.avail_in == 0;
  const char* why = z.msg                  ? z.msg
                    : code == Z_BUF_ERROR  ? "the file is truncated"
                    : code == Z_STREAM_END ? "something follows its end"
                                           : "it is too big";
  expect(whole, "mnist: '{}' is damaged at byte {}: {}; fetch it again", path.string(), z.total_in, why);
  return result;
}

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

Array read_idx(const fs::path& path, int rank) {
  Content bytes = read_content(path);
  if (bytes.size() > 1 && bytes[0] == 0x1f && bytes[1] == 0x8b) bytes = gunzip(path, std::move(bytes));
  // Two zeros, the type of the elements (8: bytes), the rank; then the lengths of the axes, big-endian.
  const std::size_t header = 4 + 4 * std::size_t(rank);
  const std::uint8_t magic[] = {0, 0, 8, std::uint8_t(rank)};
  expect(bytes.size() >= header && std::equal(magic, magic + 4, bytes.begin()),
         "mnist: '{}' is no idx file of bytes of rank {}: it begins with {:02x}, not {:02x}", path.string(),
         rank, fmt::join(bytes.begin(), bytes.begin() + long(std::min<std::size_t>(bytes.size(), 4)), " "),
         fmt::join(magic, " "));
  Shape shape;
  double size = 1;  // a damaged header may state more than a long holds
  for (int axis = 0; axis < rank; ++axis) {
    const std::uint8_t* b = bytes.data() + 4 + 4 * axis;
    shape.push_back(long(b[0]) << 24 | long(b[1]) << 16 | long(b[2]) << 8 | long(b[3]));
    size *= double(shape[axis]);
  }
  expect(double(bytes.size() - header) == size,
         "mnist: '{}' is {}: {} bytes (unpacked), not {:.0f} for shape {}; fetch it again", path.string(),
         double(bytes.size() - header) < size ? "truncated" : "too long", bytes.size(), size + double(header),
         shape);
  return Array(shape, std::span<const std::uint8_t>(bytes).subspan(header));
}

Split mnist(const DataOptions& options) {
  const fs::path folder = locate(source, options);
  return {read_part(folder, "train", "mnist train"), read_part(folder, "t10k", "mnist test")};
}

}  // namespace xgrad
