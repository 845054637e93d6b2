// Tests of pictures on file: every kind that is read, and that no damage goes further than an error.
#include <sys/stat.h>
#include <zlib.h>

#include <xgrad/datasets/image.hpp>
#include "tests/datasets/files.hpp"
#include "tests/memory_limit.hpp"

#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

using namespace xgrad;
using namespace xgrad::tests;

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

Bytes pixels_of(const Array& image) {
  const auto e = image.elements<std::uint8_t>();
  return {e.begin(), e.end()};
}

void append(void* to, void* data, int size) {
  static_cast<std::string*>(to)->append(static_cast<const char*>(data), std::size_t(size));
}
std::string jpeg(int width, int height, const Bytes& rgb, int quality = 95) {
  std::string file;
  REQUIRE(stbi_write_jpg_to_func(append, &file, width, height, 3, rgb.data(), quality));
  return file;
}

std::string big_endian(std::size_t value, int width = 4) {
  std::string bytes;
  for (int i = width; i-- > 0;) bytes += char(value >> 8 * i);
  return bytes;
}
std::string chunk(const std::string& type, const std::string& bytes) {
  const std::string checked = type + bytes;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(checked.data()), uInt(checked.size()));
  return big_endian(bytes.size()) + checked + big_endian(sum);
}
/// A PNG of `depth` bits and a colour type (0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA); `rows` with
/// their filter bytes. `extra` are chunks before the pixels.
std::string png(int width, int height, int depth, int type, const Bytes& rows,
                const std::string& extra = "") {
  Bytes packed(compressBound(rows.size()));
  uLongf size = packed.size();
  REQUIRE(compress(packed.data(), &size, rows.data(), rows.size()) == Z_OK);
  const std::string header = big_endian(std::size_t(width)) + big_endian(std::size_t(height)) + char(depth) +
                             char(type) + std::string(3, '\0');
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + extra +
         chunk("IDAT", {packed.begin(), packed.begin() + long(size)}) + chunk("IEND", "");
}

struct Folder : TemporaryFolder {
  fs::path file = *this / "picture";
  Array load(const std::string& bytes) const {
    write_file(file, bytes);
    return load_image(file);
  }
  /// What is said of the file, without its name in front.
  std::string error(const std::string& bytes) const {
    return error([&] { load(bytes); });
  }
  template <class F>
  requires std::invocable<F> std::string error(F f)
  const {
    const std::string text = error_of(f), start = file.string() + ": ";
    if (text.empty()) return "";
    CHECK_THAT(text, Catch::StartsWith(start));
    CHECK(text.find('\n') == std::string::npos);
    return text.substr(std::min(text.size(), start.size()));
  }
};

/// 8 x 8 pixels in which every channel tells the place.
Bytes gradient() {
  Bytes rgb;
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x)
      for (const int value : {30 * x, 30 * y, 255 - 15 * (x + y)}) rgb.push_back(std::uint8_t(value));
  return rgb;
}

}  // namespace

TEST_CASE("image: PNG of each kind of pixel") {
  const Folder folder;
  const auto pixels = [&](const std::string& bytes) { return pixels_of(folder.load(bytes)); };
  CHECK(folder.load(png(2, 1, 8, 0, {0, 7, 200})).shape() == Shape{3, 1, 2});
  CHECK(pixels(png(2, 1, 8, 0, {0, 7, 200})) == Bytes{7, 200, 7, 200, 7, 200});
  CHECK(pixels(png(1, 2, 8, 2, {0, 1, 2, 3, 0, 4, 5, 6})) == Bytes{1, 4, 2, 5, 3, 6});
  // Over white: 100 at an opacity of 51 / 255 is 20 + 204.
  CHECK(pixels(png(3, 1, 8, 4, {0, 100, 255, 100, 0, 100, 51})) ==
        Bytes{100, 255, 224, 100, 255, 224, 100, 255, 224});
  CHECK(pixels(png(2, 1, 8, 6, {0, 100, 0, 255, 51, 9, 8, 7, 255})) == Bytes{224, 9, 204, 8, 255, 7});
  CHECK(pixels(png(1, 1, 16, 2, {0, 1, 200, 2, 10, 255, 255})) == Bytes{1, 2, 255});
  CHECK(pixels(png(1, 1, 16, 6, {0, 1, 200, 2, 10, 3, 3, 0, 255})) == Bytes{255, 255, 255});
  CHECK(pixels(png(1, 1, 16, 0, {0, 99, 1})) == Bytes{99, 99, 99});
  CHECK(pixels(png(4, 1, 1, 0, {0, 0b01100000})) == Bytes{0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0});
  const std::string palette = chunk("PLTE", {1, 2, 3, 4, 5, 6});
  CHECK(pixels(png(3, 1, 8, 3, {0, 1, 0, 1}, palette)) == Bytes{4, 1, 4, 5, 2, 5, 6, 3, 6});
  CHECK(pixels(png(2, 1, 8, 3, {0, 1, 0}, palette + chunk("tRNS", std::string(1, '\0')))) ==
        Bytes{4, 255, 5, 255, 6, 255});
  CHECK(pixels(png(1, 1, 8, 2, {0, 1, 2, 3}, chunk("tEXt", "a note"))) == Bytes{1, 2, 3});
  CHECK(pixels(png(1, 1, 8, 2, {0, 1, 2, 3}) + "what follows") == Bytes{1, 2, 3});
}

TEST_CASE("image: JPEG is read about as it was") {
  const Folder folder;
  const Array image = folder.load(jpeg(8, 8, gradient(), 100));
  CHECK(image.shape() == Shape{3, 8, 8});
  const Bytes read = pixels_of(image), written = gradient();
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t p = 0; p < 64; ++p) CHECK(std::abs(read[c * 64 + p] - written[3 * p + c]) <= 6);
  CHECK(folder.load(jpeg(37, 11, Bytes(37 * 11 * 3, 80))).shape() == Shape{3, 11, 37});
}

TEST_CASE("image: a photograph stands as its orientation says") {
  // 16 x 32 pixels: on the left black over dark grey, on the right light grey over white.
  Bytes rgb;
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 32; ++x)
      rgb.insert(rgb.end(), 3, std::uint8_t((x < 16 ? 0 : 160) + (y < 8 ? 0 : 80)));
  const std::string file = jpeg(32, 16, rgb);
  // Of what is stored, the quarters are a c / b d; where they come to, row by row, by Exif's definition.
  const char* quarters[] = {"acbd", "cadb", "dbca", "bdac", "abcd", "badc", "dcba", "cdab"};
  const Folder folder;
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const bool little : {false, true}) {
      const std::string tiff =
          little ? std::string("II*\0\x8\0\0\0\x1\0\x12\x1\x3\0\x1\0\0\0", 18) + char(orientation)
                 : std::string("MM\0*\0\0\0\x8\0\x1\x1\x12\0\x3\0\0\0\x1\0", 19) + char(orientation);
      const std::string exif = std::string("Exif\0\0", 6) + tiff + std::string(8, '\0');
      const std::string segment = "\xff\xe1" + big_endian(exif.size() + 2, 2) + exif;
      const Array image = folder.load(file.substr(0, 2) + segment + file.substr(2));
      const bool turned = orientation > 4;
      REQUIRE(image.shape() == (turned ? Shape{3, 32, 16} : Shape{3, 16, 32}));
      std::string found;
      const long height = image.dim(1), width = image.dim(2);
      for (const long y : {height / 4, 3 * height / 4})
        for (const long x : {width / 4, 3 * width / 4})
          found += char('a' + (image.elements<std::uint8_t>()[std::size_t(y * width + x)] + 40) / 80);
      CHECK(found == quarters[orientation - 1]);
    }
}

TEST_CASE("image: what is no picture is named, and why") {
  const Folder folder;
  CHECK(folder.error([&] { load_image(folder.file); }) == "cannot be opened: No such file or directory");
  CHECK(folder.error("") == "byte 0: a picture was expected, but the file is empty");
  for (const char* other : {"<html>", "GIF89a", "\xff"})
    CHECK(folder.error(other) == "byte 0: this is neither a PNG nor a JPEG file");
  CHECK(error_of([&] { load_image(folder.path); }) ==
        folder.path.string() + ": cannot be read: it is a folder");
  fs::resize_file(folder.file, 3'000'000'000);
  CHECK_THAT(folder.error([&] { load_image(folder.file); }),
             Catch::Contains("the file has 3000000000 bytes; pictures of more than 816777216 are not read"));
  fs::remove(folder.file);
  REQUIRE(mkfifo(folder.file.c_str(), 0600) == 0);
  CHECK(folder.error([&] { load_image(folder.file); }) == "cannot be read: it is not a regular file");
}

TEST_CASE("image: too many pixels are refused by the header") {
  const Folder folder;
  CHECK(folder.error(png(20000, 10000, 8, 2, {0})) ==
        "has 10000 x 20000 pixels; pictures of more than 100000000 are not read");
  CHECK(folder.error(png(-1, -1, 8, 2, {0})) ==
        "has 4294967295 x 4294967295 pixels; pictures of more than 100000000 are not read");
  std::string file = jpeg(8, 8, gradient());
  file.replace(file.find("\xff\xc0") + 5, 4, "\xff\xff\xff\xfe");
  CHECK(folder.error(file) == "has 65535 x 65534 pixels; pictures of more than 100000000 are not read");
  // A picture of one pixel whose data unpack to 64 MB.
  CHECK(folder.error(png(1, 1, 8, 0, Bytes(64 << 20))) ==
        "is damaged: its pixels unpack to more than the 2 bytes that they take");
}

TEST_CASE("image: bombs are refused before they are decoded") {
  const Folder folder;
  // A few hundred bytes that state 14,000 x 7,000 pixels.
  const std::string small = jpeg(8, 8, gradient());
  std::string bomb = small;
  bomb.replace(bomb.find("\xff\xc0") + 5, 4, big_endian(14000, 2) + big_endian(7000, 2));
  {
    const MemoryLimit limit(64 << 20);
    CHECK_THAT(folder.error(bomb), Catch::Contains("is damaged: 14000 x 7000 pixels do not fit"));
  }
  // A scan, a thousand times.
  const auto scan = small.find("\xff\xda"), end = small.size() - 2;
  const auto with_scans = [&](int n) {
    std::string bytes = small.substr(0, scan);
    for (int i = 0; i < n; ++i) bytes += small.substr(scan, end - scan);
    return bytes + small.substr(end);
  };
  CHECK(folder.error(with_scans(100)).find("scans") == std::string::npos);
  CHECK_THAT(folder.error(with_scans(101)), Catch::StartsWith("has more than 100 scans"));
  CHECK_THAT(folder.error(with_scans(1000)), Catch::StartsWith("has more than 100 scans"));
  const auto frame = small.find("\xff\xc0");
  CHECK(folder.error(small.substr(0, frame) + small.substr(frame, 19) + small.substr(frame)) ==
        "is damaged: it has two frames");
  // The option.
  CHECK(error_of([&] {
          write_file(folder.file, small);
          load_image(folder.file, 63);
        }).ends_with("has 8 x 8 pixels; pictures of more than 63 are not read"));
  CHECK(load_image(folder.file, 64).size() == 192);
  // Two bytes too many, and notes that would unpack to 100 MB: they are not unpacked.
  CHECK(folder.error(png(2, 1, 8, 0, {0, 1, 2, 0})) ==
        "is damaged: its pixels unpack to more than the 3 bytes that they take");
  Bytes packed(compressBound(100'000'000));
  uLongf size = packed.size();
  REQUIRE(compress2(packed.data(), &size, Bytes(100'000'000).data(), 100'000'000, 1) == Z_OK);
  const std::string note(packed.begin(), packed.begin() + long(size));
  const std::string extra =
      chunk("zTXt", "a" + std::string(2, '\0') + note) + chunk("iCCP", "a" + std::string(2, '\0') + note);
  const std::string noted = png(1, 1, 8, 2, {0, 1, 2, 3}, extra);
  const MemoryLimit limit(64 << 20);
  CHECK(pixels_of(folder.load(noted)) == Bytes{1, 2, 3});
}

TEST_CASE("image: an interlaced PNG is read, and its size counted") {
  // 3 x 2 pixels: passes of (1, 1), none, none, (1, 1), none, (1, 1)... as Adam7 has them.
  const Folder folder;
  const auto interlaced = [&](const Bytes& rows) {
    std::string bytes = png(3, 2, 8, 0, rows);
    std::string header = bytes.substr(16, 13);
    header[12] = 1;
    return bytes.replace(8, 25, chunk("IHDR", header));
  };
  const Bytes rows = {0, 1, 0, 3, 0, 2, 0, 4, 5, 6};
  CHECK(pixels_of(folder.load(interlaced(rows))) ==
        Bytes{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6});
  Bytes more = rows;
  more.push_back(0);
  CHECK(folder.error(interlaced(more)) ==
        "is damaged: its pixels unpack to more than the 10 bytes that they take");
}

TEST_CASE("image: no truncation goes unnoticed") {
  const Folder folder;
  for (const std::string& whole : {png_bytes(folder.load(jpeg(8, 8, gradient()))), jpeg(8, 8, gradient())}) {
    REQUIRE(folder.error(whole) == "");
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string error = folder.error(whole.substr(0, size));
      if (error.empty()) FAIL("cut to " << size << " of " << whole.size() << " bytes it is read");
      if (size > 8) CHECK_THAT(error, Catch::StartsWith("is truncated"));
    }
  }
}

TEST_CASE("image: no damaged byte does more than an error") {
  const Folder folder;
  const std::string jpg = jpeg(8, 8, gradient()), png = png_bytes(folder.load(jpg));
  long unnoticed = 0, noticed = 0;
  for (const std::string& whole : {png, jpg})
    for (std::size_t i = 0; i < whole.size(); ++i)
      for (const int value : {0, 1, 127, 255, whole[i] ^ 1, whole[i] ^ 32, whole[i] ^ 128}) {
        std::string bytes = whole;
        bytes[i] = char(value);
        if (bytes[i] == whole[i]) continue;
        const bool error = !folder.error(bytes).empty();
        ++(error ? noticed : unnoticed);
        if (whole == png && !error) FAIL("with byte " << i << " set to " << value << " the PNG is read");
      }
  CHECK(noticed > 0);
  CHECK(unnoticed > 0);  // a JPEG has no checksum: another shade of blue is not noticed
}

TEST_CASE("image: damage that keeps the checksums right") {
  const Folder folder;
  const std::string start = "is damaged or of a kind that is not supported: ";
  CHECK(folder.error(png(2, 2, 8, 0, {0, 1, 2, 0, 3})) == start + "not enough pixels");
  CHECK(folder.error(png(2, 1, 8, 0, {9, 1, 2})) == start + "invalid filter");
  CHECK(folder.error(png(2, 1, 8, 5, {0, 1, 2})) == start + "bad ctype");
  CHECK(folder.error(png(2, 1, 8, 3, {0, 1, 2})) == start + "no PLTE");
  CHECK(folder.error(png(0, 1, 8, 0, {0})) == start + "0-pixel image");
  CHECK(folder.error("\x89PNG\r\n\x1a\n" + chunk("IEND", "")) == start + "first not IHDR");
  CHECK(folder.error("\xff\xd8\xff\xd9") == start + "unknown marker");
  std::string file = jpeg(8, 8, gradient());
  const auto table = file.find("\xff\xc4");
  file.replace(table + 5, 16, 16, '\xff');
  CHECK(folder.error(file) ==
        "is damaged: the Huffman table at byte " + std::to_string(table + 4) + " has 4080 codes");
}

TEST_CASE("save_png: what is written is read") {
  const Folder folder;
  Bytes pixels(3 * 5 * 7);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::uint8_t(i * i);
  const Array image(Shape{3, 5, 7}, pixels), grey(Shape{1, 7, 15}, pixels);
  save_png(folder.file, image);
  CHECK(same_bits(load_image(folder.file), image));
  save_png(folder.file, grey);
  CHECK(pixels_of(load_image(folder.file)).size() == 3 * pixels.size());
  const Array thrice = load_image(folder.file);
  CHECK(same_bits(Array(Shape{1, 7, 15}, thrice.elements<std::uint8_t>().subspan(105, 105)), grey));
  CHECK(read_file(folder.file) == png_bytes(grey));
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("save_png: what cannot be written is an error") {
  const Folder folder;
  CHECK(error_of([&] { png_bytes({}); }) == "png_bytes: the picture is undefined");
  CHECK(error_of([&] {
          png_bytes(Array({2, 3, 4}, DType::u8));
        }) == "png_bytes: takes a picture u8 (1 | 3, H, W), not u8 (2, 3, 4)");
  CHECK(error_of([&] {
          png_bytes(Array({3, 0, 4}, DType::u8));
        }) == "png_bytes: takes a picture u8 (1 | 3, H, W), not u8 (3, 0, 4)");
  CHECK(error_of([&] {
          save_png(folder / "none" / "a.png", zeros({3, 2, 2}, DType::u8));
        }) == (folder / "none" / "a.png").string() + ": cannot be written: No such file or directory");
}
