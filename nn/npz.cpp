// .npz: a ZIP archive of .npy files, each a header in Python's notation and the elements.
#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
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

/// Where the bytes of a .npy come from: read(to, n) takes up to n of them, fewer only at the end.
struct Input {
  std::string where;
  std::uint64_t size;  // of all bytes
  std::function<std::size_t(char* to, std::size_t n)> read;

  std::string text(std::size_t n, const char* otherwise) const {
    std::string bytes(n, '\0');
    expect(n <= size && read(bytes.data(), n) == n, "{}: {}", where, otherwise);
    return bytes;
  }
};

Array read_npy(const Input& in) {
  std::string start = in.text(std::min<std::uint64_t>(in.size, 10), "cannot be read");
  expect(start.starts_with(magic) && start.size() == 10, "{}: this is no .npy", in.where);
  const int version = start[6];
  expect(version >= 1 && version <= 3, "{}: this is a .npy of version {}; 1 to 3 are known", in.where,
         version);
  if (version > 1) start += in.text(2, "this is no .npy");
  std::uint32_t length = 0;
  std::memcpy(&length, start.data() + 8, start.size() - 8);
  expect(start.size() + length <= in.size, "{}: the header is longer than the file", in.where);
  const std::string header = in.text(length, "the header cannot be read");
  expect(header.find("'descr': [") == header.npos, "{}: structured arrays cannot be read", in.where);
  const std::string type(field(in.where, header, "'descr': '", "'"));
  const bool fortran = field(in.where, header, "'fortran_order': ", ",}") == "True";
  const auto shape = numbers(in.where, field(in.where, header, "'shape': (", ")"));
  const std::uint64_t left = in.size - start.size() - length;
  detail::check_numpy(in.where, type, shape, left);
  for (DType dtype : {DType::f32, DType::f64, DType::i64, DType::u8}) {
    if (fortran || type != detail::numpy_type(dtype)) continue;
    Array array(Shape(shape.begin(), shape.end()), dtype);  // as it is in the file
    expect(in.read(array.mutable_bytes(), left) == left, "{}: {} bytes cannot be read", in.where, left);
    return array;
  }
  return detail::from_numpy(in.where, type, shape, fortran, in.text(left, "cannot be read"));
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
      auto write = [&](const char* bytes, std::size_t n) {
        const la_ssize_t taken = archive_write_data(out.get(), bytes, n);
        check(taken);
        return std::size_t(taken);
      };
      detail::write_all(write, header.data(), header.size());
      detail::write_all(write, array.bytes(), std::size_t(array.byte_size()));
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
  const std::uint64_t packed = std::filesystem::file_size(path);
  Tensors tensors;
  for (archive_entry* entry = nullptr;;) {
    const int code = archive_read_next_header(in.get(), &entry);
    if (code == ARCHIVE_EOF) return tensors;
    check(code);
    std::string name = archive_entry_pathname(entry) ? archive_entry_pathname(entry) : "";
    expect(name.ends_with(".npy"), "{}: its entry '{}' is no .npy", path, name);
    auto read = [&](char* to, std::size_t n) {
      std::size_t got = 0;
      for (la_ssize_t more = 1; got < n && more > 0; got += std::size_t(more))
        check(more = archive_read_data(in.get(), to + got, n - got));
      return got;
    };
    const auto size = std::uint64_t(archive_entry_size(entry));
    // A damaged directory may state any size; deflate packs at most 1032 bytes into one.
    expect(size / 1032 <= packed, "{}: its entry '{}' states {} bytes, which the file cannot hold", path,
           name, size);
    const Array array = read_npy({path + ": " + name, size, read});
    char beyond = 0;
    expect(read(&beyond, 1) == 0, "{}: its entry '{}' has more than the {} bytes stated", path, name, size);
    name.resize(name.size() - 4);
    tensors.arrays.push_back({name, array});
  }
}

Array load_npy(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  expect(bool(in) && !std::filesystem::is_directory(path), "{}: cannot be opened", path);
  auto read = [&](char* to, std::size_t n) {
    in.read(to, std::streamsize(n));
    return std::size_t(in.gcount());
  };
  return read_npy({path, std::filesystem::file_size(path), read});
}

void detail::write_all(const std::function<std::size_t(const char*, std::size_t)>& write, const char* bytes,
                       std::size_t n) {
  for (std::size_t taken; n > 0; bytes += taken, n -= taken) {
    taken = write(bytes, n);
    expect(0 < taken && taken <= n, "write: {} of {} bytes were taken", taken, n);
  }
}

long detail::check_numpy(const std::string& where, std::string_view type, const std::vector<long>& shape,
                         std::uint64_t bytes) {
  constexpr std::string_view types[] = {"f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "b1"};
  const char order = type.empty() ? ' ' : type[0];
  const std::string_view what = type.substr(std::min<std::size_t>(1, type.size()));
  expect((order == '<' || order == '>' || order == '|' || order == '=') && what.size() == 2 &&
             std::find(std::begin(types), std::end(types), what) != std::end(types),
         "{}: dtype '{}' cannot be read; float32, float64, integers and bool can", where, type);
  expect(int(shape.size()) <= max_rank, "{}: has {} axes; {} are possible", where, shape.size(), max_rank);
  const long width = what[1] - '0';
  long size = 1;
  for (long n : shape) {
    expect(n >= 0 && (size == 0 || std::uint64_t(n) <= bytes / std::uint64_t(size)),
           "{}: {} bytes are too few for its shape", where, bytes);
    size *= n;
  }
  expect(std::uint64_t(size) <= bytes / std::uint64_t(width) && std::uint64_t(size * width) == bytes,
         "{}: has {} bytes; its shape needs {}", where, bytes, std::uint64_t(size) * std::uint64_t(width));
  return size;
}

Array detail::from_numpy(const std::string& where, std::string_view type, const std::vector<long>& shape,
                         bool fortran_order, std::string_view bytes) {
  if (fortran_order && shape.size() > 1)  // the same bytes, read from the last axis to the first
    return transpose(Variable(from_numpy(where, type, {shape.rbegin(), shape.rend()}, false, bytes))).data();
  const long size = check_numpy(where, type, shape, bytes.size());
  const char order = type[0];
  const std::string_view what = type.substr(1);
  const int width = what[1] - '0';
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
