// .npz: a ZIP archive of .npy files, each a header in Python's notation and the elements.
#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "core/error.hpp"
#include "core/files.hpp"
#include "nn/numpy.hpp"
#include "nn/numpy_array.hpp"
#include "ops/shape.hpp"

namespace xgrad {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

/// The text between `key` and one of `ends` in the header of a .npy.
std::string_view field(const std::string& where, std::string_view header, std::string_view key,
                       std::string_view ends) {
  const auto at = header.find(key);
  const auto start = at == header.npos ? at : at + key.size();
  const auto stop = start == header.npos ? start : header.find_first_of(ends, start);
  expect(stop != header.npos, "{}: the header of this .npy has no {}: {}", where, key, header);
  return header.substr(start, stop - start);
}

std::vector<long> numbers(const std::string& where, std::string_view text) {
  std::vector<long> result;
  for (const char *at = text.data(), *end = at + text.size(); at != end;) {
    if (*at == ' ' || *at == ',' || *at == 'L') {
      ++at;
      continue;
    }
    long n = 0;
    const auto [next, error] = std::from_chars(at, end, n);
    expect(error == std::errc() && n >= 0, "{}: the shape ({}) cannot be", where, text);
    result.push_back(n);
    at = next;
  }
  return result;
}

Array parse_npy(const std::string& where, std::string_view file) {
  expect(file.starts_with(magic) && file.size() >= 12, "{}: this is no .npy", where);
  const int version = file[6];
  expect(version >= 1 && version <= 3, "{}: this is a .npy of version {}; 1 to 3 are known", where, version);
  const std::size_t start = version == 1 ? 10 : 12;
  std::uint32_t length = 0;
  std::memcpy(&length, file.data() + 8, version == 1 ? 2 : 4);
  expect(start + length <= file.size(), "{}: the header is longer than the file", where);
  const std::string_view header = file.substr(start, length);
  expect(header.find("'descr': [") == header.npos, "{}: structured arrays cannot be read", where);
  const auto type = field(where, header, "'descr': '", "'");
  const auto order = field(where, header, "'fortran_order': ", ",}");
  const auto shape = field(where, header, "'shape': (", ")");
  return detail::from_numpy(where, type, numbers(where, shape), order == "True", file.substr(start + length));
}

std::string npy_header(const Array& array) {
  std::string shape;
  for (long n : array.shape()) shape += fmt::format("{}, ", n);
  if (array.shape().rank() > 1) shape.resize(shape.size() - 2);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                   detail::numpy_type(array.dtype()), shape);
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');  // the elements are aligned
  header += '\n';
  const auto length = std::uint16_t(header.size());
  return std::string(magic) + std::string{1, 0, char(length & 255), char(length >> 8)} + header;
}

struct EndReading {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct EndWriting {
  void operator()(archive* a) const { archive_write_free(a); }
};
std::string reason(archive* a) { return archive_error_string(a) ? archive_error_string(a) : "unknown error"; }

}  // namespace

void save_npz(const std::string& path, const Tensors& tensors) {
  replace_file(path, [&](std::ostream& file) {
    const std::unique_ptr<archive, EndWriting> out(archive_write_new());
    auto check = [&](long code) {
      expect(code >= ARCHIVE_OK, "{}: cannot be written: {}", path, reason(out.get()));
    };
    check(archive_write_set_format_zip(out.get()));
    check(archive_write_zip_set_compression_store(out.get()));
    check(archive_write_set_bytes_in_last_block(out.get(), 1));
    check(archive_write_open(
        out.get(), &file, nullptr,
        [](archive*, void* stream, const void* bytes, std::size_t n) -> la_ssize_t {
          auto& to = *static_cast<std::ostream*>(stream);
          return to.write(static_cast<const char*>(bytes), std::streamsize(n)) ? la_ssize_t(n) : -1;
        },
        nullptr));
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                              archive_entry_free);
    std::vector<std::string_view> names;
    for (auto& [name, array] : tensors.arrays) {
      expect(std::find(names.begin(), names.end(), name) == names.end(), "{}: two arrays are called {}", path,
             name);
      names.push_back(name);
      const std::string header = npy_header(array);
      archive_entry_clear(entry.get());
      archive_entry_set_pathname(entry.get(), (name + ".npy").c_str());
      archive_entry_set_size(entry.get(), la_int64_t(header.size()) + array.byte_size());
      archive_entry_set_filetype(entry.get(), AE_IFREG);
      archive_entry_set_perm(entry.get(), 0644);
      check(archive_write_header(out.get(), entry.get()));
      check(archive_write_data(out.get(), header.data(), header.size()));
      check(archive_write_data(out.get(), array.bytes(), std::size_t(array.byte_size())));
    }
    check(archive_write_close(out.get()));
  });
}

Tensors load_npz(const std::string& path) {
  expect(std::ifstream(path) && !std::filesystem::is_directory(path), "{}: cannot be opened", path);
  const std::unique_ptr<archive, EndReading> in(archive_read_new());
  archive_read_support_format_zip_seekable(in.get());  // by its directory: a truncated file has none
  auto check = [&](long code) {
    expect(code >= ARCHIVE_WARN, "{}: this .npz is damaged near byte {}: {}", path,
           archive_filter_bytes(in.get(), -1), reason(in.get()));
  };
  check(archive_read_open_filename(in.get(), path.c_str(), 1 << 16));
  Tensors tensors;
  for (archive_entry* entry = nullptr;;) {
    const int code = archive_read_next_header(in.get(), &entry);
    if (code == ARCHIVE_EOF) return tensors;
    check(code);
    std::string name = archive_entry_pathname(entry) ? archive_entry_pathname(entry) : "";
    expect(name.ends_with(".npy"), "{}: its entry '{}' is no .npy", path, name);
    std::string bytes;
    char block[1 << 16];
    for (la_ssize_t n; (n = archive_read_data(in.get(), block, sizeof block)) != 0;) {
      check(n);
      bytes.append(block, std::size_t(n));
    }
    const Array array = parse_npy(path + ": " + name, bytes);
    name.resize(name.size() - 4);
    tensors.arrays.push_back({name, array});
  }
}

Array load_npy(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  expect(bool(in) && !std::filesystem::is_directory(path), "{}: cannot be opened", path);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  return parse_npy(path, bytes);
}

Array detail::from_numpy(const std::string& where, std::string_view type, const std::vector<long>& shape,
                         bool fortran_order, std::string_view bytes) {
  if (fortran_order && shape.size() > 1)  // the same bytes, read from the last axis to the first
    return transpose(Variable(from_numpy(where, type, {shape.rbegin(), shape.rend()}, false, bytes))).data();
  constexpr std::string_view types[] = {"f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "b1"};
  const char order = type.empty() ? ' ' : type[0];
  const std::string_view what = type.substr(std::min<std::size_t>(1, type.size()));
  expect((order == '<' || order == '>' || order == '|' || order == '=') && what.size() == 2 &&
             std::find(std::begin(types), std::end(types), what) != std::end(types),
         "{}: dtype '{}' cannot be read; float32, float64, integers and bool can", where, type);
  const int width = std::clamp(what[1] - '0', 1, 8);
  expect(int(shape.size()) <= max_rank, "{}: has {} axes; {} are possible", where, shape.size(), max_rank);
  long size = 1;
  for (long n : shape) {
    expect(n >= 0 && (size == 0 || n <= long(bytes.size()) / size), "{}: {} bytes are too few for its shape",
           where, bytes.size());
    size *= n;
  }
  expect(std::size_t(size * width) == bytes.size(), "{}: has {} bytes; its shape needs {}", where,
         bytes.size(), size * width);
  const DType dtype = what == "f4"                   ? DType::f32
                      : what == "f8"                 ? DType::f64
                      : what == "u1" || what == "b1" ? DType::u8
                                                     : DType::i64;
  Array result(Shape(shape.begin(), shape.end()), dtype);
  char* to = result.mutable_bytes();
  for (long i = 0; i < size; ++i) {
    char element[8] = {};
    for (int k = 0; k < width; ++k)
      element[order == '>' ? width - 1 - k : k] = bytes[std::size_t(i * width + k)];
    auto put = [&]<class From, class To>(From value, To) {
      std::memcpy(&value, element, sizeof value);
      const To converted = To(value);
      std::memcpy(to + i * long(sizeof converted), &converted, sizeof converted);
    };
    if (what == "f4") put(float(), float());
    if (what == "f8") put(double(), double());
    if (what == "u1" || what == "b1") put(std::uint8_t(), std::uint8_t());
    if (what == "i1") put(std::int8_t(), std::int64_t());
    if (what == "i2") put(std::int16_t(), std::int64_t());
    if (what == "i4") put(std::int32_t(), std::int64_t());
    if (what == "i8") put(std::int64_t(), std::int64_t());
    if (what == "u2") put(std::uint16_t(), std::int64_t());
    if (what == "u4") put(std::uint32_t(), std::int64_t());
  }
  return result;
}

const char* detail::numpy_type(DType dtype) {
  constexpr const char* names[] = {"<f4", "<f8", "<i8", "|u1"};
  return names[int(dtype)];
}

Tensors detail::from_book(const Tensors& book, const std::vector<NamedArray>& model,
                          const std::string& source) {
  Tensors result;
  long weights = 0, biases = 0;
  for (auto& [name, like] : model) {
    const bool weight = name == "weight" || name.ends_with(".weight");
    expect(weight || name == "bias" || name.ends_with(".bias"),
           "{}: the book has nothing like the model's {}", source, name);
    const std::string theirs = weight ? fmt::format("W{}", ++weights) : fmt::format("b{}", ++biases);
    const auto found =
        std::find_if(book.arrays.begin(), book.arrays.end(), [&](auto& a) { return a.name == theirs; });
    expect(found != book.arrays.end(), "{}: has no {}, which the model needs for {}", source, theirs, name);
    Array array = found->value.cast(like.dtype());
    if (weight && array.shape().rank() == 2) array = transpose(Variable(array)).data();
    result.arrays.push_back({name, array});
  }
  expect(result.arrays.size() == book.arrays.size(),
         "{}: holds {} arrays, the model {}; it belongs to another model", source, book.arrays.size(),
         result.arrays.size());
  return result;
}

}  // namespace xgrad
