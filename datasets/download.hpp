#pragma once
// Files from the network: downloaded, checked, unpacked. A name appears only when what it names is whole.
#include <cstdint>
#include <filesystem>
#include <string>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/reader.hpp>

namespace xgrad {

/// A file could not be fetched: no network, an HTTP error, no place to write it.
struct DownloadError : Error {
  using Error::Error;
};

/// The SHA-256 of a file, in hexadecimal digits. Throws Error when it cannot be read.
std::string sha256(const std::filesystem::path& file);

/// Files whose size is not known in advance may have no more bytes.
inline constexpr std::uint64_t max_download = 4ull << 30;

/// Fetches `url` (http or https) into the file `destination`, whose folder is made if need be. `checksum`
/// reads "sha256:" and the digest; `size` is the number of bytes, 0 where it is not known. The file grows as
/// `destination`.part, which a later call checks, completes or restarts; it is flushed to disk and
/// renamed when its checksum is right. A destination that exists is checked and kept. Shows progress on
/// stderr if `verbose`. Throws DownloadError when it cannot be fetched (a connection that takes more than 10
/// s counts as none), leads from https elsewhere, is too long, or when the .part is a link, a folder or the
/// like; Error when the checksum is wrong (the .part is removed then) or the destination is not a regular
/// file.
void download(const std::string& url, const std::filesystem::path& destination, const std::string& checksum,
              bool verbose = true, std::uint64_t size = 0);

/// Removes `destination`.part, unless a process is writing it.
void remove_abandoned_part(const std::filesystem::path& destination);

/// Whether the server of one address may send us on to another: only to https, or from http to http.
bool may_redirect(const std::string& from, const std::string& to);

/// Unpacks a tar archive, gzipped or not, into `folder`; what lies at its top appears there at once by
/// renaming, when all of it is unpacked. Throws Error and leaves `folder` as it was when the archive is
/// damaged, when it holds anything but files and folders below `folder` (absolute paths, "..", links, sparse
/// files), a file twice, more than 100,000 entries, more bytes than `limits` allow or something after its
/// end, or when something of that name is there already. Removes what earlier calls left there when they were
/// killed.
void unpack(const std::filesystem::path& archive, const std::filesystem::path& folder,
            const LoadLimits& limits = {});

}  // namespace xgrad
