// Hostile .npy and .npz files.
#include <fmt/format.h>
#include <zlib.h>

#include <cstdint>

#include "tests/hostile/deflate.hpp"
#include "tests/hostile/files.hpp"

namespace xgrad::tests {
namespace {

std::string npy(const std::string& header, const std::string& data, int version = 1) {
  const std::string start = "\x93NUMPY" + std::string{char(version), 0};
  return start + little(header.size(), version == 1 ? 2 : 4) + header + data;
}
std::string dict(const char* type, const char* order, const std::string& shape) {
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}\n", type, order, shape);
}
/// A .npy of that shape, in floats.
std::string floats(const std::string& shape, const std::string& data) {
  return npy(dict("<f4", "False", shape), data);
}

/// A member of a ZIP archive, and what may be wrong with it.
struct Member {
  std::string name, content;
  bool packed = false;
  unsigned flags = 0;  // 1: encrypted; 8: sizes and checksum follow the data, as where it cannot be rewound
  std::uint64_t grown = 0;  // stated beyond the truth
  unsigned crc_error = 0;
};
/// Where sizes are written with 64 bits.
struct Zip64 {
  bool members = false;     // in the members' own headers, as numpy.savez does always
  bool directory = false;   // in the directory and behind it, as for more than 4 GiB or 65,535 members
  std::uint64_t moved = 0;  // that the directory is stated to lie behind its place
  bool lost = false;        // the extra fields that hold the sizes are left out
};
std::string zip(const std::vector<Member>& members, std::size_t copies_of_directory = 1,
                const Zip64& wide = {}) {
  constexpr std::uint64_t elsewhere = 0xffff'ffff;
  std::string file, directory;
  for (auto& m : members) {
    const std::string data = m.packed ? deflated(m.content, -15) : m.content;
    const auto crc =
        crc32_z(0, reinterpret_cast<const Bytef*>(m.content.data()), m.content.size()) ^ m.crc_error;
    const bool later = m.flags & 8;
    const std::uint64_t packed = data.size(), size = m.content.size() + m.grown;
    const auto common = [&](bool wide_sizes, std::uint64_t crc, std::uint64_t packed, std::uint64_t size,
                            const std::string& extra) {
      return little(m.flags, 2) + little(m.packed ? 8 : 0, 2) + little(0x21'0000, 4) + little(crc, 4) +
             little(wide_sizes ? elsewhere : packed, 4) + little(wide_sizes ? elsewhere : size, 4) +
             little(m.name.size(), 2) + little(extra.size(), 2);
    };
    const auto extra = [&](bool wanted, const std::string& numbers) {
      return wanted && !wide.lost ? little(1, 2) + little(numbers.size(), 2) + numbers : "";
    };
    const std::string local =
        extra(wide.members, later ? std::string(16, '\0') : little(size, 8) + little(packed, 8));
    const std::string central =
        extra(wide.directory, little(size, 8) + little(packed, 8) + little(file.size(), 8));
    directory += "PK\1\2" + little(45, 2) + little(45, 2) +
                 common(wide.directory, crc, packed, size, central) + little(0, 2) + little(0, 2) +
                 little(0, 2) + little(0, 4) + little(wide.directory ? elsewhere : file.size(), 4) + m.name +
                 central;
    file += "PK\3\4" + little(45, 2) +
            (later ? common(wide.members, 0, 0, 0, local) : common(wide.members, crc, packed, size, local)) +
            m.name + local + data;
    if (later)
      file += "PK\7\10" + little(crc, 4) + little(packed, wide.members ? 8 : 4) +
              little(size, wide.members ? 8 : 4);
  }
  directory = repeated(directory, copies_of_directory);
  const std::uint64_t n = members.size() * copies_of_directory, at = file.size() + wide.moved;
  std::string end;
  if (wide.directory)
    end = "PK\6\6" + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8) + little(n, 8) +
          little(n, 8) + little(directory.size(), 8) + little(at, 8) + "PK\6\7" + little(0, 4) +
          little(file.size() + directory.size() + wide.moved, 8) + little(1, 4);
  const auto narrow = [&](std::uint64_t value, int width) {
    return little(wide.directory ? ~0ull : value, width);
  };
  return file + directory + end + "PK\5\6" + little(0, 4) + narrow(n, 2) + narrow(n, 2) +
         narrow(directory.size(), 4) + narrow(at, 4) + little(0, 2);
}

}  // namespace

std::vector<HostileFile> hostile_npy() {
  const std::string four(4, '\0'), eight(8, '\0');
  return {{"two floats", floats("(2,)", eight), ""},
          {"keys in another order", npy("{'shape': (), 'fortran_order': True, 'descr': \"<f4\"}", four), ""},
          {"as Python 2 wrote it", floats("(1L, 2L)", eight), ""},
          {"version 2", npy(dict("<f4", "False", "(1,)"), four, 2), ""},
          {"version 3", npy(dict("<f4", "False", "(1,)"), four, 3), ""},
          {"version 4", npy(dict("<f4", "False", "(1,)"), four, 4), "version 4.0"},
          {"nothing", "", "byte 0: this is not a .npy file"},
          {"the magic alone", "\x93NUMPY", "byte 6: the version"},
          {"no header", bytes("\x93NUMPY\1\0\x10\0"), "byte 10: the header was expected"},
          {"an empty header", npy("", ""), "'{' was expected"},
          {"a list", npy("[]", ""), "'{' was expected"},
          {"an empty dict", npy("{}", ""), "'descr', 'fortran_order' or 'shape' is missing"},
          {"no end", npy("{'descr': '<f4'", ""), "',' or '}' was expected"},
          {"an open text", npy("{'descr", ""), "this string is unterminated"},
          {"a backslash", npy("{'de\\x73cr': 1}", ""), "a backslash"},
          {"fortran_order: Maybe", npy(dict("<f4", "Maybe", "(2,)"), eight), "True or False was expected"},
          {"fortran_order: 1", npy(dict("<f4", "1", "(2,)"), eight), "True or False was expected"},
          {"two descr", npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", four),
           "given twice"},
          {"a key more", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}", four),
           "is not one of a .npy header"},
          {"something after the dict", npy(dict("<f4", "False", "()") + "x", four), "the end of the header"},
          {"a structured array", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", four),
           "structured"},
          {"complex numbers", npy(dict("<c8", "False", "(1,)"), eight), "dtype '<c8' cannot be read"},
          {"objects", npy(dict("|O", "False", "(1,)"), eight), "dtype '|O' cannot be read"},
          {"no dtype", npy(dict("", "False", "(1,)"), eight), "dtype '' cannot be read"},
          {"a bool of 2", npy(dict("|b1", "False", "(2,)"), "\1\2"), "element 1 is 2, not a bool"},
          {"(2) is no tuple", floats("(2)", eight), "(n) is not a tuple"},
          {"two commas", floats("(2,,)", eight), "the length of an axis"},
          {"a negative length", floats("(-2,)", eight), "the length of an axis"},
          {"half a number", floats("(2.5,)", eight), "the length of an axis"},
          {"lengths without a comma", floats("(1 2)", eight), "the length of an axis"},
          {"a length of 2^64", floats("(18446744073709551616,)", eight), "the length of an axis"},
          {"nine axes", floats("(1,1,1,1,1,1,1,1,2)", eight), "has 9 axes"},
          {"2^62 elements", floats("(4611686018427387904,)", ""), "would be too large"},
          {"2^32 by 2^32", floats("(4294967296, 4294967296)", ""), "would be too large"},
          {"fewer elements", floats("(3,)", eight), "8 bytes are too few for shape (3,)"},
          {"more elements", floats("(1,)", eight), "the end was expected, but something follows"}};
}

std::vector<HostileFile> hostile_npz() {
  const std::string a = floats("(1,)", std::string(4, '\0'));
  const std::string large = npy(dict("|i1", "False", "(50000000,)"), std::string(50'000'000, '\0'));
  const std::string whole = zip({{"a.npy", a}});
  return {
      {"one array", whole, ""},
      {"one packed array", zip({{"a.npy", a, true}}), ""},
      {"an honest 1000:1", zip({{"a.npy", floats("(2500000,)", std::string(10'000'000, '\0')), true}}), ""},
      {"a name that leads out is a name", zip({{"../a.npy", a}}), ""},
      {"a name in UTF-8",
       zip({{"gr\xc3\xb6\xc3\x9f"
             "e.npy",
             a, false, 0x800}}),
       ""},
      {"as numpy.savez writes", zip({{"a.npy", a}}, 1, {.members = true}), ""},
      {"as numpy.savez_compressed writes",
       zip({{"a.npy", a, true}, {"b.npy", a, true}}, 1, {.members = true}), ""},
      {"64-bit sizes everywhere", zip({{"a.npy", a}, {"b.npy", a, true}}, 1, {true, true}), ""},
      {"64-bit sizes that are not there", zip({{"a.npy", a}}, 1, {true, true, 0, true}), "is damaged"},
      {"64-bit sizes beyond the file", zip({{"a.npy", a, true, 0, 1ull << 62}}, 1, {true, true}),
       "which the file cannot hold"},
      {"a negative 64-bit size", zip({{"a.npy", a, true, 0, 1ull << 63}}, 1, {true, true}), "is damaged"},
      {"a 64-bit directory elsewhere", zip({{"a.npy", a}}, 1, {true, true, 1ull << 62}), "is damaged"},
      {"64-bit sizes and a wrong checksum", zip({{"a.npy", a, false, 0, 0, 1}}, 1, {true, true}),
       "is damaged"},
      {"sizes behind the data", zip({{"a.npy", a, false, 8}, {"b.npy", a, true, 8}}), ""},
      {"64-bit sizes behind the data", zip({{"a.npy", a, false, 8}, {"b.npy", a, true, 8}}, 1, {true, true}),
       ""},
      {"sizes behind the data and a wrong checksum", zip({{"a.npy", a, true, 8, 0, 1}}), "a.npy: is damaged"},
      {"more stated behind the data than is there", zip({{"a.npy", a, true, 8, 100}}), "a.npy"},
      {"no entry", zip({}), "is damaged"},
      {"nothing", "", "is damaged"},
      {"no archive", "no archive at all, only a text", "is damaged"},
      {"no directory", whole.substr(0, whole.size() - 30), "is damaged"},
      {"a wrong checksum", zip({{"a.npy", a, false, 0, 0, 1}}), "a.npy: is damaged"},
      {"a wrong checksum, packed", zip({{"a.npy", a, true, 0, 0, 1}}), "a.npy: is damaged"},
      {"encrypted", zip({{"a.npy", a, false, 1}}), "is encrypted"},
      {"a folder", zip({{"a/", ""}}), "its entry 'a/' is not a .npy file"},
      {"a folder that is called so", zip({{"a.npy/", ""}}), "is not a .npy file"},
      {"another file", zip({{"a.txt", a}}), "its entry 'a.txt' is not a .npy file"},
      {"two of one name", zip({{"a.npy", a}, {"a.npy", a}}), "has two entries 'a.npy'"},
      {"more stated than is there", zip({{"a.npy", a, true, 0, 100}}), "a.npy"},
      {"4 GB stated", zip({{"a.npy", a, true, 0, 4'000'000'000}}), "which the file cannot hold"},
      {"a .npy that is none", zip({{"a.npy", "x"}}), "a.npy: byte 0: this is not a .npy file"},
      {"an empty member", zip({{"a.npy", ""}}), "a.npy: byte 0: this is not a .npy file"},
      {"a .npy with more behind it", zip({{"a.npy", a + "x"}}), "a.npy: byte"},
      {"400 MB in 50 kB", zip({{"a.npy", large, true}}), "too many for a file of this size; LoadLimits"}};
}

}  // namespace xgrad::tests
