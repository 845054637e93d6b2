#pragma once
// Writing files so that nothing is ever half-written.
#include <filesystem>
#include <functional>
#include <iosfwd>

namespace xgrad {

/// Calls write(stream) on a new file beside `path`, brings it to the disk and renames it into place: whoever
/// reads `path` finds the old file or the new one, whole. Throws Error that names the file when it cannot be
/// written.
void replace_file(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);

/// The name of the new file that replace_file(path) writes: `path`.PROCESS.part.
std::filesystem::path unfinished(const std::filesystem::path& path);
/// Removes the new files for `path` that were never renamed because their programs were killed. Only where no
/// other program writes `path`.
void remove_unfinished(const std::filesystem::path& path);

/// Makes the folder and those above it. Throws Error when it cannot be made or written to.
void make_folder(const std::filesystem::path& folder);

}  // namespace xgrad
