// The order in which folders are searched, and what is said when the files are in none.
#include <xgrad/datasets/locate.hpp>

#include <fmt/format.h>

#include <fmt/ranges.h>

#include <cstdlib>

#include <xgrad/datasets/download.hpp>

namespace xgrad {
namespace {

namespace fs = std::filesystem;

fs::path environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::vector<std::string> missing(const Source& source, const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& file : source.files)
    if (!fs::is_regular_file(folder / file, ignored)) names.push_back(file);
  return names;
}

/// The set's own folder in `folder`, or `folder` itself; empty when neither is complete.
fs::path complete(const Source& source, const fs::path& folder) {
  for (const auto& place : {folder / source.folder, folder})
    if (missing(source, place).empty()) return place;
  return {};
}

/// The folder given by the user holds it, or that is an error: nothing else may be trained on in silence.
fs::path in_given(const Source& source, const fs::path& folder) {
  if (const auto found = complete(source, folder); !found.empty()) return found;
  std::error_code ignored;
  expect(fs::is_directory(folder, ignored),
         "{}: the data folder '{}' does not exist; give the one that holds '{}'", source.name,
         folder.string(), source.folder);
  const bool inner = fs::is_directory(folder / source.folder, ignored);
  const fs::path place = inner ? folder / source.folder : folder;
  fail(
      "{}: the data folder '{}' does not hold the set: no {} in '{}'{}; give the folder that holds '{}', or "
      "none to "
      "search the cache and to download",
      source.name, folder.string(), fmt::join(missing(source, place), ", "), place.string(),
      inner ? "" : fmt::format(" and no folder '{}'", source.folder), source.folder);
}

void fetch_source(const Source& source, const fs::path& cache, bool verbose) {
  for (const auto& [url, checksum, size] : source.remotes) {
    const std::string file = url.substr(url.rfind('/') + 1);
    if (!file.ends_with(".tar.gz")) {
      download(url, cache / source.folder / file, checksum, verbose, size);
      continue;
    }
    const fs::path folder = cache / source.folder, archive = cache / file;
    std::error_code ignored;
    expect(!fs::exists(folder, ignored),
           "{}: '{}' is incomplete, it lacks {}; restore that, or remove the folder to download it afresh",
           source.name, folder.string(), fmt::join(missing(source, folder), ", "));
    download(url, archive, checksum, verbose, size);
    unpack(archive, cache);
    fs::remove(archive);
  }
  const auto lacking = missing(source, cache / source.folder);
  expect(lacking.empty(), "{}: no {} in what was downloaded to '{}'", source.name, fmt::join(lacking, ", "),
         (cache / source.folder).string());
}

/// Removes what a process left that was killed after the set was complete, or before someone else completed
/// it.
void remove_leftovers(const Source& source, const fs::path& cache) {
  for (const auto& remote : source.remotes) {
    const std::string file = remote.url.substr(remote.url.rfind('/') + 1);
    const bool archive = file.ends_with(".tar.gz");
    const fs::path place = archive ? cache / file : cache / source.folder / file;
    std::error_code ignored;
    if (fs::symlink_status(place.string() + ".part", ignored).type() == fs::file_type::regular)
      remove_abandoned_part(place);
    if (archive && fs::symlink_status(place, ignored).type() == fs::file_type::regular)
      fs::remove(place, ignored);
  }
}

}  // namespace

fs::path cache_folder() {
  if (const auto cache = environment("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "xgrad";
  if (const auto home = environment("HOME"); !home.empty()) return home / ".cache" / "xgrad";
  return {};
}

fs::path locate(const Source& source, const DataOptions& options) {
  if (!options.folder.empty()) return in_given(source, options.folder);
  const fs::path set = environment("XGRAD_DATA"), cache = cache_folder();
  std::string tried = source.name + ": ";
  if (!set.empty()) {
    if (const auto found = complete(source, set); !found.empty()) return found;
    tried += fmt::format("not in '{}' ($XGRAD_DATA), ", set.string());
  }
  if (cache.empty())
    throw DataUnavailable(tried + "and neither $XDG_CACHE_HOME nor $HOME names a place for a cache");
  if (const auto found = complete(source, cache); !found.empty()) {
    remove_leftovers(source, cache);
    return found;
  }
  tried += fmt::format("not in the cache '{}', ", cache.string());
  if (!options.download) throw DataUnavailable(tried + "and downloading is off");
  try {
    fetch_source(source, cache, options.verbose);
  } catch (const DownloadError& e) {
    throw DataUnavailable(tried + "and " + e.what());
  }
  return cache / source.folder;
}

}  // namespace xgrad
