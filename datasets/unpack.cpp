// Unpacks archives by libarchive.
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "datasets/download.hpp"

namespace xgrad {
namespace {

namespace fs = std::filesystem;

/// A folder of its own beside the result, so that the last step is a rename; removed with what is left in it.
struct Scratch {
  explicit Scratch(const fs::path& folder) {
    std::string name = (folder / ".unpack-XXXXXX").string();
    std::error_code error;
    fs::create_directories(folder, error);
    expect(!error && mkdtemp(name.data()), "unpack: cannot write into '{}'", folder.string());
    path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

struct Free {
  void operator()(archive* a) const { archive_read_free(a); }
};

/// An entry's path, which must lead to a place below the folder it is unpacked into.
fs::path checked_path(const fs::path& file, archive_entry* entry) {
  const char* name = archive_entry_pathname(entry);
  const fs::path path = name ? name : "";
  const bool inside =
      !path.empty() && !path.is_absolute() && std::find(path.begin(), path.end(), "..") == path.end();
  expect(inside, "unpack: '{}' is refused: its entry '{}' leads out of the folder; nothing was unpacked",
         file.string(), path.string());
  const auto type = archive_entry_filetype(entry);
  const bool plain = (type == AE_IFREG || type == AE_IFDIR) && !archive_entry_hardlink(entry);
  expect(plain,
         "unpack: '{}' is refused: its entry '{}' is neither a file nor a folder; nothing was unpacked",
         file.string(), path.string());
  return path;
}

/// Throws Error unless libarchive's last call went well. A warning (an odd owner, say) does no harm.
void check(const fs::path& file, archive* in, long code) {
  expect(code >= ARCHIVE_WARN, "unpack: '{}' is damaged near byte {}: {}; remove it and fetch it again",
         file.string(), archive_filter_bytes(in, -1),
         archive_error_string(in) ? archive_error_string(in) : "unknown error");
}

void write_file(const fs::path& file, archive* in, const fs::path& to) {
  fs::create_directories(to.parent_path());
  const int out = open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  expect(out >= 0, "unpack: '{}' cannot be written", to.string());
  const int code = archive_read_data_into_fd(in, out);
  const bool closed = close(out) == 0;
  check(file, in, code);
  expect(closed, "unpack: '{}' cannot be written: is the disk full?", to.string());
}

void extract(const fs::path& file, const fs::path& to) {
  const std::unique_ptr<archive, Free> in(archive_read_new());
  archive_read_support_format_tar(in.get());
  archive_read_support_filter_gzip(in.get());
  check(file, in.get(), archive_read_open_filename(in.get(), file.c_str(), 1 << 16));
  for (archive_entry* entry = nullptr;;) {
    const int code = archive_read_next_header(in.get(), &entry);
    if (code == ARCHIVE_EOF) return;
    check(file, in.get(), code);
    const fs::path path = to / checked_path(file, entry);
    if (archive_entry_filetype(entry) == AE_IFDIR)
      fs::create_directories(path);
    else
      write_file(file, in.get(), path);
  }
}

}  // namespace

void unpack(const fs::path& archive, const fs::path& folder) {
  const Scratch scratch(folder);
  extract(archive, scratch.path);
  for (const auto& entry : fs::directory_iterator(scratch.path)) {
    const fs::path target = folder / entry.path().filename();
    expect(!fs::exists(target), "unpack: '{}' is there already; move it away to unpack '{}'", target.string(),
           archive.string());
  }
  for (const auto& entry : fs::directory_iterator(scratch.path))
    fs::rename(entry.path(), folder / entry.path().filename());
}

}  // namespace xgrad
