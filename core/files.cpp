// Files are written beside and renamed.
#include "core/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "core/error.hpp"

namespace xgrad {
namespace fs = std::filesystem;

namespace {

/// Brings a file or a folder to the disk; false, with errno, when that fails.
bool brought_to_disk(const fs::path& path) {
  const int file = open(path.c_str(), O_RDONLY);
  if (file < 0) return false;
  const bool synced = fsync(file) == 0;
  const int why = errno;
  close(file);
  errno = why;
  return synced;
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
      brought_to_disk(beside);  // apart: arguments are evaluated in any order, errno perhaps before
  expect(synced, "{}: cannot be brought to the disk: {}", path.string(), std::strerror(errno));
  std::error_code error;
  fs::rename(beside, path, error);
  expect(!error, "{}: cannot be replaced: {}", path.string(), error.message());
  // Else the old file may be back after a power cut. Some file systems refuse this for folders.
  brought_to_disk(fs::absolute(path).parent_path());
}

fs::path unfinished(const fs::path& path) { return fs::path(path).concat(fmt::format(".{}.part", getpid())); }

void remove_unfinished(const fs::path& path) {
  const std::string begin = path.filename().string() + ".", end = ".part";
  std::vector<fs::path> found;
  const fs::path folder = fs::absolute(path).parent_path();
  // Not std::filesystem's iterator: where memory for a name is missing, it ends the process.
  struct Close {
    void operator()(DIR* open) const { closedir(open); }
  };
  const std::unique_ptr<DIR, Close> names(opendir(folder.c_str()));
  while (const dirent* entry = names ? readdir(names.get()) : nullptr) {
    std::string process = entry->d_name;
    if (!process.starts_with(begin) || !process.ends_with(end)) continue;
    process.erase(process.size() - end.size()).erase(0, begin.size());
    if (!process.empty() &&
        std::all_of(process.begin(), process.end(), [](char c) { return '0' <= c && c <= '9'; }))
      found.push_back(folder / entry->d_name);
  }
  std::error_code ignored;
  for (auto& file : found) fs::remove(file, ignored);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  expect(!error && fs::is_directory(folder), "{}: this folder cannot be made: {}", folder.string(),
         error ? error.message() : "a file is in the way");
  const bool writable = access(folder.c_str(), W_OK) == 0;
  expect(writable, "{}: this folder cannot be written to: {}", folder.string(), std::strerror(errno));
}

}  // namespace xgrad
