// Pictures on file: stb_image decodes and encodes; what it lets pass or takes on trust is checked before.
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/files.hpp>
#include <xgrad/core/base/reader.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/datasets/image.hpp>

namespace {

// A small file may unpack to gigabytes, and stb reads tables that a damaged JPEG never defines: what it asks
// for is limited by the size of the picture, and set to zeros.
thread_local std::size_t most_memory = 0;
void* allocate(std::size_t bytes) { return bytes <= most_memory ? std::calloc(1, bytes) : nullptr; }
void* reallocate(void* block, std::size_t bytes) {
  return bytes <= most_memory ? std::realloc(block, bytes) : nullptr;
}

/// stb's own compressor writes through a null pointer where memory is missing.
unsigned char* compress_by_zlib(unsigned char* bytes, int size, int* packed_size, int level) {
  uLongf n = compressBound(uLong(size));
  auto* packed = static_cast<unsigned char*>(std::malloc(n));
  if (packed && compress2(packed, &n, bytes, uLong(size), level) != Z_OK)
    std::free(std::exchange(packed, nullptr));
  *packed_size = int(n);
  return packed;
}

}  // namespace

#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_ASSERT(condition)
#define STBI_MALLOC allocate
#define STBI_REALLOC reallocate
#define STBI_FREE std::free
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
// Where the pixels of a JPEG end within a code, this stb counts bits below 0, and numbers of damaged ones
// exceed an int: what comes of it is a wrong pixel, never an index. That much the sanitizers let pass.
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("shift", "signed-integer-overflow"))), \
                             apply_to = function)
#endif
#include <stb_image.h>
#ifdef __clang__
#pragma clang attribute pop
#endif
#define STBI_WRITE_NO_STDIO
#define STBIW_ZLIB_COMPRESS compress_by_zlib
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

namespace xgrad {
namespace {

namespace fs = std::filesystem;
using Byte = std::uint8_t;
using Bytes = std::span<const Byte>;

constexpr std::uint64_t max_bytes = 1'000'000'000;
constexpr int max_scans = 100;
constexpr std::string_view png_magic = "\x89PNG\r\n\x1a\n", jpeg_magic = "\xff\xd8\xff";

// The functions below throw what is wrong with a file; load_image puts its name before that.

bool begins_with(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

std::vector<Byte> read_bytes(const fs::path& path, long max_pixels) {
  Reader in(path);
  in.expect(in.size() > 0, "a picture was expected, but the file is empty");
  // No pixel takes more than eight bytes; the rest may be notes.
  const std::uint64_t most = (16 << 20) + 8 * std::uint64_t(max_pixels);
  in.expect(in.size() <= std::min(most, max_bytes),
            "the file has {} bytes; pictures of more than {} are not read", in.size(),
            std::min(most, max_bytes));
  std::vector<Byte> bytes(std::size_t(in.size()));
  const std::size_t first = std::min(bytes.size(), png_magic.size());
  in.read(reinterpret_cast<char*>(bytes.data()), first, "the first bytes of a picture");
  in.expect(begins_with(bytes, png_magic) || begins_with(bytes, jpeg_magic),
            "this is neither a PNG nor a JPEG file");
  in.read(reinterpret_cast<char*>(bytes.data()) + first, bytes.size() - first, "the rest of the picture");
  return bytes;
}

/// A number of `width` bytes, 0 beyond the end.
std::size_t number_at(Bytes bytes, std::size_t at, int width, bool little_endian = false) {
  std::size_t value = 0;
  for (int i = 0; i < width; ++i) {
    const std::size_t place = at + std::size_t(little_endian ? width - 1 - i : i);
    value = value << 8 | (place < bytes.size() ? bytes[place] : 0);
  }
  return value;
}

/// What is known of a picture before it is decoded.
struct PictureHeader {
  long height = 0, width = 0;  // in pixels, as they are stored
  int orientation = 1;         // which of the eight ways to turn or mirror them: 1 is as they are
};

void check_pixels(const PictureHeader& header, long max_pixels) {
  expect(double(header.height) * double(header.width) <= double(max_pixels),
         "has {} x {} pixels; pictures of more than {} are not read", header.height, header.width,
         max_pixels);
}

/// How many bytes the pixels of a PNG take before they are packed: a row is its bits, filled up to bytes, and
/// a filter; interlaced, they come in seven passes. 0 where the header makes no sense, which stb reports.
std::uint64_t unpacked_size(Bytes ihdr) {
  constexpr int channels_of[] = {1, 0, 3, 1, 2, 0, 4};
  const std::size_t depth = number_at(ihdr, 8, 1), type = number_at(ihdr, 9, 1);
  const std::uint64_t width = number_at(ihdr, 0, 4), height = number_at(ihdr, 4, 4),
                      bits = type < 7 ? std::uint64_t(channels_of[type]) * depth : 0;
  const auto rows = [&](std::uint64_t w, std::uint64_t h) {
    return w && h ? h * (1 + (w * bits + 7) / 8) : 0;
  };
  if (bits == 0) return 0;
  if (number_at(ihdr, 12, 1) == 0) return rows(width, height);
  std::uint64_t size = 0;
  constexpr std::uint64_t passes[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                          {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  for (const auto& [x, y, dx, dy] : passes)
    size += rows(width > x ? (width - x + dx - 1) / dx : 0, height > y ? (height - y + dy - 1) / dy : 0);
  return size;
}

/// Refuses pixels that unpack to more bytes than there are; stb would make room for them. Other damage is
/// stb's.
void check_unpacked(const std::vector<Bytes>& packed, std::uint64_t size) {
  z_stream z{};
  expect(inflateInit(&z) == Z_OK, "cannot be read: zlib failed to initialise");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&z, inflateEnd);
  std::vector<Byte> dropped(1 << 16);
  int code = Z_OK;
  for (const Bytes part : packed) {
    z.next_in = const_cast<Byte*>(part.data());
    z.avail_in = uInt(part.size());
    do {
      z.next_out = dropped.data();
      z.avail_out = uInt(dropped.size());
      code = inflate(&z, Z_NO_FLUSH);
      expect(z.total_out <= size, "is damaged: its pixels unpack to more than the {} bytes that they take",
             size);
    } while (code == Z_OK && z.avail_out == 0);
    if (code != Z_OK && code != Z_BUF_ERROR) return;
  }
}

/// A PNG is a row of chunks: a length, a type, that many bytes, the checksum of type and bytes.
PictureHeader check_png(Bytes bytes, long max_pixels) {
  PictureHeader header;
  std::vector<Bytes> packed;
  std::uint64_t unpacked = 0;
  for (std::size_t at = png_magic.size();;) {
    const std::size_t length = number_at(bytes, at, 4);
    expect(at + 12 + length <= bytes.size(), "is truncated or damaged: the chunk at byte {} of {} has no end",
           at, bytes.size());
    const Bytes checked = bytes.subspan(at + 4, 4 + length);
    expect(crc32_z(0, checked.data(), checked.size()) == number_at(bytes, at + 8 + length, 4),
           "is damaged: the chunk at byte {} has a wrong checksum", at);
    if (begins_with(checked, "IEND")) break;
    if (begins_with(checked, "IHDR")) {
      header = {long(number_at(checked, 8, 4)), long(number_at(checked, 4, 4))};
      check_pixels(header, max_pixels);
      unpacked = unpacked_size(checked.subspan(4));
    }
    if (begins_with(checked, "IDAT")) packed.push_back(checked.subspan(4));
    at += 12 + length;
  }
  if (unpacked) check_unpacked(packed, unpacked);
  return header;
}

/// The orientation in an Exif segment, 1 where there is none.
int exif_orientation(Bytes segment) {
  if (!begins_with(segment, std::string_view("Exif\0\0", 6))) return 1;
  const Bytes tiff = segment.subspan(6);
  const bool little = begins_with(tiff, "II");
  const auto number = [&](std::size_t at, int width) { return number_at(tiff, at, width, little); };
  const std::size_t directory = number(4, 4), end = directory + 2 + 12 * number(directory, 2);
  for (std::size_t entry = directory + 2; entry < std::min(end, tiff.size()); entry += 12) {
    const std::size_t value = number(entry + 8, 2);
    if (number(entry, 2) == 0x112) return 1 <= value && value <= 8 ? int(value) : 1;
  }
  return 1;
}

/// A Huffman table has at most 256 codes; stb would write beyond its own tables.
void check_huffman_tables(Bytes bytes, std::size_t at, long length) {
  while (length > 0) {
    long codes = 0;
    for (std::size_t i = 1; i <= 16; ++i) codes += long(number_at(bytes, at + i, 1));
    expect(codes <= 256, "is damaged: the Huffman table at byte {} has {} codes", at, codes);
    at += std::size_t(17 + codes);
    length -= 17 + codes;
  }
}

/// A JPEG is a row of segments: 0xff, a marker, a length, the bytes; after some of them coded pixels, where
/// 0xff is followed by 0 or a restart marker.
PictureHeader check_jpeg(Bytes bytes, long max_pixels) {
  const auto is_marker = [](Byte b) { return b > 1 && b != 0xff && (b < 0xd0 || b > 0xd7); };
  PictureHeader header;
  int frames = 0, scans = 0;
  for (std::size_t at = 2;;) {
    while (at + 1 < bytes.size() && !(bytes[at] == 0xff && is_marker(bytes[at + 1]))) ++at;
    expect(at + 1 < bytes.size(), "is truncated: it has no end after its {} bytes", bytes.size());
    const Byte marker = bytes[at + 1];
    if (marker == 0xd9) return header;
    if (marker == 0xda)
      expect(++scans <= max_scans,
             "has more than {} scans; a file that would take so long to decode is refused", max_scans);
    const std::size_t length = std::max<std::size_t>(2, number_at(bytes, at + 2, 2));
    if (marker == 0xc4) check_huffman_tables(bytes, at + 4, long(length) - 2);
    if (0xc0 <= marker && marker <= 0xc2) {  // the frame, whose size follows its depth
      header.height = long(number_at(bytes, at + 5, 2));
      header.width = long(number_at(bytes, at + 7, 2));
      check_pixels(header, max_pixels);
      // Each block of 8 x 8 takes a bit at least.
      expect(header.height * header.width / 512 <= long(bytes.size()),
             "is damaged: {} x {} pixels do not fit {} bytes", header.height, header.width, bytes.size());
      expect(++frames == 1, "is damaged: it has two frames");
    }
    if (marker == 0xe1 && at + 2 + length <= bytes.size())
      header.orientation = exif_orientation(bytes.subspan(at + 4, length - 2));
    at += 2 + length;
  }
}

/// Interleaved pixels of 1 to 4 channels as u8 (3, H, W), turned as the orientation says.
Array upright(const Byte* pixels, long height, long width, int channels, int orientation) {
  const bool turned = orientation >= 5;  // rows become columns
  const bool upside_down = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool mirrored = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const long rows = turned ? width : height, columns = turned ? height : width;
  const bool alpha = channels % 2 == 0;
  Array image({3, rows, columns}, DType::u8);
  Byte* to = image.mutable_data<Byte>();
  threads::for_ranges(rows, std::max(1l, 65536 / columns), [&](long first, long last) {
    for (long y = first; y < last; ++y)
      for (long x = 0; x < columns; ++x) {
        const long row = turned ? x : y, column = turned ? y : x;
        const Byte* pixel = pixels + ((upside_down ? height - 1 - row : row) * width +
                                      (mirrored ? width - 1 - column : column)) *
                                         channels;
        const int opaque = alpha ? pixel[channels - 1] : 255;
        for (long c = 0; c < 3; ++c)
          to[(c * rows + y) * columns + x] =
              Byte((pixel[channels < 3 ? 0 : c] * opaque + 255 * (255 - opaque) + 127) / 255);
      }
  });
  return image;
}

Array decode(const std::vector<Byte>& bytes, long max_pixels) {
  const bool png = begins_with(bytes, png_magic);
  const PictureHeader header = png ? check_png(bytes, max_pixels) : check_jpeg(bytes, max_pixels);
  most_memory = (1 << 20) + 4 * bytes.size() + 16 * std::size_t(header.height * header.width);
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<Byte, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes.data(), int(bytes.size()), &width, &height, &channels, 0), stbi_image_free);
  if (!pixels) {
    const char* why = stbi_failure_reason();
    // stb tries a JPEG as a PNG first, and may have nothing to add to that.
    const bool known = why && (png || std::string_view(why) != "bad png sig");
    fail("is damaged or of a kind that is not supported: {}", known ? why : "its pixels cannot be decoded");
  }
  return upright(pixels.get(), height, width, channels, header.orientation);
}

}  // namespace

Array load_image(const std::string& file, long max_pixels) {
  expect(max_pixels <= max_image_pixels, "load_image: max_pixels is {}, more than {}", max_pixels,
         max_image_pixels);
  const auto bytes = read_bytes(file, max_pixels);
  try {
    return decode(bytes, max_pixels);
  } catch (const Error& e) {
    fail("{}: {}", file, e.what());
  }
}

std::string png_bytes(const Array& image) {
  if (!image.defined()) fail("png_bytes: the picture is undefined");
  const bool fits =
      image.dtype() == DType::u8 && image.rank() == 3 && (image.dim(0) == 1 || image.dim(0) == 3);
  expect(fits && image.size() > 0 && image.size() <= 3 * max_image_pixels,
         "png_bytes: takes a picture u8 (1 | 3, H, W), not {} {}", image.dtype(), image.shape());
  const long channels = image.dim(0), height = image.dim(1), width = image.dim(2), plane = height * width;
  std::vector<Byte> pixels(static_cast<std::size_t>(image.size()));
  const Byte* from = image.data<Byte>();
  for (long i = 0; i < plane; ++i)
    for (long c = 0; c < channels; ++c) pixels[std::size_t(i * channels + c)] = from[c * plane + i];
  int size = 0;
  const std::unique_ptr<Byte, void (*)(void*)> png(
      stbi_write_png_to_mem(pixels.data(), int(width * channels), int(width), int(height), int(channels),
                            &size),
      std::free);
  expect(png != nullptr, "png_bytes: out of memory for an image of {} x {} pixels", height, width);
  return {reinterpret_cast<const char*>(png.get()), std::size_t(size)};
}

void save_png(const std::string& file, const Array& image) {
  const std::string png = png_bytes(image);
  replace_file(file, [&](std::ostream& out) { out.write(png.data(), std::streamsize(png.size())); });
}

}  // namespace xgrad
