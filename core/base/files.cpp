// Files are written beside and renamed.
#include <xgrad/core/base/files.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include <xgrad/core/base/descriptor.hpp>
#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace fs = std::filesystem;

namespace {

/// Flushes a file or a folder to disk; false, with errno, when that fails.
bool flushed_to_disk(const fs::path& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file && fsync(file.value()) == 0;
}

/// Goes through a folder.
struct CloseFolder {
  void operator()(DIR* open) const { closedir(open); }
};
using Listing = std::unique_ptr<DIR, CloseFolder>;

/// The next name; null at the end, or with errno.
const char* next_name(DIR* folder) {
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(folder);
    if (!entry) return nullptr;
    if (std::strcmp(entry->d_name, ".") && std::strcmp(entry->d_name, "..")) return entry->d_name;
  }
}

void remove_folder(int parent, const char* name) noexcept {
  Descriptor folder(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (const Listing names{folder ? fdopendir(folder.value()) : nullptr}) {
    const int inside = folder.release();  // the listing closes it
    while (const char* inner = next_name(names.get()))
      if (unlinkat(inside, inner, 0)) remove_folder(inside, inner);
  }
  unlinkat(parent, name, AT_REMOVEDIR);
}

}  // namespace

void replace_file(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  const fs::path beside = unfinished(path);
  struct Cleanup {
    const fs::path& file;
    ~Cleanup() {
      std::error_code ignored;
      fs::remove(file, ignored);
    }
  } cleanup{beside};
  errno = 0;
  {
    std::ofstream out(beside, std::ios::binary);
    if (out) write(out);
    out.flush();
    expect(bool(out), "{}: cannot be written: {}", path.string(), std::strerror(errno ? errno : EIO));
  }
  const bool synced =
      flushed_to_disk(beside);  // separately: arguments are evaluated in any order, errno perhaps first
  expect(synced, "{}: cannot be flushed to disk: {}", path.string(), std::strerror(errno));
  std::error_code error;
  fs::rename(beside, path, error);
  expect(!error, "{}: cannot be replaced: {}", path.string(), error.message());
  // Else the old file may be back after a power cut. Some file systems refuse this for folders.
  flushed_to_disk(fs::absolute(path).parent_path());
}

fs::path unfinished(const fs::path& path) { return fs::path(path).concat(fmt::format(".{}.part", getpid())); }

void remove_unfinished(const fs::path& path) {
  const std::string begin = path.filename().string() + ".", end = ".part";
  const fs::path folder = fs::absolute(path).parent_path();
  std::error_code ignored;
  for (const std::string& name : names_in(folder, ignored)) {
    if (name.size() <= begin.size() + end.size() || !name.starts_with(begin) || !name.ends_with(end))
      continue;
    const std::string process = name.substr(begin.size(), name.size() - begin.size() - end.size());
    if (std::all_of(process.begin(), process.end(), [](char c) { return '0' <= c && c <= '9'; }))
      fs::remove(folder / name, ignored);
  }
}

std::vector<std::string> names_in(const fs::path& folder, std::error_code& error) {
  std::vector<std::string> found;
  const Listing names(opendir(folder.c_str()));
  while (const char* name = names ? next_name(names.get()) : nullptr) found.emplace_back(name);
  error.assign(errno, std::generic_category());
  return found;
}

void remove_folder(const char* folder) noexcept { remove_folder(AT_FDCWD, folder); }

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  expect(!error && fs::is_directory(folder), "{}: this folder cannot be created: {}", folder.string(),
         error ? error.message() : "a file is in the way");
  const bool writable = access(folder.c_str(), W_OK) == 0;
  expect(writable, "{}: this folder cannot be written to: {}", folder.string(), std::strerror(errno));
}

}  // namespace xgrad
