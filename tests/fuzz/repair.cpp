// Checksums and places of mutated files are made right, so that what lies behind them is reached.
#include "tests/fuzz/repair.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace xgrad::tests {
namespace {

std::size_t byte(const std::string& bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }
/// A little-endian number of `width` bytes, which are there.
std::size_t little(const std::string& bytes, std::size_t at, int width) {
  std::size_t value = 0;
  for (int i = width; i-- > 0;) value = value << 8 | byte(bytes, at + std::size_t(i));
  return value;
}
void put_little(std::string& bytes, std::size_t at, std::size_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = char(value >> 8 * i);
}
std::size_t checksum(std::string_view bytes) {
  return crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

/// What a member of a ZIP archive unpacks to, as far as it does, within 4 MiB.
std::string inflated(std::string_view packed) {
  std::string result(4 << 20, '\0');
  z_stream z{};
  if (inflateInit2(&z, -15) != Z_OK) return {};
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  z.avail_in = uInt(packed.size());
  z.next_out = reinterpret_cast<Bytef*>(result.data());
  z.avail_out = uInt(result.size());
  inflate(&z, Z_FINISH);
  result.resize(z.total_out);
  inflateEnd(&z);
  return result;
}

constexpr std::size_t local_size = 30, entry_size = 46, end_size = 22;

}  // namespace

void repair_png(std::string& bytes) {
  if (!bytes.starts_with("\x89PNG")) return;
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    const std::size_t length =
        byte(bytes, at) << 24 | byte(bytes, at + 1) << 16 | byte(bytes, at + 2) << 8 | byte(bytes, at + 3);
    if (length > bytes.size() - at - 12) return;
    const auto sum = checksum(std::string_view(bytes).substr(at + 4, 4 + length));
    for (std::size_t i = 0; i < 4; ++i) bytes[at + 8 + length + i] = char(sum >> (24 - 8 * i));
    at += 12 + length;
  }
}

void repair_tar(std::string& bytes) {
  for (std::size_t at = 0; at + 512 <= bytes.size();) {
    unsigned sum = 8 * ' ';
    for (std::size_t i = 0; i < 512; ++i)
      if (i < 148 || i >= 156) sum += static_cast<unsigned char>(bytes[at + i]);
    if (sum != 8 * ' ') bytes.replace(at + 148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    const auto size = std::strtoul(bytes.substr(at + 124, 11).c_str(), nullptr, 8);
    if (size > bytes.size()) return;
    at += 512 + (size + 511) / 512 * 512;
  }
}

void repair_zip(std::string& bytes) {
  const std::size_t end = bytes.rfind("PK\5\6");
  if (end == bytes.npos || bytes.size() - end < end_size) return;
  const auto leads_to = [&](std::size_t at, const char* magic, std::size_t size) {
    return at <= end && end - at >= size && bytes.compare(at, 4, magic) == 0;
  };
  std::size_t entry = little(bytes, end + 16, 4);
  if (!leads_to(entry, "PK\1\2", entry_size)) {
    entry = bytes.find("PK\1\2");
    if (entry == bytes.npos) return;
    put_little(bytes, end + 16, entry);
  }
  for (std::size_t from = 0; leads_to(entry, "PK\1\2", entry_size);) {
    std::size_t local = little(bytes, entry + 42, 4);
    if (!leads_to(local, "PK\3\4", local_size)) {
      local = bytes.find("PK\3\4", from);
      if (local == bytes.npos || !leads_to(local, "PK\3\4", local_size)) return;
      put_little(bytes, entry + 42, local);
    }
    from = local + 4;
    const std::size_t data = local + local_size + little(bytes, local + 26, 2) + little(bytes, local + 28, 2);
    const std::string_view packed =
        std::string_view(bytes).substr(std::min(data, end), little(bytes, entry + 20, 4));
    const std::size_t sum = little(bytes, entry + 10, 2) ? checksum(inflated(packed)) : checksum(packed);
    put_little(bytes, entry + 16, sum);
    put_little(bytes, local + 14, sum);
    entry += entry_size + little(bytes, entry + 28, 2) + little(bytes, entry + 30, 2) +
             little(bytes, entry + 32, 2);
  }
}

}  // namespace xgrad::tests
