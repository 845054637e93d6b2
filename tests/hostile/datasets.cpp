// Hostile pictures, idx files, CIFAR files and archives.
#include <zlib.h>

#include <cstdint>
#include <vector>

#include "tests/datasets/files.hpp"
#include "tests/hostile/deflate.hpp"
#include "tests/hostile/files.hpp"

#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

namespace xgrad::tests {
namespace {

std::string big(std::uint64_t value, int width = 4) {
  std::string bytes;
  for (int i = width; i-- > 0;) bytes += char(value >> 8 * i);
  return bytes;
}
std::string gzipped(const std::string& bytes) { return deflated(bytes, 31); }

std::string chunk(const std::string& type, const std::string& content) {
  const std::string checked = type + content;
  return big(content.size()) + checked +
         big(crc32(0, reinterpret_cast<const Bytef*>(checked.data()), uInt(checked.size())));
}
struct Png {
  std::uint32_t width = 1, height = 1;
  char depth = 8, type = 0, interlaced = 0;
  std::string rows = bytes("\0\7"), before = "", after = "";
  std::string made() const {
    return "\x89PNG\r\n\x1a\n" +
           chunk("IHDR", big(width) + big(height) + depth + type + bytes("\0\0") + interlaced) + before +
           chunk("IDAT", deflated(rows, 15)) + after + chunk("IEND", "");
  }
};
std::string jpeg() {
  std::string file;
  const std::vector<std::uint8_t> rgb(16 * 16 * 3, 90);
  stbi_write_jpg_to_func(
      [](void* to, void* data, int n) {
        static_cast<std::string*>(to)->append(static_cast<char*>(data), std::size_t(n));
      },
      &file, 16, 16, 3, rgb.data(), 90);
  return file;
}
/// A grey JPEG of 8 x 8 pixels or more, baseline or progressive: two tables of two codes, and a byte of
/// blocks.
std::string block_jpeg(char frame, char height = 8, char code = 5, char blocks = 0x3f) {
  const std::string table = bytes("\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
  return bytes("\xff\xd8\xff\xdb\0\x43\0") + std::string(64, '\1') + "\xff" + frame + bytes("\0\x0b\x08\0") +
         height + bytes("\0\x08\1\1\x11\0") + bytes("\xff\xc4\0\x15\0") + table + '\0' + code +
         bytes("\xff\xc4\0\x15\x10") + table + bytes("\0\1") + bytes("\xff\xda\0\x08\1\1\0\0") +
         (frame == '\xc2' ? '\0' : '\x3f') + '\0' + blocks + "\xff\xd9";
}
/// A JPEG with `text` in place of what follows `marker`, or in front of it.
std::string jpeg_with(const std::string& marker, std::size_t offset, const std::string& text,
                      bool insert = false) {
  std::string file = jpeg();
  return file.replace(file.find(marker) + offset, insert ? 0 : text.size(), text);
}

std::string idx(const std::string& magic, const std::vector<std::uint64_t>& lengths,
                const std::string& payload) {
  std::string result = magic;
  for (const auto length : lengths) result += big(length);
  return result + payload;
}

}  // namespace

std::vector<HostileFile> hostile_images() {
  const std::string jpg = jpeg(), note = deflated(std::string(50'000'000, '\0'), 15);
  const auto scan = jpg.find("\xff\xda");
  const std::string a_scan = jpg.substr(scan, jpg.size() - 2 - scan),
                    a_frame = jpg.substr(jpg.find("\xff\xc0"), 19),
                    exif = "\xff\xe1" + big(18, 2) + bytes("Exif\0\0II*\0\x08\0\0\0\xff\xff");
  return {
      {"a PNG", Png{}.made(), ""},
      {"a JPEG", jpg, ""},
      {"a JPEG of one block", block_jpeg('\xc0'), ""},
      {"a JPEG that ends within the second block", block_jpeg('\xc0', 16, 15, 0x2f), ""},
      {"a progressive JPEG", block_jpeg('\xc2'), ""},
      {"a note of 50 MB in zTXt", Png{.before = chunk("zTXt", bytes("a\0\0") + note)}.made(), ""},
      {"a profile of 50 MB in iCCP", Png{.before = chunk("iCCP", bytes("a\0\0") + note)}.made(), ""},
      {"10,000 empty chunks", Png{.before = repeated(chunk("tEXt", ""), 10'000)}.made(), ""},
      {"20,000 times Exif that states 65,535 entries, and has none",
       jpg.substr(0, 2) + repeated(exif, 20'000) + jpg.substr(2), ""},
      {"nothing", "", "a picture was expected, but the file is empty"},
      {"text", "hello, world", "neither a PNG nor a JPEG"},
      {"a PNG's first bytes only", "\x89PNG\r\n\x1a\n", "is truncated or damaged"},
      {"pixels that unpack to 50 MB", Png{.rows = std::string(50'000'000, '\0')}.made(),
       "unpack to more than the 2 bytes"},
      {"one byte too many", Png{.rows = bytes("\0\7\0")}.made(), "unpack to more than the 2 bytes"},
      {"interlaced, too long", Png{.interlaced = 1, .rows = std::string(1000, '\0')}.made(),
       "unpack to more than"},
      {"2^32 - 1 pixels high", Png{.height = 0xffffffff}.made(),
       "has 4294967295 x 1 pixels; pictures of more than"},
      {"2^64 pixels", Png{.width = 0xffffffff, .height = 0xffffffff}.made(),
       "pictures of more than 100000000 are not read"},
      {"100 megapixels of two bytes", Png{.width = 10'000, .height = 10'000}.made(), "is damaged"},
      {"no pixel", Png{.width = 0}.made(), "is damaged"},
      {"depth 3", Png{.depth = 3}.made(), "is damaged"},
      {"colours of an unknown kind", Png{.type = 5}.made(), "is damaged"},
      {"an unknown filter", Png{.rows = bytes("\11\7")}.made(), "invalid filter"},
      {"too few pixels", Png{.width = 2}.made(), "is damaged"},
      {"two headers", Png{.before = chunk("IHDR", big(1) + big(1) + bytes("\10\0\0\0\0"))}.made(),
       "is damaged"},
      {"a chunk longer than the file", Png{}.made().replace(33, 4, big(0xffffffff)), "the chunk at byte 33"},
      {"a wrong checksum", Png{}.made().replace(29, 4, big(1)), "has a wrong checksum"},
      {"a JPEG's first bytes only", "\xff\xd8\xff", "is truncated"},
      {"14,000 x 7,000 pixels in some hundred bytes",
       jpeg_with("\xff\xc0", 5, big(14'000, 2) + big(7'000, 2)),
       "is damaged: 14000 x 7000 pixels do not fit"},
      {"64,008 x 164 pixels in 17 bytes", bytes("\xff\xd8\xff\xc0\0\x0b\x08\xfa\x08\0\xa4\1\1\x11\0\xff\xd9"),
       "is damaged: 64008 x 164 pixels do not fit 17 bytes"},
      {"65,535 x 65,535 pixels", jpeg_with("\xff\xc0", 5, big(~0u)), "has 65535 x 65535 pixels"},
      {"1,000 scans", jpg.substr(0, scan) + repeated(a_scan, 1000) + "\xff\xd9", "more than 100 scans"},
      {"two frames", jpeg_with("\xff\xc0", 0, a_frame, true), "it has two frames"},
      {"no frame", jpeg_with("\xff\xc0", 0, "\xff\xe5"), "is damaged"},
      {"Huffman tables of 4,080 codes", jpeg_with("\xff\xc4", 5, std::string(16, '\xff')), "has 4080 codes"},
      {"sampling 15 x 15", jpeg_with("\xff\xc0", 11, "\xff"), "is damaged"},
      {"cut in the pixels", jpg.substr(0, jpg.size() - 5), "is truncated"},
  };
}

std::vector<HostileFile> hostile_idx() {
  const std::string magic = bytes("\0\0\10\1"), good = idx(magic, {5}, "12345");
  const std::string cut = gzipped(good).substr(0, 15);
  std::string wrong_sum = gzipped(good);
  wrong_sum[wrong_sum.size() - 6] ^= 1;
  return {
      {"five labels", good, ""},
      {"gzipped", gzipped(good), ""},
      {"none", idx(magic, {0}, ""), ""},
      {"zeros 1000:1", gzipped(idx(magic, {50'000'000}, std::string(50'000'000, '\0'))), ""},
      {"nothing", "", "byte 0: an idx file's first four bytes"},
      {"three bytes", "\1\2\3", "byte 0: an idx file's first four bytes"},
      {"two axes", idx(bytes("\0\0\10\2"), {1, 5}, "12345"),
       "this is not an idx file of unsigned bytes of rank 1"},
      {"floats", idx(bytes("\0\0\15\1"), {1}, "1234"), "this is not an idx file of unsigned bytes of rank 1"},
      {"no length", magic + "12", "byte 4: the length of an axis"},
      {"a byte short", idx(magic, {6}, "12345"), "the bytes of all elements"},
      {"a byte long", idx(magic, {4}, "12345"), "the end was expected"},
      {"4 GiB stated", idx(magic, {0xffffffff}, "12345"),
       "a file of 13 bytes cannot hold shape (4294967295,)"},
      {"4 GiB stated, gzipped", gzipped(idx(magic, {0xffffffff}, "12345")),
       "cannot hold shape (4294967295,)"},
      {"gzipped, a byte short", gzipped(idx(magic, {6}, "12345")), "the bytes of all elements"},
      {"gzipped, 50 MB more than stated", gzipped(good + std::string(50'000'000, '\0')),
       "the end was expected"},
      {"cut gzip", cut, "the file is truncated"},
      {"gzip's header only", gzipped(good).substr(0, 10), "the file is truncated"},
      {"a wrong checksum", wrong_sum, "incorrect data check"},
      {"something after gzip's end", gzipped(good) + "x", "something follows"},
      {"gzip in gzip", gzipped(gzipped(good)), "this is not an idx file"},
  };
}

std::vector<HostileFile> hostile_cifar() {
  const std::string record = std::string(3073, '\1');
  return {
      {"two records", record + record, ""},
      {"nothing", "", "truncated: 0 bytes"},
      {"a byte short", (record + record).substr(1), "truncated: 6145 bytes"},
      {"a byte long", record + record + "x", "too long: 6147 bytes"},
      {"a label of 10", record + "\12" + record.substr(1), "byte 3073: damaged"},
      {"a label of 255", "\xff" + record.substr(1) + record, "byte 0: damaged"},
  };
}

std::vector<HostileFile> hostile_archives() {
  const std::string good = tar({{"set/", '5'}, {"set/a", '0', "1"}});
  std::string wrong_sum = good, huge = good, negative = good;
  wrong_sum[0] ^= 1;
  huge.replace(512 + 124, 12, bytes("77777777777\0"));
  negative.replace(512 + 124, 12, std::string(12, '\xff'));
  return {
      {"an archive", good, ""},
      {"gzipped", gzipped(good), ""},
      {"padded", good + std::string(10'000, '\0'), ""},
      {"nothing", "", "damaged"},
      {"text", "this is no archive", "damaged"},
      {"no name", tar({{"", '0', "1"}}), "an entry has no name"},
      {"absolute", tar({{"/tmp/xgrad-hostile", '0', "1"}}), "leads out of the folder"},
      {"..", tar({{"set/../../x", '0', "1"}}), "leads out of the folder"},
      {"a symbolic link", tar({{"set/l", '2', "/etc"}}), "is neither a file nor a folder"},
      {"through a symbolic link", tar({{"l", '2', "/tmp"}, {"l/x", '0', "1"}}),
       "is neither a file nor a folder"},
      {"a hard link", tar({{"set/l", '1'}}), "is neither a file nor a folder"},
      {"a device", tar({{"set/d", '3'}}), "is neither a file nor a folder"},
      {"a pipe", tar({{"set/p", '6'}}), "is neither a file nor a folder"},
      {"a file twice", tar({{"a", '0', "1"}, {"a", '0', "2"}}), "its entry 'a' occurs twice"},
      {"a file as a folder", tar({{"a", '0', "1"}, {"a/b", '0', "2"}}), "its entry 'a/b' cannot be created"},
      {"a file as a folder's folder", tar({{"a", '0', "1"}, {"a/b/", '5'}}),
       "its entry 'a/b/' cannot be created"},
      {"a folder where a file is", tar({{"a", '0', "1"}, {"a/", '5'}}), "its entry 'a/' cannot be created"},
      {"a line in a name", tar({{"a\nb", '0', "1"}}), "control characters"},
      {"an escape in a name", tar({{"\x1b[2J", '0', "1"}}), "control characters"},
      {"trailing bytes", good + "x", "but more follows"},
      {"bytes after gzip's end", gzipped(good) + "x", "something follows"},
      {"cut gzip", gzipped(good).substr(0, 40), "the file is truncated"},
      {"a wrong checksum", wrong_sum, ": "},
      {"8 GiB stated", huge, ": "},
      {"a negative size", negative, ": "},
      {"50 MB of zeros", gzipped(tar({{"a", '0', std::string(50'000'000, '\0')}})),
       "more than may be unpacked"},
      {"100,001 entries", gzipped(tar(std::vector<TarEntry>(100'001, TarEntry{"d/", '5'}))),
       "more than 100000 entries"},
  };
}

}  // namespace xgrad::tests
