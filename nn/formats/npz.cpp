// .npz: a ZIP archive of .npy files, each a header in Python's notation and the elements.
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <new>
#include <set>

#include <xgrad/core/base/files.hpp>
#include <xgrad/nn/formats/numpy.hpp>
#include <xgrad/nn/formats/numpy_array.hpp>

namespace xgrad {
namespace {

struct EndReading {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct EndWriting {
  void operator()(archive* a) const { archive_write_free(a); }
};
/// libarchive makes null where memory is missing.
template <class T>
T* there(T* made) {
  return made ? made : throw std::bad_alloc();
}
/// Null where the system has none. Made as the program starts: when there once was no memory for it, the C
/// library gives none later.
const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
/// In this thread, while one is alive, names are UTF-8: libarchive drops what the program's locale does not
/// know.
struct Utf8Names {
  Utf8Names() = default;
  ~Utf8Names() { uselocale(before); }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;
  const locale_t before = uselocale(utf8);  // which changes nothing where it is null
};
/// Some archivers write other names than UTF-8.
std::string name_of(archive_entry* entry) {
  const char* name = archive_entry_pathname_utf8(entry);
  if (!name) name = archive_entry_pathname(entry);
  return name ? name : "";
}
std::string reason(archive* a) { return archive_error_string(a) ? archive_error_string(a) : "unknown error"; }

}  // namespace

void save_npz(const std::string& path, const Tensors& tensors) {
  replace_file(path, [&](std::ostream& file) {
    const std::unique_ptr<archive, EndWriting> out(there(archive_write_new()));
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
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(there(archive_entry_new()),
                                                                              archive_entry_free);
    std::vector<std::string_view> names;
    for (auto& [name, array] : tensors.arrays) {
      expect(std::find(names.begin(), names.end(), name) == names.end(), "{}: two arrays are called {}", path,
             name);
      names.push_back(name);
      const std::string header = detail::npy_header(array);
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

Tensors load_npz(const std::string& path, const LoadLimits& limits) {
  Reader whole{std::filesystem::path(path)};
  const std::uint64_t packed = whole.size();
  whole.set_memory(std::max(limits.unpacked, 16 * packed));
  const Utf8Names utf8_names;
  const std::unique_ptr<archive, EndReading> in(there(archive_read_new()));
  auto check = [&](long code, const std::string& where, int worst = ARCHIVE_OK) {
    expect(code >= worst, "{}: is damaged near byte {} of the file: {}", where,
           archive_filter_bytes(in.get(), -1), reason(in.get()));
  };
  check(archive_read_support_format_zip_seekable(in.get()),
        path);  // by its directory: a truncated file has none
  check(archive_read_open_filename(in.get(), path.c_str(), 1 << 16), path);
  Tensors tensors;
  std::set<std::string> names;
  double stated = 0;
  for (archive_entry* entry = nullptr;;) {
    const int code = archive_read_next_header(in.get(), &entry);
    if (code == ARCHIVE_EOF) return tensors;
    check(code, path, ARCHIVE_WARN);  // of a name that the locale does not know
    std::string name = name_of(entry);
    expect(name.ends_with(".npy") && archive_entry_filetype(entry) == AE_IFREG,
           "{}: its entry '{}' is not a .npy file", path, name);
    expect(!archive_entry_is_encrypted(entry), "{}: its entry '{}' is encrypted, which cannot be read", path,
           name);
    expect(names.insert(name).second, "{}: has two entries '{}'", path, name);
    const auto size = std::uint64_t(archive_entry_size(entry));
    // A damaged directory may state any size, and many entries the same bytes; deflate packs 1032 bytes into
    // one.
    stated += double(size);
    expect(archive_entry_size_is_set(entry) && stated / 1032 <= double(packed),
           "{}: its entry '{}' states {} bytes, which the file cannot hold", path, name, size);
    whole.charge(sizeof(NamedArray) + name.size());
    Reader part(whole, name, size, [&](char* to, std::size_t n) {
      const la_ssize_t got = archive_read_data(in.get(), to, n);
      check(got, path + ": " + name);  // of a wrong checksum libarchive only warns
      return std::size_t(got);
    });
    const Array array = detail::read_npy(part);
    tensors.arrays.push_back({name.substr(0, name.size() - 4), array});
  }
}

}  // namespace xgrad
