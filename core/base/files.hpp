#pragma once
// Writing files so that nothing is ever half-written.
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>
#include <system_error>
#include <vector>

namespace xgrad {

/// Calls write(stream) on a new file beside `path`, flushes it to disk and renames it into place: whoever
/// reads `path` finds the old file or the new one, whole. Throws Error that names the file when it cannot be
/// written.
void replace_file(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);

/// The name of the new file that replace_file(path) writes: `path`.PROCESS.part.
std::filesystem::path unfinished(const std::filesystem::path& path);
/// Removes the new files for `path` that were never renamed because their programs were killed. Only where no
/// other program writes `path`.
void remove_unfinished(const std::filesystem::path& path);

/// The names of what is in a folder, in no order. Where it cannot be read, those found so far, and the error.
/// (std::filesystem's iterators end the process where memory for a name is missing, and so does what is built
/// on them.)
std::vector<std::string> names_in(const std::filesystem::path& folder, std::error_code& error);
/// Removes a folder with what is in it, as far as that can be; links in it are not followed. For destructors.
void remove_folder(const char* folder) noexcept;

/// Makes the folder and those above it. Throws Error when it cannot be made or written to.
void make_folder(const std::filesystem::path& folder);

}  // namespace xgrad
